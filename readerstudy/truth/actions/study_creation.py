"""Creating a study in one step: draft, lock and open. Also the plan and the draw of another study, to use again."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput
from readerstudy.protocol.document import Protocol
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.actions import draft_study, open_study
from readerstudy.studies.models import Study
from readerstudy.truth.actions.study_locking import lock_study
from readerstudy.truth.seeds import seed_of


@sealed_work()
@transaction.atomic
def create_study(
    *,
    code: str,
    title: str,
    cohort: Cohort,
    at: datetime,
    template: str = "",
    seed: int | None = None,
    actor: User | None = None,
    scale: float = 1.0,
    resolution: str | None = None,
    generators: Collection[str] | None = None,
    is_rehearsal: bool = False,
    changes: Mapping[str, Any] | None = None,
    protocol: Protocol | None = None,
    excluded_before: datetime | None = None,
    persons_to_unseal: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Study:
    """Draft, lock and open a study; nothing is created if the cohort is too small.

    The protocol is that of a template at a scale, with the `changes` of a plan file (`protocol.rules`), unless
    `protocol` is given.
    `resolution` is the largest that the cohort stores unless it is given.
    `generators` are the names of the attacks: one for both directions, or one for each. If none is given, the
    cohort must have adversarial images of exactly one attack for each direction at this resolution.
    `persons_to_unseal`, if given, replaces that of the protocol.
    `seed`, `excluded_before` and `progress` are those of `lock_study`.
    """
    protocol = protocol or protocol_of_template(
        template,
        words=cohort.modality.words.reading,
        scale=scale,
        resolution=resolution,
        attacks=generators or (),
        changes=changes,
    )
    if persons_to_unseal is not None:
        protocol = replace(protocol, persons_to_unseal=persons_to_unseal)
    study = draft_study(
        code=code, title=title, cohort=cohort, protocol=protocol, actor=actor, at=at, is_rehearsal=is_rehearsal
    )
    lock_study(study=study, actor=actor, at=at, seed=seed, excluded_before=excluded_before, progress=progress)
    open_study(study=study, actor=actor, at=at)
    return study


@sealed_work()
def same_draw(study: Study, *, resolution: str | None) -> dict[str, Any]:
    """Return arguments of `create_study` that draw the same images in the same order at the other resolution.

    The article's two readers of the low-resolution arm read the same images at both resolutions. The seed is passed
    on without being shown to anybody. Raises BadInput unless the study was drawn.
    """
    if study.is_editable:
        raise BadInput(f"The study {study.code} is {study.state}: nothing is drawn yet, so there is no draw to repeat.")
    drawn_at = study.plan["resolution"]
    if resolution == drawn_at:
        raise BadInput(f"The study {study.code} is read at {drawn_at} resolution already; name the other one.")
    others = [name for name in study.cohort.resolutions if name != drawn_at]
    if resolution is None and len(others) != 1:
        raise BadInput(f"Name the resolution with --resolution: {' or '.join(others) or 'the cohort stores one only'}.")
    protocol = replace(_drawn_protocol(study), resolution=resolution or others[0])
    # Images excluded since then are in no study, and leaving them out would change the draw.
    return {
        "cohort": study.cohort,
        "protocol": protocol,
        "seed": seed_of(study),
        "excluded_before": study.locked_at,
    }


@sealed_work()
def same_plan(study: Study) -> dict[str, Any]:
    """Return arguments of `create_study` that plan the same study on the same cohort, with a draw of its own.

    A draft has its protocol only; after the draw, its attacks and its resolution are those that were drawn from.
    """
    return {"cohort": study.cohort, "protocol": study.protocol if study.is_editable else _drawn_protocol(study)}


def _drawn_protocol(study: Study) -> Protocol:
    """Return the protocol with the resolution and the attacks that the draw found, if it left them open."""
    protocol, rows = study.protocol, study.plan["sessions"]
    sources = (protocol.source(number) for number in range(1, len(rows) + 1))
    of_study = (row["generators"] for row, source in zip(rows, sources, strict=True) if not source.attacks)
    attacks = next((tuple(names) for names in of_study if names), protocol.attacks)
    return replace(protocol, resolution=study.plan["resolution"], attacks=attacks)
