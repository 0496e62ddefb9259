"""Answers to the questions of a study, and the readings of images that were shown twice."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from readerstudy.protocol.questions import Question


@dataclass(frozen=True)
class AnsweredQuestion:
    """One question of one session with its answers: how many readings have each value.

    A value is stored as JSON; of marks it is their number. `is_closing`: asked once, at the end of the session.
    """

    session: int
    question: Question
    is_closing: bool
    values: tuple[tuple[Any, int], ...]

    @property
    def answered(self) -> int:
        return sum(count for _, count in self.values)


@dataclass(frozen=True)
class ReaderRepeats:
    """The images that one session showed to one reader for the second time.

    `by_truth` (2, 3, 3) counts images, the real ones first, by the first and the second verdict, in the order of
    `agreement.VERDICTS`.
    """

    reader: str
    session: int
    first_session: int
    by_truth: NDArray[np.int64]

    @property
    def verdicts(self) -> NDArray[np.int64]:
        """All images by the first and the second verdict, (3, 3)."""
        total: NDArray[np.int64] = self.by_truth.sum(axis=0)
        return total
