"""Confidence ratings from rows, as `analysis.queries.confidence` counts them in the database. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from readerstudy.analysis.record.codes import ADVERSARIAL, reader_sort_key
from readerstudy.analysis.record.confidence import (
    ConfidenceRatings,
    RatedReadings,
    RatingCounts,
    ranks_of_answers,
)
from readerstudy.bundle.facts import AskedQuestion
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.questions import CONFIDENCE
from readerstudy.protocol.sessions import Verdict

_SIGNS: Final = {Verdict.REAL.value: -1, Verdict.UNSURE.value: 0, Verdict.NOT_REAL.value: 1}


@dataclass(frozen=True)
class AnsweredReading:
    """One analysed reading with its answers by the names of the questions."""

    reader: str
    session: int
    case: int
    authenticity: str
    verdict: str
    answers: Mapping[str, Any]


def confidence_of(
    readings: Iterable[AnsweredReading], questions: Iterable[AskedQuestion], plan: AnalysisPlan
) -> ConfidenceRatings | None:
    """Return the ratings of all readings; None if no session asks for them, or no verdict was given there."""
    asked = {each.session: ranks_of_answers((each.question,)) for each in questions if _asks(each)}
    ranks = {session: each for session, each in asked.items() if each}
    rated = [
        (each, _rating(each, ranks[each.session]))
        for each in readings
        if each.session in ranks and each.verdict in _SIGNS
    ]
    if not rated:
        return None
    steps = {session: len(each) for session, each in ranks.items()}
    cells: dict[tuple[str, int], list[tuple[int, int | None]]] = {(each.reader, each.session): [] for each, _ in rated}
    for each, rating in rated:
        cells[each.reader, each.session].append((int(each.authenticity == ADVERSARIAL), rating))
    ordered = sorted(cells, key=lambda cell: (reader_sort_key(cell[0]), cell[1]))
    readers = tuple(dict.fromkeys(reader for reader, _session in ordered))
    compared = [(each, rating) for each, rating in rated if each.session in (plan.before, plan.after)]
    return ConfidenceRatings(
        steps,
        readers,
        {cell: _counts(cells[cell], steps[cell[1]]) for cell in ordered},
        _compared([(each, rating) for each, rating in compared if rating is not None], readers),
    )


def _asks(each: AskedQuestion) -> bool:
    return each.question.name == CONFIDENCE.name and not each.is_closing


def _rating(each: AnsweredReading, ranks: Mapping[str, int]) -> int | None:
    """Return the rating; None without an answer that has a rank. "Unsure" needs none."""
    sign = _SIGNS[each.verdict]
    rank = ranks.get(str(each.answers.get(CONFIDENCE.name)))
    return 0 if sign == 0 else None if rank is None else sign * rank


def _counts(rated: list[tuple[int, int | None]], steps: int) -> RatingCounts:
    counts = np.zeros((2, 2 * steps + 1), dtype=np.int64)
    for is_adversarial, rating in rated:
        if rating is not None:
            counts[is_adversarial, steps + rating] += 1
    return RatingCounts(counts, sum(rating is None for _, rating in rated))


def _compared(rated: list[tuple[AnsweredReading, int | None]], readers: tuple[str, ...]) -> RatedReadings:
    index = {reader: number for number, reader in enumerate(readers)}
    return RatedReadings(
        np.array([index[each.reader] for each, _ in rated], dtype=np.int32),
        np.array([each.session for each, _ in rated], dtype=np.int16),
        np.array([each.case for each, _ in rated], dtype=np.int64),
        np.array([each.authenticity == ADVERSARIAL for each, _ in rated], dtype=bool),
        np.array([rating for _, rating in rated], dtype=np.int8),
    )
