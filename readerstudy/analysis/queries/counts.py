"""Aggregates of the readings of one study, joined with the truth and computed in the database.

A temporary table holds the join, with a few numbers per reading; every count, sum and quartile is one query over it.
The readings leave the database once more, in binary and list by list, for what depends on their order (sub-groups) and
for the two compared sessions, whose readings are kept.

A case is identified by the key of its truth, not by that of its stimulus. Keys of stimuli are random, so results that
depend on the order of cases (resampling, ties) would differ between two databases that hold the same study.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final, Protocol

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

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
    Sums,
    block_numbers,
    subset_kinds,
)
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.models import Reading
from readerstudy.sealed_work import sealed_work
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, SessionPlan, Study
from readerstudy.truth.queries import truth_of_stimuli
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import Pathology

Row = tuple[Any, ...]
Column = NDArray[Any]
Columns = dict[str, Column]

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

# Columns of a reading, which leaves the database in the order of the reading lists: name, PostgreSQL type, NumPy type.
_FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("enrollment", "int4", np.int32),
    ("session", "int2", np.int16),
    ("position", "int4", np.int32),
    ("case_id", "int8", np.int64),
    ("kind", "int2", np.int8),
    ("verdict", "int2", np.int8),
    ("elapsed_ms", "int4", np.int32),
)
_JUDGED = f"""
COPY (SELECT {", ".join(f"{name}::{kind}" for name, kind, _ in _FIELDS)} FROM evidence
      WHERE kind < {_PAIR} AND verdict <> {VERDICT_SEEN} ORDER BY enrollment, session, position)
TO STDOUT (FORMAT binary)
"""
# A row in PostgreSQL's binary format: the number of fields, then each field preceded by its length. No field is null.
_ROW = np.dtype(
    [("fields", ">i2")]
    + [pair for name, kind, _ in _FIELDS for pair in ((f"{name}_length", ">i4"), (name, f">i{kind[-1]}"))]
)
_KEPT: Final = tuple(name for name, _type, _kind in _FIELDS if name != "enrollment")  # as in ComparedReadings
_HEADER = 19  # bytes
_BUFFER = 1 << 20  # bytes


class _Query(Protocol):
    def __call__(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> Iterator[Row]: ...


def aggregate_readings(study: Study, plan: AnalysisPlan) -> AggregatedReadings:
    """Return all readings of the study, aggregated by the plan's rules."""
    with _evidence(study, plan) as query:
        codes = dict(Enrollment.objects.filter(study=study).values_list("id", "code"))
        verdicts = np.fromiter(chain.from_iterable(query(_VERDICTS)), dtype=np.int32).reshape(-1, 5)
        keys = sorted(np.unique(verdicts[:, 0]).tolist(), key=lambda key: reader_sort_key(codes[key]))
        readers = tuple(codes.pop(key) for key in keys)
        sessions = tuple(np.unique(verdicts[:, 1]).tolist())
        index = _Index({key: reader for reader, key in enumerate(keys)}, sessions)
        rule = Unsure(plan.unsure)
        blocks = _Blocks(index, rule, block_numbers(plan.groups), of_sessions=plan.sd_of == "session")
        compared = _Compared(index, plan.sessions_compared, verdicts)
        _fetch(index, blocks, compared)
        declared = compared.readings()
        return AggregatedReadings(
            readers=readers,
            sessions=sessions,
            verdicts=_verdicts(verdicts, index),
            times=_times(query(_TIMES, {"idle": plan.idle_after_s * 1000 or _NO_IDLE_RULE}), index),
            cases=_cases(query(_CASES), dict(study.arms.values_list("id", "name"))),
            rule=rule,
            blocks=blocks.by_number(),
            compared=declared.of_sessions(plan.before, plan.after) if plan.comparisons else declared,
            session_blocks=blocks.of_sessions_by_number(),
            declared=declared if plan.comparisons else None,
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

        def query(sql: str, parameters: Mapping[str, Any] | None = None, /) -> Iterator[Row]:
            cursor.execute(sql, parameters)
            return iter(cursor)

        # Memory to sort and aggregate ten million rows, for this transaction only.
        cursor.execute("SET LOCAL work_mem = '256MB'")
        # Several processes of the database make the join: it hands on few bytes for the rows that it reads.
        cursor.execute("SET LOCAL parallel_setup_cost = 0")
        cursor.execute("SET LOCAL parallel_tuple_cost = 0")
        cursor.execute(_JOIN.format(truth=truth_of_stimuli(study)), values)
        cursor.execute("ANALYZE evidence")
        yield query
        cursor.execute("DROP TABLE evidence")


def _verdicts(rows: NDArray[np.int32], index: _Index) -> Ints:
    counts = np.zeros((*index.shape, len(KINDS), len(VERDICTS)), dtype=np.int64)
    enrollment, session, kind, verdict, count = rows.T
    reader = [index.readers[key] for key in enrollment.tolist()]
    counts[reader, [index.sessions[number] for number in session.tolist()], kind, verdict] = count
    return counts


def _times(rows: Iterable[Row], index: _Index) -> SessionTimes:
    columns = np.full((8, *index.shape), np.nan)
    for enrollment, session, minutes, idle, active, quartiles, first, last in rows:
        lower, median, upper = (milliseconds / 1000 for milliseconds in quartiles)
        values = (float(minutes), idle, float(active), median, lower, upper, float(first), float(last))
        columns[(slice(None), *index(enrollment, session))] = values
    minutes, idle, *rest = columns
    return SessionTimes(minutes, np.nan_to_num(idle).astype(np.int64), *rest)


def _cases(rows: Iterable[Row], arms: Mapping[int, str]) -> CaseVerdicts:
    counted: dict[tuple[str, int, int, int], Ints] = {}
    for arm, session, case, kind, verdict, count in rows:
        key = (arms[arm], session, case, kind)
        counted.setdefault(key, np.zeros(len(VERDICTS), dtype=np.int64))[verdict] = count
    ordered = sorted(counted)
    columns = list(zip(*ordered, strict=True)) or [(), (), (), ()]
    counts = np.array([counted[key] for key in ordered], dtype=np.int64).reshape(-1, len(VERDICTS))
    session, case, kind = (np.array(column, dtype=np.int64) for column in columns[1:])
    return CaseVerdicts(np.array(columns[0], dtype=str), session, case, kind, counts)


class _Blocks:
    """Sums of sub-groups, added up list by list. Credits are doubled, so that half credits are integers.

    A reading belongs to three sets: those of its subset of one pathology (parts 0 to 3, as kinds), of its authenticity
    (4, 5) and of all readings (6). Readings after the last block count for `hits` only. With `of_sessions`, credits and
    readings of each set are also added up over the blocks of all readings.
    """

    def __init__(self, index: _Index, rule: Unsure, numbers: Sequence[int], *, of_sessions: bool) -> None:
        shape = (*index.shape, ALL_READINGS + 1)
        self._rule, self._unsure = rule, {Unsure.WRONG: 0, Unsure.EXCLUDED: 0, Unsure.HALF: 1}[rule]
        self._readings: Ints = np.zeros(shape, dtype=np.int64)
        self._hits: Floats = np.zeros(shape)
        self._sums: dict[int, Sums] = {groups: np.zeros((*shape, groups), dtype=np.float32) for groups in numbers}
        self._of_sessions: dict[int, tuple[Sums, Ints]] = {
            groups: (np.zeros((*shape, groups), dtype=np.float32), np.zeros((*shape, groups), dtype=np.int64))
            for groups in (numbers if of_sessions else ())
        }

    def add(self, cell: tuple[int, int], kind: Column, verdict: Column) -> None:
        """Add the readings of one reading list, in the order of their positions."""
        if self._rule is Unsure.EXCLUDED:
            kept = verdict != VERDICT_UNSURE
            kind, verdict = kind[kept], verdict[kept]
        is_right = verdict == np.where(kind < 2, VERDICT_REAL, VERDICT_NOT_REAL)
        credit = np.where(verdict == VERDICT_UNSURE, self._unsure, 2 * is_right)
        for part, subset in enumerate(_SUBSET_OF_PART):
            places = np.arange(len(kind)) if part == 6 else np.flatnonzero(_is_in_part(kind, part))
            own = credit[places]
            self._readings[(*cell, subset)] = len(own)
            self._hits[(*cell, subset)] = int(own.sum()) / 2
            for groups, sums in self._sums.items():
                size = len(own) // groups
                if size:
                    sums[(*cell, subset)] = own[: size * groups].reshape(groups, size).sum(axis=1) / 2
            for groups, (sums, sizes) in self._of_sessions.items():
                if len(kind) < groups:
                    continue
                block = places // (len(kind) // groups)
                used = block < groups
                sums[(*cell, subset)] = np.bincount(block[used], weights=own[used], minlength=groups) / 2
                sizes[(*cell, subset)] = np.bincount(block[used], minlength=groups)

    def of_sessions_by_number(self) -> dict[int, SubgroupBlocks]:
        """Return the sums over blocks of whole sessions, by the number of blocks; empty unless asked for."""
        return {
            groups: SubgroupBlocks(self._readings, self._hits, sums, sizes)
            for groups, (sums, sizes) in self._of_sessions.items()
        }

    def by_number(self) -> dict[int, SubgroupBlocks]:
        """Return the sums by the number of blocks."""
        return {groups: SubgroupBlocks(self._readings, self._hits, sums) for groups, sums in self._sums.items()}


def _is_in_part(kind: Column, part: int) -> NDArray[np.bool_]:
    is_in: NDArray[np.bool_] = kind == part if part < 4 else kind // 2 == part - 4
    return is_in


def _subset_of_part() -> tuple[int, ...]:
    """Return the index of the subset of each part: 0 to 3 are kinds, 4 and 5 authenticities, 6 all readings."""
    by_kinds = {subset_kinds(subset): index for index, subset in enumerate(SUBSETS)}
    return (*(by_kinds[(kind,)] for kind in range(4)), by_kinds[(0, 1)], by_kinds[(2, 3)], ALL_READINGS)


_SUBSET_OF_PART = _subset_of_part()


def _fetch(index: _Index, blocks: "_Blocks", compared: "_Compared") -> None:
    """Hand all readings on, list by list; no more than a chunk is in memory."""

    def take(rows: Columns) -> None:
        cell = index(int(rows["enrollment"][0]), int(rows["session"][0]))
        blocks.add(cell, rows["kind"], rows["verdict"])
        compared.add(cell, rows)

    lists = _ReadingLists(take)
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(_JUDGED, lists)
    lists.close()


class _Compared:
    """Collects the readings of the compared sessions. `verdicts` tell how many there are."""

    def __init__(self, index: _Index, sessions: tuple[int, ...], verdicts: NDArray[np.int32]) -> None:
        self._sessions = {index.sessions[number] for number in sessions if number in index.sessions}
        _enrollment, session, kind, verdict, count = verdicts.T
        number = int(count[np.isin(session, sessions) & (kind < _PAIR) & (verdict != VERDICT_SEEN)].sum())
        self._columns: Columns = {"reader": np.empty(number, np.int32)}
        self._columns |= {name: np.empty(number, kind) for name, _type, kind in _FIELDS if name in _KEPT}
        self._filled = 0

    def add(self, cell: tuple[int, int], rows: Columns) -> None:
        """Keep the readings of one reading list if it is of one of the sessions."""
        reader, session = cell
        if session in self._sessions:
            place = slice(self._filled, self._filled + len(rows["session"]))
            self._columns["reader"][place] = reader
            for name in _KEPT:
                self._columns[name][place] = rows[name]
            self._filled = place.stop

    def readings(self) -> ComparedReadings:
        """Return them all."""
        assert self._filled == len(self._columns["reader"]), "the verdicts were counted in the same transaction"
        return ComparedReadings(*self._columns.values())


class _ReadingLists:
    """A file object for PostgreSQL's COPY in binary format that hands on one reading list after the other.

    The rows must be in the order of the lists. No more than a chunk and one list are in memory.
    """

    def __init__(self, take: Callable[[Columns], None]) -> None:
        self._take = take
        self._chunks: list[bytes] = []
        self._size = -_HEADER
        self._begun: Columns = {name: np.empty(0, kind) for name, _type, kind in _FIELDS}

    def write(self, data: bytes) -> int:
        self._chunks.append(data)
        self._size += len(data)
        # PostgreSQL writes row by row; unpacking larger chunks is much faster.
        if self._size > _BUFFER:
            self._unpack()
        return len(data)

    def close(self) -> None:
        """Hand on the last list, after the last write."""
        self._unpack()
        if len(self._begun["session"]):
            self._take(self._begun)

    def _unpack(self) -> None:
        data = b"".join(self._chunks)[-self._size :] if self._size > 0 else b""
        # Bytes that do not fill a row are the start of the next row, or the two bytes of the trailer.
        complete = len(data) // _ROW.itemsize
        rows = np.frombuffer(data, dtype=_ROW, count=complete)
        self._chunks = [data[complete * _ROW.itemsize :]]
        self._size = len(self._chunks[0])
        known = {name: np.concatenate([self._begun[name], rows[name].astype(kind)]) for name, _type, kind in _FIELDS}
        changes = (np.diff(known["enrollment"]) != 0) | (np.diff(known["session"]) != 0)
        start = 0
        for end in (np.flatnonzero(changes) + 1).tolist():
            self._take({name: column[start:end] for name, column in known.items()})
            start = end
        self._begun = {name: column[start:] for name, column in known.items()}
