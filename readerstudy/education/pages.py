"""The three panels of a triptych. SIGHTED: the only part that shows a reader the truth, in education sessions only."""

from dataclasses import dataclass
from pathlib import Path

from readerstudy.accounts.models import User
from readerstudy.reading.queries import visible_presentation
from readerstudy.truth.queries import find_adversarial_image
from readerstudy.truth.seal import may_show_triptych


@dataclass(frozen=True)
class Panel:
    """The file of a panel, and the length in bytes of every image response of the study."""

    path: Path
    length: int


def find_panel(reader: User, study: str, code: str, panel: str) -> Panel | None:
    """Return a panel ("real", "adversarial", "difference") of the reader's current or next triptych, else None."""
    presentation = visible_presentation(reader, study, code)
    if presentation is None or not may_show_triptych(presentation):
        return None
    plan = presentation.reading_list.session_plan
    length = plan.study.response_bytes
    if panel == "real":
        return Panel(presentation.stimulus.path, length)
    image = find_adversarial_image(presentation.stimulus, plan)
    assert image.difference_path is not None  # triptychs show pairs only
    return Panel(image.path if panel == "adversarial" else image.difference_path, length)
