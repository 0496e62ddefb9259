"""Verdicts with how sure the reader was, as ordinal ratings that an image is not real."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from readerstudy.analysis.record.counts import Ints
from readerstudy.protocol.questions import CONFIDENCE, Question, QuestionKind
from readerstudy.protocol.sessions import Verdict


@dataclass(frozen=True)
class RatedReadings:
    """The rated readings of the two compared sessions, one element per reading, in no particular order.

    `reader` is the index in `ConfidenceRatings.readers`, `case` the key of the image's truth.
    """

    reader: NDArray[np.int32]
    session: NDArray[np.int16]
    case: NDArray[np.int64]
    is_adversarial: NDArray[np.bool_]
    rating: NDArray[np.int8]

    def __len__(self) -> int:
        return int(self.reader.size)

    def select(self, mask: NDArray[np.bool_]) -> "RatedReadings":
        """Return the elements where the mask is True."""
        return RatedReadings(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class RatingCounts:
    """The ratings of one reader in one session.

    `counts` is (2, 2K + 1): real and adversarial images by rating, from −K to K. `unrated` counts verdicts without an
    answer to the question, which have no rating.
    """

    counts: Ints
    unrated: int

    @property
    def images(self) -> tuple[int, int]:
        """The numbers of rated real and adversarial images."""
        real, adversarial = self.counts.sum(axis=1).tolist()
        return real, adversarial

    @property
    def columns(self) -> tuple[Ints, Ints]:
        """Truth (1 adversarial) and rating of each image, (n,) each, in the order of the ratings."""
        steps = self.counts.shape[1] // 2
        truth, place = np.indices(self.counts.shape).reshape(2, -1)
        return np.repeat(truth, self.counts.ravel()), np.repeat(place - steps, self.counts.ravel())


@dataclass(frozen=True)
class ConfidenceRatings:
    """Ratings of the sessions that ask how sure readers are of a verdict.

    A rating is −K (sure that the image is real) to −1, 0 (unsure), or 1 to K (sure that it is not real), where K is the
    number of answers to the session's question; `steps` has it by session. `cells` are by reader and session.
    """

    steps: Mapping[int, int]
    readers: tuple[str, ...]
    cells: Mapping[tuple[str, int], RatingCounts]
    compared: RatedReadings

    def asks_in(self, *sessions: int) -> bool:
        """Return whether each of the sessions asks for ratings."""
        return all(session in self.steps for session in sessions)


def ranks_of_answers(questions: tuple[Question, ...]) -> dict[str, int]:
    """Return the rank of each answer to the question `confidence`, from 1 (least sure), by the answer's text in JSON.

    Choices are taken in their order, points of a scale from its minimum. Empty if no such question follows both "real"
    and "not real".
    """
    question = next((each for each in questions if each.name == CONFIDENCE.name), None)
    if question is None or not all(question.is_asked_after(each) for each in (Verdict.REAL, Verdict.NOT_REAL)):
        return {}
    if question.kind == QuestionKind.CHOICE:
        return {choice.value: rank for rank, choice in enumerate(question.choices, start=1)}
    if question.kind == QuestionKind.SCALE and question.minimum is not None and question.maximum is not None:
        points = range(int(question.minimum), int(question.maximum) + 1)
        return {str(point): rank for rank, point in enumerate(points, start=1)}
    return {}
