"""The readings of one study, joined with the truth and added up by the database.

One temporary table holds the join, a few numbers a reading; every count, sum, quartile and sub-group is then one
query over it. Only the verdicts of the two sessions that MRMC compares come out reading by reader, in binary.

A case is named by the key of its truth, not by that of its stimulus. Keys of stimuli are random; results that depend
on the order of cases (resampling, ties) would differ between two databases that hold the same study.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from django.db import connection, transaction

from readerstudy.analysis.record.codes import VERDICTS, by_number
from readerstudy.analysis.record.counts import (
    KINDS,
    SAID_NOT_REAL,
    SAID_REAL,
    SAID_SEEN,
    SAID_UNSURE,
    SUBSETS,
    WHOLE,
    Blocks,
    Cases,
    Floats,
    Ints,
    Matrix,
    Tallies,
    Times,
    group_numbers,
    kinds_of,
)
from readerstudy.cohort.models import Stimulus
from readerstudy.reading.models import Reading
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, SessionPlan, Study
from readerstudy.studies.protocol import SessionKind
from readerstudy.truth.models import Authenticity, ImageTruth, Pathology, Truth

_PAIR = 4  # the first of the two kinds that show both side by side

_JOIN = f"""
CREATE TEMPORARY TABLE evidence ON COMMIT DROP AS
SELECT enrollment.id AS enrollment,
       plan.number::smallint AS session,
       presentation.position AS position,
       truth.id AS case_id,
       (CASE WHEN plan.kind = %(education)s THEN {_PAIR}
             WHEN truth.authenticity = %(adversarial)s THEN 2 ELSE 0 END
        + CASE WHEN pathology.pathology = %(malignant)s THEN 0 ELSE 1 END)::smallint AS kind,
       (array_position(%(verdicts)s::varchar[], reading.verdict) - 1)::smallint AS verdict,
       reading.elapsed_ms AS elapsed_ms,
       reading.shown_at AS shown_at,
       reading.answered_at AS answered_at
FROM {ReadingList._meta.db_table} list
JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = list.enrollment_id
JOIN {SessionPlan._meta.db_table} plan ON plan.id = list.session_plan_id
JOIN {Presentation._meta.db_table} presentation ON presentation.reading_list_id = list.id
JOIN {Reading._meta.db_table} reading ON reading.presentation_id = presentation.id
JOIN {Stimulus._meta.db_table} stimulus ON stimulus.id = presentation.stimulus_id
JOIN {Truth._meta.db_table} truth ON truth.stimulus_id = stimulus.id
JOIN {ImageTruth._meta.db_table} pathology ON pathology.image_id = stimulus.image_id
WHERE enrollment.study_id = %(study)s
"""

_COUNTS = "SELECT enrollment, session, kind, verdict, count(*) FROM evidence GROUP BY 1, 2, 3, 4"

_TIMES = """
SELECT enrollment, session,
       sum(elapsed_ms) / 60000.0,
       count(*) FILTER (WHERE elapsed_ms > %(idle)s),
       sum(least(elapsed_ms, %(idle)s)) / 60000.0,
       percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY least(elapsed_ms, %(idle)s)),
       extract(epoch FROM min(shown_at)), extract(epoch FROM max(answered_at))
FROM evidence GROUP BY 1, 2
"""

_CASES = f"""
SELECT enrollment.arm_id, session, case_id, kind, verdict, count(*)
FROM evidence JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = evidence.enrollment
WHERE kind < {_PAIR} AND verdict <> {SAID_SEEN} GROUP BY 1, 2, 3, 4, 5
"""

# Each reading three times over, once for every set that it belongs to: its sub-set of one pathology (a kind, 0 to 3),
# its authenticity (4, 5) and the whole (6). Twice the credit, so that halves stay whole numbers.
_RANKED = f"""
CREATE TEMPORARY TABLE ranked ON COMMIT DROP AS
SELECT enrollment, session, part, credit,
       (row_number() OVER (PARTITION BY enrollment, session, part ORDER BY position) - 1)::int AS place,
       count(*) OVER (PARTITION BY enrollment, session, part)::int AS readings
FROM (
    SELECT enrollment, session, position, unnest(ARRAY[kind, 4 + kind / 2, 6])::smallint AS part,
           (CASE WHEN verdict = {SAID_UNSURE} THEN %(unsure)s
                 WHEN verdict = CASE WHEN kind < 2 THEN {SAID_REAL} ELSE {SAID_NOT_REAL} END THEN 2
                 ELSE 0 END)::smallint AS credit
    FROM evidence
    WHERE kind < {_PAIR} AND verdict <> {SAID_SEEN} AND (%(keeps)s OR verdict <> {SAID_UNSURE})
) credited
"""

_BLOCKS = """
SELECT enrollment, session, part, readings, place / greatest(readings / %(groups)s, 1), sum(credit)
FROM ranked GROUP BY 1, 2, 3, 4, 5
"""

# What comes out reading by reading: the name, PostgreSQL's type and ours.
_FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("enrollment", "int4", np.int32),
    ("session", "int2", np.int16),
    ("position", "int4", np.int32),
    ("case_id", "int8", np.int64),
    ("kind", "int2", np.int8),
    ("verdict", "int2", np.int8),
    ("elapsed_ms", "int4", np.int32),
)
_MATRIX = f"""
COPY (SELECT {", ".join(f"{name}::{kind}" for name, kind, _ in _FIELDS)} FROM evidence
      WHERE kind < {_PAIR} AND verdict <> {SAID_SEEN} AND session IN (%d, %d)) TO STDOUT (FORMAT binary)
"""
# PostgreSQL's binary rows: the number of fields, then before each field its length; nothing here may be null.
_ROW = np.dtype(
    [("fields", ">i2")]
    + [pair for name, kind, _ in _FIELDS for pair in ((f"{name}_length", ">i4"), (name, f">i{kind[-1]}"))]
)
_HEADER = 19


def study_tallies(study: Study, plan: AnalysisPlan) -> Tallies:
    """Everything that a report adds up, in a few queries."""
    with _evidence(study) as run:
        enrolled = dict(Enrollment.objects.filter(study=study).values_list("id", "code"))
        counted = run(_COUNTS)
        readers = tuple(sorted({enrolled[row[0]] for row in counted}, key=by_number))
        sessions = tuple(sorted({row[1] for row in counted}))
        places = _Places({key: readers.index(code) for key, code in enrolled.items() if code in readers}, sessions)
        rule = Unsure(plan.unsure)
        idle = plan.idle_after_s * 1000 or 2**31 - 1
        return Tallies(
            readers=readers,
            sessions=sessions,
            counts=_counts(counted, places),
            times=_times(run(_TIMES, {"idle": idle}), places),
            cases=_cases(run(_CASES), dict(study.arms.values_list("id", "name"))),
            rule=rule,
            blocks=_blocks(run, places, rule, group_numbers(plan.groups)),
            matrix=_matrix(places, (plan.before, plan.after)),
        )


class _Places:
    """Where a reader's enrollment and a session's number stand in the arrays."""

    def __init__(self, readers: Mapping[int, int], sessions: Sequence[int]) -> None:
        self.readers, self.sessions = readers, {session: place for place, session in enumerate(sessions)}
        self.shape = (len(readers), len(sessions))

    def of(self, enrollment: int, session: int) -> tuple[int, int]:
        return self.readers[enrollment], self.sessions[session]


@contextmanager
def _evidence(study: Study) -> Iterator[Any]:
    """The temporary table, and a function that gives the rows of a query; both end with the block."""
    values: dict[str, Any] = {
        "study": study.pk,
        "education": SessionKind.EDUCATION.value,
        "adversarial": Authenticity.ADVERSARIAL.value,
        "malignant": Pathology.MALIGNANT.value,
        "verdicts": list(VERDICTS),
    }
    with transaction.atomic(), connection.cursor() as cursor:

        def run(query: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
            cursor.execute(query, parameters)
            return list(cursor.fetchall()) if cursor.description else []

        # Sorting and adding up ten million rows in memory, for this transaction alone.
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute(_JOIN, values)
        cursor.execute("ANALYZE evidence")
        yield run
        cursor.execute("DROP TABLE evidence")


def _counts(rows: Sequence[tuple[Any, ...]], places: _Places) -> Ints:
    counts = np.zeros((*places.shape, len(KINDS), len(VERDICTS)), dtype=np.int64)
    for enrollment, session, kind, verdict, count in rows:
        counts[(*places.of(enrollment, session), kind, verdict)] = count
    return counts


def _times(rows: Sequence[tuple[Any, ...]], places: _Places) -> Times:
    found = np.full((8, *places.shape), np.nan)
    for enrollment, session, minutes, idle, active, quartiles, first, last in rows:
        lower, median, upper = (milliseconds / 1000 for milliseconds in quartiles)
        values = (float(minutes), idle, float(active), median, lower, upper, float(first), float(last))
        found[(slice(None), *places.of(enrollment, session))] = values
    minutes, idle, *rest = found
    return Times(minutes, np.nan_to_num(idle).astype(np.int64), *rest)


def _cases(rows: Sequence[tuple[Any, ...]], arms: Mapping[int, str]) -> Cases:
    counted: dict[tuple[str, int, int, int], Ints] = {}
    for arm, session, case, kind, verdict, count in rows:
        key = (arms[arm], session, case, kind)
        counted.setdefault(key, np.zeros(len(VERDICTS), dtype=np.int64))[verdict] = count
    ordered = sorted(counted)
    columns = list(zip(*ordered, strict=True)) or [(), (), (), ()]
    counts = np.array([counted[key] for key in ordered], dtype=np.int64).reshape(-1, len(VERDICTS))
    session, case, kind = (np.array(one, dtype=np.int64) for one in columns[1:])
    return Cases(np.array(columns[0], dtype=str), session, case, kind, counts)


def _blocks(run: Any, places: _Places, rule: Unsure, numbers: Sequence[int]) -> dict[int, Blocks]:
    unsure = {Unsure.WRONG: 0, Unsure.EXCLUDED: 0, Unsure.HALF: 1}[rule]
    run(_RANKED, {"unsure": unsure, "keeps": rule is not Unsure.EXCLUDED})
    found = {groups: _blocks_of(run(_BLOCKS, {"groups": groups}), places, groups) for groups in numbers}
    run("DROP TABLE ranked")
    return found


def _blocks_of(rows: Sequence[tuple[Any, ...]], places: _Places, groups: int) -> Blocks:
    """Sums by block; what lies behind the last block counts for the hits alone."""
    shape = (*places.shape, WHOLE + 1)
    readings: Ints = np.zeros(shape, dtype=np.int64)
    hits: Floats = np.zeros(shape)
    sums: Floats = np.zeros((*shape, groups))
    for enrollment, session, part, count, block, credit in rows:
        at = (*places.of(enrollment, session), _SUBSET_OF_PART[part])
        readings[at] = count
        hits[at] += int(credit) / 2
        if block < groups <= count:
            sums[(*at, block)] = int(credit) / 2
    return Blocks(readings, hits, sums)


def _subset_of_part() -> tuple[int, ...]:
    """Parts 0 to 3 are kinds, 4 and 5 the two authenticities, 6 the whole: the places of their sub-sets."""
    by_kinds = {kinds_of(subset): place for place, subset in enumerate(SUBSETS)}
    return (*(by_kinds[(kind,)] for kind in range(4)), by_kinds[(0, 1)], by_kinds[(2, 3)], WHOLE)


_SUBSET_OF_PART = _subset_of_part()


def _matrix(places: _Places, sessions: tuple[int, int]) -> Matrix:
    table = np.full(max(places.readers, default=0) + 1, -1, dtype=np.int32)
    for enrollment, place in places.readers.items():
        table[enrollment] = place
    rows = _Rows()
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(_MATRIX % sessions, rows)
    columns = rows.columns()
    return Matrix(table[columns["enrollment"]], *(columns[name] for name, _type, _kind in _FIELDS[1:]))


class _Rows:
    """A file that PostgreSQL writes its binary rows into; they are unpacked as they come."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._size = -_HEADER
        self._parts: dict[str, list[Any]] = {name: [] for name, _type, _kind in _FIELDS}

    def write(self, data: bytes) -> int:
        self._chunks.append(data)
        self._size += len(data)
        # Rows come one by one; unpacked by the megabyte they cost next to nothing.
        if self._size > 1 << 20:
            self._unpack()
        return len(data)

    def columns(self) -> Mapping[str, Any]:
        self._unpack()
        return {name: np.concatenate([np.empty(0, kind), *self._parts[name]]) for name, _type, kind in _FIELDS}

    def _unpack(self) -> None:
        data = b"".join(self._chunks)[-self._size :] if self._size > 0 else b""
        # What does not fill a row is the beginning of the next one, or the two bytes of the end.
        whole = len(data) // _ROW.itemsize
        rows = np.frombuffer(data, dtype=_ROW, count=whole)
        for name, _type, kind in _FIELDS:
            self._parts[name].append(rows[name].astype(kind))
        self._chunks = [data[whole * _ROW.itemsize :]]
        self._size = len(self._chunks[0])
