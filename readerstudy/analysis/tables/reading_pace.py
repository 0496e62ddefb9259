"""Table "seconds": seconds per image, sessions side by side."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.counts import AggregatedReadings
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.wording import compared_sessions, session_limit_sentence
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan


@dataclass(frozen=True)
class _Seconds:
    """Seconds per image of one reader in one session; None without readings."""

    median: float | None = None
    lower_quartile: float | None = None
    upper_quartile: float | None = None


def reading_pace_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return median and quartiles of the seconds per image, one row per reader."""
    readings = record.readings
    columns = [Column("reader", _("Reader"))]
    for session in readings.sessions:
        group = _("Session %(session)s") % {"session": session}
        columns += [
            Column(f"session{session}_median", _("median"), Kind.DECIMAL, group),
            Column(f"session{session}_lower_quartile", _("lower quartile"), Kind.DECIMAL, group),
            Column(f"session{session}_upper_quartile", _("upper quartile"), Kind.DECIMAL, group),
        ]
    rows: list[tuple[Cell, ...]] = []
    sentences: list[str] = []
    for reader in readings.readers:
        seconds = {session: _seconds(readings, reader, session) for session in readings.sessions}
        rows.append((reader, *(value for each in seconds.values() for value in astuple(each))))
        before, after = (seconds.get(session, _Seconds()).median for session in (plan.before, plan.after))
        sentences += _sentence(reader, before, after, plan)
    return Table(
        key="seconds",
        title=_("Seconds per image by session"),
        caption=_(
            "The median and the quartiles: the same times as in Table 4, side by side. Sessions differ in their tasks, "
            "so compare only sessions with the same task."
        ),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(*sentences, *([session_limit_sentence(record, plan)] if sentences else [])),
        empty=_("There are no readings yet. Readers start with session 1."),
    )


def _seconds(readings: AggregatedReadings, reader: str, session: int) -> _Seconds:
    times, index = readings.times, readings.index(reader, session)
    median, lower, upper = times.median_seconds[index], times.lower_quartile[index], times.upper_quartile[index]
    return _Seconds() if np.isnan(median) else _Seconds(float(median), float(lower), float(upper))


def _sentence(reader: str, before: float | None, after: float | None, plan: AnalysisPlan) -> Iterator[str]:
    """Yield the later session against the earlier one, if both were read."""
    if before and after is not None:
        sentence = _(
            "%(reader)s takes %(seconds_after)s s per image in session %(after)s and %(seconds_before)s s in session "
            "%(before)s: %(ratio)s times as long."
        )
        yield sentence % {
            "reader": reader,
            "seconds_after": localise(f"{after:.1f}"),
            "seconds_before": localise(f"{before:.1f}"),
            "ratio": localise(f"{after / before:.2f}"),
            **compared_sessions(plan),
        }
