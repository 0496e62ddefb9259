"""Aggregates of the readings of one study, joined with the truth and computed in the database.

A temporary table holds the join, with a few numbers per reading; every count, sum, quartile and sub-group is one query
over it. Only the readings of the two compared sessions are fetched one by one, in binary.

A case is identified by the key of its truth, not by that of its stimulus. Keys of stimuli are random, so results that
depend on the order of cases (resampling, ties) would differ between two databases that hold the same study.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from django.db import connection, transaction

from readerstudy.analysis.queries.exclusions import IS_INCLUDED
from readerstudy.analysis.queries.withdrawals import IS_KEPT, keeps_withdrawn
from readerstudy.analysis.record.codes import VERDICTS, reader_sort_key
from readerstudy.analysis.record.counts import (
    ALL_READINGS,
    KINDS,
    SUBSETS,
    VERDICT_NOT_REAL,
    VERDICT_REAL,
    VERDICT_SEEN,
    VERDICT_UNSURE,
    AggregatedReadings,
    CaseVerdicts,
    ComparedReadings,
    Floats,
    Ints,
    SessionTimes,
    SubgroupBlocks,
    block_numbers,
    subset_kinds,
)
from readerstudy.reading.models import Reading
from readerstudy.sealed_work import sealed_work
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, SessionPlan, Study
from readerstudy.studies.protocol import SessionKind
from readerstudy.truth.queries import truth_of_stimuli
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import Pathology

Row = tuple[Any, ...]

_PAIR = 4  # the first of the two kinds that show both images side by side
_NO_IDLE_RULE = 2**31 - 1  # milliseconds

# To be completed by `truth_of_stimuli`.
_JOIN = f"""
CREATE TEMPORARY TABLE evidence ON COMMIT DROP AS
SELECT enrollment.id AS enrollment,
       plan.number::smallint AS session,
       presentation.position AS position,
       truth.case_id AS case_id,
       (CASE WHEN plan.kind = %(education)s THEN {_PAIR}
             WHEN truth.authenticity = %(adversarial)s THEN 2 ELSE 0 END
        + CASE WHEN truth.pathology = %(positive)s THEN 0 ELSE 1 END)::smallint AS kind,
       (array_position(%(verdicts)s::varchar[], reading.verdict) - 1)::smallint AS verdict,
       reading.elapsed_ms AS elapsed_ms,
       reading.shown_at AS shown_at,
       reading.answered_at AS answered_at
FROM {ReadingList._meta.db_table} list
JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = list.enrollment_id
JOIN {SessionPlan._meta.db_table} plan ON plan.id = list.session_plan_id
JOIN {Presentation._meta.db_table} presentation ON presentation.reading_list_id = list.id
JOIN {Reading._meta.db_table} reading ON reading.presentation_id = presentation.id
JOIN {{truth}} truth ON truth.stimulus_id = presentation.stimulus_id
WHERE enrollment.study_id = %(study)s AND NOT presentation.is_repeat AND {IS_INCLUDED} AND {IS_KEPT}
"""

_VERDICTS = "SELECT enrollment, session, kind, verdict, count(*) FROM evidence GROUP BY 1, 2, 3, 4"

_TIMES = """
SELECT enrollment, session,
       sum(elapsed_ms)::float8 / 60000,
       count(*) FILTER (WHERE elapsed_ms > %(idle)s),
       sum(least(elapsed_ms, %(idle)s))::float8 / 60000,
       percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY least(elapsed_ms, %(idle)s)),
       extract(epoch FROM min(shown_at)), extract(epoch FROM max(answered_at))
FROM evidence GROUP BY 1, 2
"""

_CASES = f"""
SELECT enrollment.arm_id, session, case_id, kind, verdict, count(*)
FROM evidence JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = evidence.enrollment
WHERE kind < {_PAIR} AND verdict <> {VERDICT_SEEN} GROUP BY 1, 2, 3, 4, 5
"""

# Three rows per reading, one for each set that it belongs to: its subset of one pathology (parts 0 to 3, as kinds),
# its authenticity (4, 5) and all readings (6). Credits are doubled, so that half credits are integers.
_RANKED = f"""
CREATE TEMPORARY TABLE ranked ON COMMIT DROP AS
SELECT enrollment, session, part, credit,
       (row_number() OVER (PARTITION BY enrollment, session, part ORDER BY position) - 1)::int AS ordinal,
       count(*) OVER (PARTITION BY enrollment, session, part)::int AS readings
FROM (
    SELECT enrollment, session, position, unnest(ARRAY[kind, 4 + kind / 2, 6])::smallint AS part,
           (CASE WHEN verdict = {VERDICT_UNSURE} THEN %(unsure)s
                 WHEN verdict = CASE WHEN kind < 2 THEN {VERDICT_REAL} ELSE {VERDICT_NOT_REAL} END THEN 2
                 ELSE 0 END)::smallint AS credit
    FROM evidence
    WHERE kind < {_PAIR} AND verdict <> {VERDICT_SEEN} AND (%(keeps)s OR verdict <> {VERDICT_UNSURE})
) credited
"""

_BLOCKS = """
SELECT enrollment, session, part, readings, ordinal / greatest(readings / %(groups)s, 1), sum(credit)
FROM ranked GROUP BY 1, 2, 3, 4, 5
"""

# Columns that are fetched per reading: name, PostgreSQL type, NumPy type.
_FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("enrollment", "int4", np.int32),
    ("session", "int2", np.int16),
    ("position", "int4", np.int32),
    ("case_id", "int8", np.int64),
    ("kind", "int2", np.int8),
    ("verdict", "int2", np.int8),
    ("elapsed_ms", "int4", np.int32),
)
_COMPARED = f"""
COPY (SELECT {", ".join(f"{name}::{kind}" for name, kind, _ in _FIELDS)} FROM evidence
      WHERE kind < {_PAIR} AND verdict <> {VERDICT_SEEN} AND session IN (%d, %d)) TO STDOUT (FORMAT binary)
"""
# A row in PostgreSQL's binary format: the number of fields, then each field preceded by its length. No field is null.
_ROW = np.dtype(
    [("fields", ">i2")]
    + [pair for name, kind, _ in _FIELDS for pair in ((f"{name}_length", ">i4"), (name, f">i{kind[-1]}"))]
)
_HEADER = 19  # bytes
_BUFFER = 1 << 20  # bytes


class _Query(Protocol):
    def __call__(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[Row]: ...


def aggregate_readings(study: Study, plan: AnalysisPlan) -> AggregatedReadings:
    """Return all readings of the study, aggregated by the plan's rules."""
    with _evidence(study, plan) as query:
        codes = dict(Enrollment.objects.filter(study=study).values_list("id", "code"))
        verdicts = query(_VERDICTS)
        readers = tuple(sorted({codes[row[0]] for row in verdicts}, key=reader_sort_key))
        sessions = tuple(sorted({row[1] for row in verdicts}))
        index = _Index({key: readers.index(code) for key, code in codes.items() if code in readers}, sessions)
        rule = Unsure(plan.unsure)
        return AggregatedReadings(
            readers=readers,
            sessions=sessions,
            verdicts=_verdicts(verdicts, index),
            times=_times(query(_TIMES, {"idle": plan.idle_after_s * 1000 or _NO_IDLE_RULE}), index),
            cases=_cases(query(_CASES), dict(study.arms.values_list("id", "name"))),
            rule=rule,
            blocks=_blocks(query, index, rule, block_numbers(plan.groups)),
            compared=_compared(index, (plan.before, plan.after)),
        )


class _Index:
    """Indices of readers (by enrollment key) and sessions (by number) in the arrays."""

    def __init__(self, readers: Mapping[int, int], sessions: Sequence[int]) -> None:
        self.readers, self.sessions = readers, {session: index for index, session in enumerate(sessions)}
        self.shape = (len(readers), len(sessions))

    def __call__(self, enrollment: int, session: int) -> tuple[int, int]:
        return self.readers[enrollment], self.sessions[session]


@contextmanager
def _evidence(study: Study, plan: AnalysisPlan) -> Iterator[_Query]:
    """Create the temporary table `evidence` for the block, and give a function that runs queries over it."""
    values: dict[str, Any] = {
        "study": study.pk,
        "keeps_withdrawn": keeps_withdrawn(plan),
        "education": SessionKind.EDUCATION.value,
        "adversarial": Authenticity.ADVERSARIAL.value,
        "positive": Pathology.POSITIVE.value,
        "verdicts": list(VERDICTS),
    }
    with sealed_work(), transaction.atomic(), connection.cursor() as cursor:

        def query(sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[Row]:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall()) if cursor.description else []

        # Memory to sort and aggregate ten million rows, for this transaction only.
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute(_JOIN.format(truth=truth_of_stimuli(study)), values)
        cursor.execute("ANALYZE evidence")
        yield query
        cursor.execute("DROP TABLE evidence")


def _verdicts(rows: Sequence[Row], index: _Index) -> Ints:
    counts = np.zeros((*index.shape, len(KINDS), len(VERDICTS)), dtype=np.int64)
    for enrollment, session, kind, verdict, count in rows:
        counts[(*index(enrollment, session), kind, verdict)] = count
    return counts


def _times(rows: Sequence[Row], index: _Index) -> SessionTimes:
    columns = np.full((8, *index.shape), np.nan)
    for enrollment, session, minutes, idle, active, quartiles, first, last in rows:
        lower, median, upper = (milliseconds / 1000 for milliseconds in quartiles)
        values = (float(minutes), idle, float(active), median, lower, upper, float(first), float(last))
        columns[(slice(None), *index(enrollment, session))] = values
    minutes, idle, *rest = columns
    return SessionTimes(minutes, np.nan_to_num(idle).astype(np.int64), *rest)


def _cases(rows: Sequence[Row], arms: Mapping[int, str]) -> CaseVerdicts:
    counted: dict[tuple[str, int, int, int], Ints] = {}
    for arm, session, case, kind, verdict, count in rows:
        key = (arms[arm], session, case, kind)
        counted.setdefault(key, np.zeros(len(VERDICTS), dtype=np.int64))[verdict] = count
    ordered = sorted(counted)
    columns = list(zip(*ordered, strict=True)) or [(), (), (), ()]
    counts = np.array([counted[key] for key in ordered], dtype=np.int64).reshape(-1, len(VERDICTS))
    session, case, kind = (np.array(column, dtype=np.int64) for column in columns[1:])
    return CaseVerdicts(np.array(columns[0], dtype=str), session, case, kind, counts)


def _blocks(query: _Query, index: _Index, rule: Unsure, numbers: Sequence[int]) -> dict[int, SubgroupBlocks]:
    unsure = {Unsure.WRONG: 0, Unsure.EXCLUDED: 0, Unsure.HALF: 1}[rule]
    query(_RANKED, {"unsure": unsure, "keeps": rule is not Unsure.EXCLUDED})
    blocks = {groups: _block_sums(query(_BLOCKS, {"groups": groups}), index, groups) for groups in numbers}
    query("DROP TABLE ranked")
    return blocks


def _block_sums(rows: Sequence[Row], index: _Index, groups: int) -> SubgroupBlocks:
    """Return sums by block. Readings after the last block count for `hits` only."""
    shape = (*index.shape, ALL_READINGS + 1)
    readings: Ints = np.zeros(shape, dtype=np.int64)
    hits: Floats = np.zeros(shape)
    sums: Floats = np.zeros((*shape, groups))
    for enrollment, session, part, count, block, credit in rows:
        cell = (*index(enrollment, session), _SUBSET_OF_PART[part])
        readings[cell] = count
        hits[cell] += int(credit) / 2
        if block < groups <= count:
            sums[(*cell, block)] = int(credit) / 2
    return SubgroupBlocks(readings, hits, sums)


def _subset_of_part() -> tuple[int, ...]:
    """Return the index of the subset of each part: 0 to 3 are kinds, 4 and 5 authenticities, 6 all readings."""
    by_kinds = {subset_kinds(subset): index for index, subset in enumerate(SUBSETS)}
    return (*(by_kinds[(kind,)] for kind in range(4)), by_kinds[(0, 1)], by_kinds[(2, 3)], ALL_READINGS)


_SUBSET_OF_PART = _subset_of_part()


def _compared(index: _Index, sessions: tuple[int, int]) -> ComparedReadings:
    reader_of_enrollment = np.full(max(index.readers, default=0) + 1, -1, dtype=np.int32)
    for enrollment, reader in index.readers.items():
        reader_of_enrollment[enrollment] = reader
    buffer = _BinaryRows()
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(_COMPARED % sessions, buffer)
    columns = buffer.columns()
    readers = reader_of_enrollment[columns["enrollment"]]
    return ComparedReadings(readers, *(columns[name] for name, _type, _kind in _FIELDS[1:]))


class _BinaryRows:
    """A file object for PostgreSQL's COPY in binary format that unpacks rows in chunks."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._size = -_HEADER
        self._parts: dict[str, list[Any]] = {name: [] for name, _type, _kind in _FIELDS}

    def write(self, data: bytes) -> int:
        self._chunks.append(data)
        self._size += len(data)
        # PostgreSQL writes row by row; unpacking larger chunks is much faster.
        if self._size > _BUFFER:
            self._unpack()
        return len(data)

    def columns(self) -> Mapping[str, Any]:
        """Return the columns, (rows,) each, after the last write."""
        self._unpack()
        return {name: np.concatenate([np.empty(0, kind), *self._parts[name]]) for name, _type, kind in _FIELDS}

    def _unpack(self) -> None:
        data = b"".join(self._chunks)[-self._size :] if self._size > 0 else b""
        # Bytes that do not fill a row are the start of the next row, or the two bytes of the trailer.
        complete = len(data) // _ROW.itemsize
        rows = np.frombuffer(data, dtype=_ROW, count=complete)
        for name, _type, kind in _FIELDS:
            self._parts[name].append(rows[name].astype(kind))
        self._chunks = [data[complete * _ROW.itemsize :]]
        self._size = len(self._chunks[0])
