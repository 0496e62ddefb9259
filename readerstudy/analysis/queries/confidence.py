"""Verdicts with how sure readers were of them, joined with the truth and counted in the database.

Only `queries.study` calls this, after it has checked that the study is unsealed.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from readerstudy.analysis.queries.exclusions import IS_INCLUDED
from readerstudy.analysis.queries.withdrawals import IS_KEPT, keeps_withdrawn
from readerstudy.analysis.record.codes import reader_sort_key
from readerstudy.analysis.record.confidence import (
    ConfidenceRatings,
    RatedReadings,
    RatingCounts,
    ranks_of_answers,
)
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.questions import CONFIDENCE
from readerstudy.protocol.sessions import Verdict
from readerstudy.reading.models import Reading
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, SessionPlan, Study
from readerstudy.truth.queries import truth_of_stimuli
from readerstudy.truth.terms import Authenticity

# To be completed by `truth_of_stimuli`. The ranks of the answers are by session.
_RATED: Final = f"""
FROM (
    SELECT enrollment.code, plan.number, truth.case_id, (truth.authenticity = %(adversarial)s)::int AS is_adversarial,
           CASE WHEN reading.verdict = %(unsure)s THEN 0
                ELSE (CASE reading.verdict WHEN %(real)s THEN -1 ELSE 1 END)
                     * (%(ranks)s::jsonb -> plan.number::text ->> (reading.answers ->> %(question)s))::int
           END AS rating
    FROM {ReadingList._meta.db_table} list
    JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = list.enrollment_id
    JOIN {SessionPlan._meta.db_table} plan ON plan.id = list.session_plan_id
    JOIN {Presentation._meta.db_table} presentation ON presentation.reading_list_id = list.id
    JOIN {Reading._meta.db_table} reading ON reading.presentation_id = presentation.id
    JOIN {{truth}} truth ON truth.stimulus_id = presentation.stimulus_id
    WHERE enrollment.study_id = %(study)s AND plan.number = ANY(%(sessions)s) AND reading.verdict = ANY(%(verdicts)s)
      AND NOT presentation.is_repeat AND {IS_INCLUDED} AND {IS_KEPT}
) rated
"""
_COUNTED: Final = f"SELECT code, number, is_adversarial, rating, count(*) {_RATED} GROUP BY 1, 2, 3, 4"
_COMPARED: Final = f"""
SELECT array_position(%(readers)s::text[], code::text) - 1, number, case_id, is_adversarial, rating {_RATED}
WHERE number = ANY(%(compared)s) AND rating IS NOT NULL AND code = ANY(%(readers)s)
"""


def confidence_ratings(study: Study, analysis: AnalysisPlan) -> ConfidenceRatings | None:
    """Return the ratings of every session that asks how sure readers are; None if none does, or nothing was read.

    Repeats, excluded images and readers whom the plan leaves out are not there. Raises StillSealed before the
    unsealing.
    """
    plans = SessionPlan.objects.filter(study=study).order_by("number")
    asked = {plan.number: ranks_of_answers(plan.rules.questions) for plan in plans if plan.total}
    ranks = {number: each for number, each in asked.items() if each}
    if not ranks:
        return None
    values: dict[str, Any] = {
        "study": study.pk,
        "keeps_withdrawn": keeps_withdrawn(analysis),
        "adversarial": Authenticity.ADVERSARIAL.value,
        "real": Verdict.REAL.value,
        "unsure": Verdict.UNSURE.value,
        "verdicts": [Verdict.REAL.value, Verdict.NOT_REAL.value, Verdict.UNSURE.value],
        "ranks": json.dumps(ranks),
        "question": CONFIDENCE.name,
        "sessions": list(ranks),
        "compared": [session for session in (analysis.before, analysis.after) if session in ranks],
    }
    steps = {number: len(each) for number, each in ranks.items()}
    with sealed_work(), transaction.atomic():
        truth = truth_of_stimuli(study)
        with connection.cursor() as cursor:
            cursor.execute(_COUNTED.format(truth=truth), values)
            cells = _cells(cursor.fetchall(), steps)
        readers = tuple(sorted({reader for reader, _session in cells}, key=reader_sort_key))
        rows = _rows(_COMPARED.format(truth=truth), {**values, "readers": list(readers)})
    return ConfidenceRatings(steps, readers, cells, _readings(rows)) if cells else None


def _cells(rows: list[tuple[Any, ...]], steps: dict[int, int]) -> dict[tuple[str, int], RatingCounts]:
    counts: dict[tuple[str, int], NDArray[np.int64]] = {}
    unrated: dict[tuple[str, int], int] = defaultdict(int)
    for reader, session, is_adversarial, rating, count in rows:
        cell = (reader, session)
        table = counts.setdefault(cell, np.zeros((2, 2 * steps[session] + 1), dtype=np.int64))
        if rating is None:
            unrated[cell] += count
        else:
            table[is_adversarial, steps[session] + rating] = count
    ordered = sorted(counts, key=lambda cell: (reader_sort_key(cell[0]), cell[1]))
    return {cell: RatingCounts(counts[cell], unrated[cell]) for cell in ordered}


def _rows(sql: str, values: dict[str, Any]) -> NDArray[np.int64]:
    """Return the rows (n, 5) as numbers; no more than a chunk of them is in memory as Python's objects."""
    with closing(connection.chunked_cursor()) as cursor:
        cursor.execute(sql, values)
        chunks: Iterator[Any] = chain.from_iterable(cursor)
        return np.fromiter(chunks, dtype=np.int64).reshape(-1, 5)


def _readings(rows: NDArray[np.int64]) -> RatedReadings:
    reader, session, case, is_adversarial, rating = rows.T
    return RatedReadings(
        reader.astype(np.int32),
        session.astype(np.int16),
        case.copy(),
        is_adversarial.astype(bool),
        rating.astype(np.int8),
    )
