"""The three panels of a triptych and what they teach.

SIGHTED: the only part that shows a reader the truth, in education sessions only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from readerstudy.accounts.models import User
from readerstudy.reading.queries import visible_presentation
from readerstudy.studies.models import Presentation, ReadingList
from readerstudy.truth.queries import find_adversarial_image, find_direction, find_line, greatest_changes, has_lines
from readerstudy.truth.seal import may_show_triptych
from readerstudy.vocabulary import Direction


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


# Full colour stands for one of these shares of the grey scale.
_SCALES: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Lesson:
    """What a triptych teaches: in which direction the image was altered, and the colour scale of the differences.

    `direction` is None and `sentence` "" if the plan says nothing of it (`SessionRules.names_direction`).
    `full_colour` is the share of the grey scale that full colour stands for, the same for every triptych of a session,
    so that they can be compared; None if the changes were not measured. `has_lines`: a triptych of the session has a
    line of text, for which room is left below each of them.
    """

    direction: str | None
    sentence: str
    full_colour: float | None
    has_lines: bool


def find_lesson(reader: User, study: str, code: str) -> Lesson | None:
    """Return the lesson of the reader's current triptych or of one of the next two; None for any other code."""
    presentation = visible_presentation(reader, study, code)
    if presentation is None or not may_show_triptych(presentation):
        return None
    reading_list = presentation.reading_list
    plan = reading_list.session_plan
    sources = list(reading_list.presentations.values_list("stimulus", flat=True))
    full_colour, lines = _full_colour(greatest_changes(sources, plan)), has_lines(plan)
    if not plan.rules.names_direction:
        return Lesson(None, "", full_colour, lines)
    direction, words = find_direction(presentation.stimulus, plan), plan.study.cohort.modality.words.lab
    sentence = words.removed if direction == Direction.REMOVE else words.inserted
    return Lesson(direction, str(sentence), full_colour, lines)


def find_own_line(reader: User, study: str, code: str) -> str | None:
    """Return the line of text under the reader's current triptych, "" if it has none; None for any other code.

    Unlike the panels it is not passed on ahead: what a reader is to see is never read before it.
    """
    presentation = visible_presentation(reader, study, code)
    if presentation is None or not may_show_triptych(presentation):
        return None
    if presentation.position != presentation.reading_list.session.answered + 1:
        return None
    return find_line(presentation.stimulus, presentation.reading_list.session_plan)


def _full_colour(changes: Sequence[float]) -> float | None:
    """Return the scale that holds the changes of three images in four: one strong change must not dull the others."""
    if not changes:
        return None
    upper = float(np.quantile(changes, 0.75))
    return next(scale for scale in _SCALES if scale >= min(upper, 1))


def _file(presentation: Presentation, panel: str) -> tuple[Path, str]:
    """Return the file of a panel and its SHA-256."""
    if panel == "real":
        return presentation.stimulus.path, presentation.stimulus.sha256
    image = find_adversarial_image(presentation.stimulus, presentation.reading_list.session_plan)
    assert image.difference_path is not None  # triptychs show pairs only
    if panel == "adversarial":
        return image.path, image.sha256
    return image.difference_path, image.difference_sha256
