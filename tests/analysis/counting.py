"""Adding up readings that are arrays already: simulated ones, and those that the database is tested against."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from readerstudy.analysis.record.codes import PAIR, SEEN, VERDICTS, Subset, by_number
from readerstudy.analysis.record.counts import (
    KINDS,
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
from readerstudy.analysis.record.readings import Readings
from readerstudy.statistics.reading_times import reading_times
from readerstudy.statistics.subgroups import cut_into_subgroups
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan

_MS_PER_SECOND = 1000


def tally(readings: Readings, arms: Mapping[str, str], plan: AnalysisPlan) -> Tallies:
    """Add up readings; `arms` gives each reader's code their arm."""
    readers = tuple(sorted(readings.readers, key=by_number))
    sessions = readings.sessions
    rule = Unsure(plan.unsure)
    coded = _Coded(readings, readers, sessions)
    return Tallies(
        readers=readers,
        sessions=sessions,
        counts=_counts(coded),
        times=_times(coded, plan.idle_after_s or None),
        cases=_cases(coded, arms),
        rule=rule,
        blocks={groups: _blocks(coded, rule, groups) for groups in group_numbers(plan.groups)},
        matrix=_matrix(coded, (plan.before, plan.after)),
    )


class _Coded:
    """Readings with places in place of words."""

    def __init__(self, readings: Readings, readers: tuple[str, ...], sessions: tuple[int, ...]) -> None:
        self.readings, self.readers, self.sessions = readings, readers, sessions
        place = {reader: number for number, reader in enumerate(readers)}
        self.reader = np.array([place[reader] for reader in readings.reader.tolist()], dtype=np.int64)
        self.session = np.searchsorted(np.array(sessions, dtype=np.int64), readings.session)
        pairs = zip(readings.authenticity.tolist(), readings.source_pathology.tolist(), strict=True)
        self.kind = np.array([KINDS.index(pair) for pair in pairs], dtype=np.int64)
        self.verdict = np.array([VERDICTS.index(verdict) for verdict in readings.verdict.tolist()], dtype=np.int64)
        # A case whose name is a number keeps it, so that it can be looked up again.
        names, numbers = np.unique(readings.case, return_inverse=True)
        is_named = all(name.isdecimal() for name in names.tolist())
        self.case = readings.case.astype(np.int64) if is_named else numbers.astype(np.int64)

    @property
    def is_asked(self) -> NDArray[np.bool_]:
        asked: NDArray[np.bool_] = (self.readings.verdict != SEEN) & (self.readings.authenticity != PAIR)
        return asked


def _counts(coded: _Coded) -> Ints:
    counts = np.zeros((len(coded.readers), len(coded.sessions), len(KINDS), len(VERDICTS)), dtype=np.int64)
    np.add.at(counts, (coded.reader, coded.session, coded.kind, coded.verdict), 1)
    return counts


def _times(coded: _Coded, idle_after: float | None) -> Times:
    shape = (len(coded.readers), len(coded.sessions))
    found = {name: np.full(shape, np.nan) for name in Times.__dataclass_fields__}
    for reader, session in np.ndindex(shape):
        own = coded.readings.chosen((coded.reader == reader) & (coded.session == session))
        if not len(own):
            continue
        times = reading_times(own.elapsed_ms / _MS_PER_SECOND, idle_after=idle_after)
        values = {
            "clocked_minutes": times.minutes,
            "idle_readings": times.idle_readings,
            "active_minutes": times.active_minutes,
            "median_seconds": times.median_seconds,
            "lower_quartile": times.lower_quartile,
            "upper_quartile": times.upper_quartile,
            "first_shown": own.shown_at.min(),
            "last_answered": own.answered_at.max(),
        }
        for name, value in values.items():
            found[name][reader, session] = value
    idle = np.nan_to_num(found.pop("idle_readings")).astype(np.int64)
    return Times(idle_readings=idle, **found)


def _cases(coded: _Coded, arms: Mapping[str, str]) -> Cases:
    asked = coded.is_asked
    names = sorted(set(arms.values()))
    arm = np.array([names.index(arms[reader]) for reader in coded.readers], dtype=np.int64)[coded.reader]
    rows = np.stack([arm, coded.readings.session, coded.case, coded.kind], axis=1)[asked]
    unique, place = np.unique(rows.reshape(-1, 4), axis=0, return_inverse=True)
    counts = np.zeros((len(unique), len(VERDICTS)), dtype=np.int64)
    np.add.at(counts, (place, coded.verdict[asked]), 1)
    by_arm = np.array(names or [""], dtype=str)[unique[:, 0]]
    return Cases(by_arm, unique[:, 1], unique[:, 2], unique[:, 3], counts)


def _blocks(coded: _Coded, rule: Unsure, groups: int) -> Blocks:
    shape = (len(coded.readers), len(coded.sessions), WHOLE + 1)
    readings, hits = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    sums: Floats = np.zeros((*shape, groups))
    asked = coded.is_asked
    credit = np.full(asked.size, np.nan)
    chosen = coded.readings.chosen(asked)
    credit[asked] = rule.credits(chosen.verdict, chosen.authenticity == "adversarial")
    subsets: tuple[Subset | None, ...] = (*SUBSETS, None)
    for reader, session, subset in np.ndindex(shape):
        own = (coded.reader == reader) & (coded.session == session) & np.isin(coded.kind, kinds_of(subsets[subset]))
        one = cut_into_subgroups(credit[own & ~np.isnan(credit)], groups)
        readings[reader, session, subset], hits[reader, session, subset] = one.readings, one.hits
        if one.sums:
            sums[reader, session, subset] = one.sums
    return Blocks(readings, hits, sums)


def _matrix(coded: _Coded, sessions: tuple[int, int]) -> Matrix:
    kept = coded.is_asked & np.isin(coded.readings.session, sessions)
    return Matrix(
        coded.reader[kept].astype(np.int32),
        coded.readings.session[kept].astype(np.int16),
        coded.readings.position[kept].astype(np.int32),
        coded.case[kept],
        coded.kind[kept].astype(np.int8),
        coded.verdict[kept].astype(np.int8),
        coded.readings.elapsed_ms[kept].astype(np.int32),
    )
