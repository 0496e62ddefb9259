"""Aggregates of readings in long form, as `analysis.queries.counts` computes them in the database. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

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
from readerstudy.statistics.subgroups import cut_into_subgroups, cut_within_session
from readerstudy.statistics.unsure import Unsure

_PAIR = 4  # the first of the two kinds that show both images side by side
_MS_PER_MINUTE = 60_000
_MS_PER_SECOND = 1000


@dataclass(frozen=True)
class Judged:
    """Readings of the analysis, one element each. `kind` is the index in KINDS, `verdict` that in VERDICTS.

    Times of day are in seconds since 1970.
    """

    reader: NDArray[np.object_]
    session: Ints
    position: Ints
    case: Ints
    kind: Ints
    verdict: Ints
    elapsed_ms: Ints
    shown_at: Floats
    answered_at: Floats


def aggregate(readings: Judged, arms: Mapping[str, str], plan: AnalysisPlan) -> AggregatedReadings:
    """Return all readings, aggregated by the plan's rules; `arms` maps each reader's code to the arm."""
    counting = _Counting(readings)
    rule = Unsure(plan.unsure)
    declared = counting.compared(plan.sessions_compared)
    return AggregatedReadings(
        readers=counting.readers,
        sessions=counting.sessions,
        verdicts=counting.verdicts(),
        times=counting.times(plan.idle_after_s * _MS_PER_SECOND),
        cases=counting.cases(arms),
        rule=rule,
        blocks={groups: counting.blocks(rule, groups) for groups in block_numbers(plan.groups)},
        compared=declared.of_sessions(plan.before, plan.after) if plan.comparisons else declared,
        declared=declared if plan.comparisons else None,
        session_blocks={
            groups: counting.blocks(rule, groups, of_sessions=True)
            for groups in (block_numbers(plan.groups) if plan.sd_of == "session" else ())
        },
    )


class _Counting:
    """Counts readings, in the order of readers, sessions and positions."""

    def __init__(self, readings: Judged) -> None:
        self.readers = tuple(sorted(set(readings.reader.tolist()), key=reader_sort_key))
        self.sessions = tuple(int(number) for number in np.unique(readings.session))
        self.shape = (len(self.readers), len(self.sessions))
        index = {reader: number for number, reader in enumerate(self.readers)}
        reader = np.array([index[code] for code in readings.reader.tolist()], dtype=np.int64)
        self.order = np.lexsort((readings.position, readings.session, reader))
        self.readings = readings
        self.reader = reader[self.order]
        self.number = readings.session[self.order]
        self.session = np.searchsorted(np.array(self.sessions, dtype=np.int64), self.number)
        self.kind = readings.kind[self.order]
        self.verdict = readings.verdict[self.order]
        self.elapsed = readings.elapsed_ms[self.order]

    @cached_property
    def has_verdict(self) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = (self.kind < _PAIR) & (self.verdict != VERDICT_SEEN)
        return mask

    def _sessions(self) -> Iterator[tuple[tuple[int, int], NDArray[np.int64]]]:
        """Yield the indices of each reader's session with a reading, in reading order."""
        cells = self.reader * max(1, len(self.sessions)) + self.session
        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        for own in np.split(np.arange(cells.size), starts[1:]) if cells.size else []:
            yield (int(self.reader[own[0]]), int(self.session[own[0]])), own

    def verdicts(self) -> Ints:
        counts = np.zeros((*self.shape, len(KINDS), len(VERDICTS)), dtype=np.int64)
        np.add.at(counts, (self.reader, self.session, self.kind, self.verdict), 1)
        return counts

    def times(self, idle_ms: int) -> SessionTimes:
        """Return reading times; 0 ms: no rule for idle readings."""
        columns = np.full((8, *self.shape), np.nan)
        shown, answered = self.readings.shown_at[self.order], self.readings.answered_at[self.order]
        for cell, own in self._sessions():
            elapsed = self.elapsed[own]
            active = np.minimum(elapsed, idle_ms) if idle_ms else elapsed
            columns[(slice(None), *cell)] = (
                int(elapsed.sum()) / _MS_PER_MINUTE,
                np.count_nonzero(elapsed > idle_ms) if idle_ms else 0,
                int(active.sum()) / _MS_PER_MINUTE,
                *(_quantile(np.sort(active), share) / _MS_PER_SECOND for share in (0.5, 0.25, 0.75)),
                shown[own].min(),
                answered[own].max(),
            )
        measured, idle, *rest = columns
        return SessionTimes(measured, np.nan_to_num(idle).astype(np.int64), *rest)

    def cases(self, arms: Mapping[str, str]) -> CaseVerdicts:
        mask = self.has_verdict
        names = sorted(set(arms.values()))
        of_reader = np.array([names.index(arms[reader]) for reader in self.readers], dtype=np.int64)
        rows = np.stack([of_reader[self.reader], self.number, self.readings.case[self.order], self.kind], axis=1)[mask]
        unique, index = np.unique(rows.reshape(-1, 4), axis=0, return_inverse=True)
        counts = np.zeros((len(unique), len(VERDICTS)), dtype=np.int64)
        np.add.at(counts, (index.reshape(-1), self.verdict[mask]), 1)
        by_arm = np.array([names[arm] for arm in unique[:, 0].tolist()], dtype=str)
        return CaseVerdicts(by_arm, unique[:, 1], unique[:, 2], unique[:, 3], counts)

    def blocks(self, rule: Unsure, groups: int, *, of_sessions: bool = False) -> SubgroupBlocks:
        """Return sums by contiguous block: of each subset or, if `of_sessions`, of all readings of the session.

        Readings after the last block count for `hits` only.
        """
        shape = (*self.shape, ALL_READINGS + 1)
        readings: Ints = np.zeros(shape, dtype=np.int64)
        hits: Floats = np.zeros(shape)
        sums: Sums = np.zeros((*shape, groups), dtype=np.float32)
        sizes: Ints = np.zeros((*shape, groups), dtype=np.int64)
        credits = self._credits(rule)
        subsets = [*(subset_kinds(subset) for subset in SUBSETS), tuple(range(_PAIR))]
        for cell, own in self._sessions():
            counted = own[~np.isnan(credits[own])]
            for number, kinds in enumerate(subsets):
                is_member = np.isin(self.kind[counted], kinds)
                earned = credits[counted][is_member]
                cut = (
                    cut_within_session(earned, is_member, groups) if of_sessions else cut_into_subgroups(earned, groups)
                )
                readings[(*cell, number)], hits[(*cell, number)] = cut.readings, cut.hits
                if cut.sums:
                    sums[(*cell, number)] = cut.sums
                if cut.sizes:
                    sizes[(*cell, number)] = cut.sizes
        return SubgroupBlocks(readings, hits, sums, sizes if of_sessions else None)

    def _credits(self, rule: Unsure) -> Floats:
        """Return the credit of each reading; NaN for those that do not count."""
        right = np.where(self.kind < _PAIR // 2, VERDICT_REAL, VERDICT_NOT_REAL)
        credits: Floats = (self.verdict == right).astype(float)
        is_unsure = self.verdict == VERDICT_UNSURE
        credits[is_unsure] = np.nan if rule is Unsure.EXCLUDED else rule.credit
        credits[~self.has_verdict] = np.nan
        return credits

    def compared(self, sessions: tuple[int, ...]) -> ComparedReadings:
        mask = self.has_verdict & np.isin(self.number, sessions)
        return ComparedReadings(
            self.reader[mask].astype(np.int32),
            self.number[mask].astype(np.int16),
            self.readings.position[self.order][mask].astype(np.int32),
            self.readings.case[self.order][mask],
            self.kind[mask].astype(np.int8),
            self.verdict[mask].astype(np.int8),
            self.elapsed[mask].astype(np.int32),
        )


def _quantile(ordered: Ints, share: float) -> float:
    """Return the quantile as PostgreSQL's percentile_cont interpolates it, in the same steps."""
    place = share * (ordered.size - 1)
    low, high = int(ordered[int(np.floor(place))]), int(ordered[int(np.ceil(place))])
    return float(low + (place - np.floor(place)) * (high - low))
