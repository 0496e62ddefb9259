"""What a new study can start from: a template, a published design, another study, or a protocol file."""

from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput
from readerstudy.participation.reader_protocol import reader_protocol
from readerstudy.participation.study_file import StudyDesign, read_design_file
from readerstudy.protocol.sessions import TEMPLATES
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.studies.access import studies_of
from readerstudy.truth.actions import same_plan

DESIGNS: Final = Path(settings.BASE_DIR) / "docs" / "designs"
TEMPLATE, DESIGN, STUDY = "template", "design", "study"


def designs() -> dict[str, Path]:
    """Return the files of published designs by name."""
    return {path.stem: path for path in sorted(DESIGNS.glob("*.yaml"))}


def starting_points(person: User) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what the person can choose, in groups: key and title of each."""
    titles = {"zhou2021": _("Zhou et al. (2021): five sessions"), "short": _("The same with a tenth of the images")}
    templates = [(f"{TEMPLATE}:{name}", titles.get(name, name)) for name in TEMPLATES]
    published = [(f"{DESIGN}:{name}", name.replace("-", " ").replace("_", " ").capitalize()) for name in designs()]
    copies = [
        (f"{STUDY}:{study.code}", f"{study.code}: {study.title}")
        for study in studies_of(person).filter(is_rehearsal=False).order_by("-created_at")
    ]
    groups = [(_("Templates"), templates), (_("Published designs"), published), (_("Copy of a study"), copies)]
    return [(title, choices) for title, choices in groups if choices]


def design_from(key: str, *, person: User, cohort: Cohort, scale: float = 1.0) -> StudyDesign:
    """Return the design of one of the person's starting points. `scale` is for templates.

    That of a study includes its consent text and its rules for readers.

    Raises BadInput for any other key.
    """
    kind, _colon, name = key.partition(":")
    words = cohort.modality.words.reading
    if kind == TEMPLATE:
        return StudyDesign(protocol_of_template(name, words=words, scale=scale))
    if kind == DESIGN and name in designs():
        return read_design_file(designs()[name], words=words)
    if kind == STUDY and (study := studies_of(person).filter(code=name, is_rehearsal=False).first()):
        return StudyDesign(same_plan(study)["protocol"], reader_protocol(study))
    raise BadInput(f"start: there is no starting point {key!r}.")
