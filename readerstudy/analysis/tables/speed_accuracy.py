"""Table "speed": correct verdicts against the time taken, within each reader and over readers."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import VERDICT_UNSURE, AggregatedReadings
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.wording import compared_sessions, subset_name, unsure_sentence
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.crossed_effects import FixedEffect
from readerstudy.statistics.proportions import Proportion
from readerstudy.statistics.unsure import Unsure
from readerstudy.statistics.within_reader import TimeBin, WithinSlope, conditional_accuracy, within_slope

MOST_READINGS = 1_000_000  # of one kind for all readers together: more would hold the report's memory for too long
SUBSETS = (Subset.REAL, Subset.ADVERSARIAL)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TimedReadings:
    """Readings of one kind in the compared sessions, sorted by reader, session and position; (n,) each.

    `place` is the position in the session, from 0 (first) to 1 (last image); `seconds` are under the plan's idle rule
    and at least a millisecond. Readings that the rule for "unsure" excludes are not there.
    """

    reader: NDArray[np.int32]
    session: NDArray[np.int16]
    place: Floats
    seconds: Floats
    credits: Floats

    def of_readers(self) -> Iterator[tuple[int, "TimedReadings"]]:
        """Yield the readings of every reader with the reader's index."""
        for index in np.unique(self.reader).tolist():
            low, high = np.searchsorted(self.reader, (index, index + 1))
            yield index, self._select(slice(int(low), int(high)))

    def of_session(self, number: int) -> "TimedReadings":
        """Return the readings of one session."""
        return self._select(self.session == number)

    def _select(self, own: slice | NDArray[np.bool_]) -> "TimedReadings":
        return TimedReadings(*(getattr(self, name)[own] for name in self.__dataclass_fields__))


def timed_readings(readings: AggregatedReadings, plan: AnalysisPlan, subset: Subset) -> TimedReadings:
    """Return the readings of one kind of image in the plan's sessions."""
    compared, rule = readings.compared, Unsure(plan.unsure)
    is_kind = compared.is_adversarial == (subset is Subset.ADVERSARIAL)
    if rule is Unsure.EXCLUDED:
        is_kind &= compared.verdict != VERDICT_UNSURE
    own = compared.select(is_kind)
    # One combined key sorts ten million readings much faster than three keys.
    cell = own.reader.astype(np.int64) * (int(own.session.max(initial=0)) + 1) + own.session
    order = np.argsort(cell * (int(own.position.max(initial=0)) + 1) + own.position)
    milliseconds = np.maximum(own.elapsed_ms[order], 1)
    if plan.idle_after_s:
        milliseconds = np.minimum(milliseconds, plan.idle_after_s * 1000)
    credits = np.where(own.verdict == VERDICT_UNSURE, rule.credit, own.is_correct.astype(float))
    place = _places(own.position[order], cell[order])
    return TimedReadings(own.reader[order], own.session[order], place, milliseconds / 1000, credits[order])


def _places(position: NDArray[np.int32], cell: NDArray[np.int64]) -> Floats:
    """Return positions within sorted cells, from 0 (first) to 1 (last); 0 in a cell of one reading."""
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    sizes = np.diff(starts, append=cell.size)
    first, last = position[starts], position[starts + sizes - 1]
    places: Floats = (position - np.repeat(first, sizes)) / np.repeat(np.maximum(last - first, 1), sizes)
    return places


def curve_of(own: TimedReadings) -> tuple[TimeBin, ...]:
    """Return one reader's accuracy in five parts of each session's readings, from fast to slow."""
    return conditional_accuracy(own.credits, own.seconds, own.session)


def speed_accuracy_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return each reader's accuracy of fast and slow readings, and the odds ratio for twice the time."""
    correct = _("Correct among")
    rows = [row for subset in SUBSETS for row in _rows(record.readings, plan, subset)]
    return Table(
        key="speed",
        title=_("Speed against accuracy"),
        caption=_(
            # xgettext: no-python-format
            "Exploratory. Readings of a session are compared with the reader’s other readings of the same kind of "
            "image in that session, so slow readers and slow sessions do not matter. Odds ratio: by what the odds of a "
            "correct verdict are multiplied if an image takes twice as long, with its 95 % interval. Below 1, slow "
            "verdicts are more often wrong. A row of a reader is about similar images; all readers have robust errors "
            "with the readers as clusters and Student’s t, for similar readers."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("images_are", _("Images are")),
            Column("readings", _("Readings"), Kind.COUNT),
            Column("fastest", _("the fastest fifth"), Kind.PERCENT, correct),
            Column("slowest", _("the slowest fifth"), Kind.PERCENT, correct),
            Column("ratio", _("Odds ratio, twice the time"), Kind.ESTIMATE),
            Column("p", "p", Kind.P),
        ),
        rows=tuple(rows),
        notes=(*_notes(plan, has_gaps=any(row[-1] is None for row in rows)), unsure_sentence(Unsure(plan.unsure))),
        empty=_("No reader has verdicts in the compared sessions yet."),
    )


def _rows(readings: AggregatedReadings, plan: AnalysisPlan, subset: Subset) -> Iterator[tuple[Cell, ...]]:
    timed = timed_readings(readings, plan, subset)
    name = subset_name(subset)
    number = 0
    for index, own in timed.of_readers():
        number += 1
        curve = curve_of(own)
        ends: tuple[Proportion | None, ...] = (curve[0].accuracy, curve[-1].accuracy) if curve else (None, None)
        slope = _slope(own.credits, own.seconds, own.session)
        yield (readings.readers[index], name, int(own.credits.size), *ends, *_cells(slope))
    if number > 1:
        stratum = timed.reader.astype(np.int64) * (int(timed.session.max()) + 1) + timed.session
        is_possible = timed.credits.size <= MOST_READINGS
        slope = _slope(timed.credits, timed.seconds, stratum, timed.reader) if is_possible else None
        yield (_("all readers"), name, int(timed.credits.size), None, None, *_cells(slope))


def _slope(
    credits: Floats, seconds: Floats, stratum: NDArray[np.integer], cluster: NDArray[np.integer] | None = None
) -> WithinSlope | None:
    """Return the slope for twice the time; None if there is no finite one."""
    try:
        return within_slope(credits, np.log2(seconds), stratum, cluster=cluster)
    except ValueError:
        return None


def _cells(slope: WithinSlope | None) -> tuple[Cell, ...]:
    return (None, None) if slope is None else (ratio_cell(slope.effect), slope.effect.p)


def ratio_cell(effect: FixedEffect) -> Estimate | float:
    """Return the odds ratio with its interval; without one if a bound is too large to be shown."""
    largest = 700.0  # the exponential of more is not a number
    value = exp(min(effect.estimate, largest))
    return value if max(-effect.low, effect.high) > largest else Estimate(value, exp(effect.low), exp(effect.high))


def _notes(plan: AnalysisPlan, *, has_gaps: bool) -> Iterator[str]:
    sentence = _(
        "Readings of sessions %(before)s and %(after)s. This is no experiment: readers choose how long they look, and "
        "longer for difficult images. A ratio below 1 therefore does not show that looking longer does harm, nor one "
        "above 1 that it helps. If slow verdicts are more often correct for one kind of image and less often for the "
        "other, the tendency to call images real depends on the time, not the discrimination."
    )
    yield sentence % compared_sessions(plan)
    if has_gaps:
        yield _(
            "A dash (—) means that all verdicts of a session are equal in credit or time, that correct and wrong ones "
            "are separated by time, or that there are too few or too many readings."
        )
