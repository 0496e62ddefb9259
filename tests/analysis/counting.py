"""Aggregates readings from arrays in long form: the oracle for the database queries, and a source of test records."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from readerstudy.analysis.record.codes import PAIR, SEEN, VERDICTS, Subset, reader_sort_key
from readerstudy.analysis.record.counts import (
    ALL_READINGS,
    KINDS,
    SUBSETS,
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
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.reading_times import reading_times
from readerstudy.statistics.subgroups import cut_into_subgroups, cut_within_session
from readerstudy.statistics.unsure import Unsure
from tests.analysis.long_readings import LongReadings

_MS_PER_SECOND = 1000


def aggregate(readings: LongReadings, arms: Mapping[str, str], plan: AnalysisPlan) -> AggregatedReadings:
    """Aggregate readings; `arms` maps each reader's code to the arm."""
    readers = tuple(sorted(readings.readers, key=reader_sort_key))
    sessions = readings.sessions
    rule = Unsure(plan.unsure)
    coded = _Coded(readings, readers, sessions)
    return AggregatedReadings(
        readers=readers,
        sessions=sessions,
        verdicts=_verdicts(coded),
        times=_times(coded, plan.idle_after_s or None),
        cases=_cases(coded, arms),
        rule=rule,
        blocks={groups: _blocks(coded, rule, groups) for groups in block_numbers(plan.groups)},
        compared=_compared(coded, (plan.before, plan.after)),
        declared=_compared(coded, plan.sessions_compared) if plan.comparisons else None,
        session_blocks={
            groups: _blocks(coded, rule, groups, of_sessions=True)
            for groups in (block_numbers(plan.groups) if plan.sd_of == "session" else ())
        },
    )


class _Coded:
    """Readings with integer codes instead of labels."""

    def __init__(self, readings: LongReadings, readers: tuple[str, ...], sessions: tuple[int, ...]) -> None:
        self.readings, self.readers, self.sessions = readings, readers, sessions
        index = {reader: number for number, reader in enumerate(readers)}
        self.reader = np.array([index[reader] for reader in readings.reader.tolist()], dtype=np.int64)
        self.session = np.searchsorted(np.array(sessions, dtype=np.int64), readings.session)
        pairs = zip(readings.authenticity.tolist(), readings.source_pathology.tolist(), strict=True)
        self.kind = np.array([KINDS.index(pair) for pair in pairs], dtype=np.int64)
        self.verdict = np.array([VERDICTS.index(verdict) for verdict in readings.verdict.tolist()], dtype=np.int64)
        # A case whose name is a number keeps it, so that tests can look it up.
        names, numbers = np.unique(readings.case, return_inverse=True)
        is_number = all(name.isdecimal() for name in names.tolist())
        self.case = readings.case.astype(np.int64) if is_number else numbers.astype(np.int64)

    @property
    def has_verdict(self) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = (self.readings.verdict != SEEN) & (self.readings.authenticity != PAIR)
        return mask


def _verdicts(coded: _Coded) -> Ints:
    counts = np.zeros((len(coded.readers), len(coded.sessions), len(KINDS), len(VERDICTS)), dtype=np.int64)
    np.add.at(counts, (coded.reader, coded.session, coded.kind, coded.verdict), 1)
    return counts


def _times(coded: _Coded, idle_after: float | None) -> SessionTimes:
    shape = (len(coded.readers), len(coded.sessions))
    arrays = {name: np.full(shape, np.nan) for name in SessionTimes.__dataclass_fields__}
    for reader, session in np.ndindex(shape):
        own = coded.readings.select((coded.reader == reader) & (coded.session == session))
        if not len(own):
            continue
        times = reading_times(own.elapsed_ms / _MS_PER_SECOND, idle_after=idle_after)
        values = {
            "measured_minutes": times.minutes,
            "idle_readings": times.idle_readings,
            "active_minutes": times.active_minutes,
            "median_seconds": times.median_seconds,
            "lower_quartile": times.lower_quartile,
            "upper_quartile": times.upper_quartile,
            "first_shown": own.shown_at.min(),
            "last_answered": own.answered_at.max(),
        }
        for name, value in values.items():
            arrays[name][reader, session] = value
    idle = np.nan_to_num(arrays.pop("idle_readings")).astype(np.int64)
    return SessionTimes(idle_readings=idle, **arrays)


def _cases(coded: _Coded, arms: Mapping[str, str]) -> CaseVerdicts:
    mask = coded.has_verdict
    names = sorted(set(arms.values()))
    arm = np.array([names.index(arms[reader]) for reader in coded.readers], dtype=np.int64)[coded.reader]
    rows = np.stack([arm, coded.readings.session, coded.case, coded.kind], axis=1)[mask]
    unique, index = np.unique(rows.reshape(-1, 4), axis=0, return_inverse=True)
    counts = np.zeros((len(unique), len(VERDICTS)), dtype=np.int64)
    np.add.at(counts, (index, coded.verdict[mask]), 1)
    by_arm = np.array(names or [""], dtype=str)[unique[:, 0]]
    return CaseVerdicts(by_arm, unique[:, 1], unique[:, 2], unique[:, 3], counts)


def _blocks(coded: _Coded, rule: Unsure, groups: int, *, of_sessions: bool = False) -> SubgroupBlocks:
    shape = (len(coded.readers), len(coded.sessions), ALL_READINGS + 1)
    readings, hits = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    sums: Floats = np.zeros((*shape, groups))
    sizes: Ints = np.zeros((*shape, groups), dtype=np.int64)
    mask = coded.has_verdict
    credit = np.full(mask.size, np.nan)
    judged = coded.readings.select(mask)
    credit[mask] = rule.credits(judged.verdict, judged.authenticity == "adversarial")
    subsets: tuple[Subset | None, ...] = (*SUBSETS, None)
    for reader, session, subset in np.ndindex(shape):
        own = (coded.reader == reader) & (coded.session == session) & np.isin(coded.kind, subset_kinds(subsets[subset]))
        counted = (coded.reader == reader) & (coded.session == session) & ~np.isnan(credit)
        values = credit[own & counted]
        subgroups = (
            cut_within_session(values, own[counted], groups) if of_sessions else cut_into_subgroups(values, groups)
        )
        readings[reader, session, subset], hits[reader, session, subset] = subgroups.readings, subgroups.hits
        if subgroups.sums:
            sums[reader, session, subset] = subgroups.sums
        if subgroups.sizes:
            sizes[reader, session, subset] = subgroups.sizes
    return SubgroupBlocks(readings, hits, sums, sizes if of_sessions else None)


def _compared(coded: _Coded, sessions: tuple[int, ...]) -> ComparedReadings:
    mask = coded.has_verdict & np.isin(coded.readings.session, sessions)
    return ComparedReadings(
        coded.reader[mask].astype(np.int32),
        coded.readings.session[mask].astype(np.int16),
        coded.readings.position[mask].astype(np.int32),
        coded.case[mask],
        coded.kind[mask].astype(np.int8),
        coded.verdict[mask].astype(np.int8),
        coded.readings.elapsed_ms[mask].astype(np.int32),
    )
