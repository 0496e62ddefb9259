"""The three panels of a triptych. SIGHTED: the only part that shows a reader the truth, in education sessions only."""

from dataclasses import dataclass
from pathlib import Path

from readerstudy.accounts.models import User
from readerstudy.reading.queries import visible_presentation
from readerstudy.studies.models import Presentation, ReadingList
from readerstudy.truth.queries import find_adversarial_image
from readerstudy.truth.seal import may_show_triptych


@dataclass(frozen=True)
class Panel:
    """The file of a panel with its SHA-256, its list, and the length in bytes of every image response of the study.

    `is_current`: it belongs to the reader's current triptych, not to the next one.
    """

    path: Path
    sha256: str
    length: int
    reading_list: ReadingList
    is_current: bool


def find_panel(reader: User, study: str, code: str, panel: str) -> Panel | None:
    """Return a panel ("real", "adversarial", "difference") of the reader's current triptych or the next two.

    None if the code is of none of them.
    """
    presentation = visible_presentation(reader, study, code)
    if presentation is None or not may_show_triptych(presentation):
        return None
    reading_list = presentation.reading_list
    path, sha256 = _file(presentation, panel)
    length = reading_list.session_plan.study.response_bytes
    is_current = presentation.position == reading_list.session.answered + 1
    return Panel(path, sha256, length, reading_list, is_current)


def _file(presentation: Presentation, panel: str) -> tuple[Path, str]:
    """Return the file of a panel and its SHA-256."""
    if panel == "real":
        return presentation.stimulus.path, presentation.stimulus.sha256
    image = find_adversarial_image(presentation.stimulus, presentation.reading_list.session_plan)
    assert image.difference_path is not None  # triptychs show pairs only
    if panel == "adversarial":
        return image.path, image.sha256
    return image.difference_path, image.difference_sha256
