"""How long readers look at an image: in every session each reader's median and quartiles."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from readerstudy.analysis.figures.readers import (
    CROWD,
    FEW,
    INK,
    Floats,
    draw_threads,
    legend,
    look,
    number,
    side_by_side,
    spread_in_words,
    tidy,
)
from readerstudy.analysis.record.counts import AggregatedReadings
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.picture import Picture, drawing, picture
from readerstudy.studies.analysis_plan import AnalysisPlan

_WIDE = 20.0  # where the longest quartile is so many times the shortest, the axis is logarithmic
_COLUMN = 0.7  # of the way to the next session
_LOWER, _MEDIAN, _UPPER = range(3)


def times_figure(record: StudyRecord, plan: AnalysisPlan) -> Picture | None:
    """Seconds per image by session and reader, under the plan's rule for images left alone; None without readings."""
    readings = record.readings
    seconds = _seconds(readings)
    if not np.isfinite(seconds).any():
        return None
    with drawing():
        return picture(
            _drawn(readings, seconds),
            key="times-figure",
            title=_("Seconds per image, by session and reader"),
            description=" ".join(_described(readings, seconds)),
            caption=_caption(len(readings.readers), plan, is_log=_is_log(seconds)),
        )


def _seconds(readings: AggregatedReadings) -> Floats:
    """(3, readers, sessions): lower quartile, median, upper quartile; NaN where nothing was read."""
    times = readings.times
    return np.stack([times.lower_quartile, times.median_seconds, times.upper_quartile])


def _caption(readers: int, plan: AnalysisPlan, *, is_log: bool) -> str:
    parts = [
        _("A mark is a reader’s median, the bar spans the quartiles: half of the images took a time within it."),
        _("Sessions differ in what they ask, so compare those that ask for the same."),
    ]
    if readers > FEW:
        parts.append(_("Within a session the readers stand in the order of their medians."))
    if is_log:
        parts.append(_("The axis is logarithmic: equal steps are equal ratios."))
    if plan.idle_after_s:
        sentence = _("An image on screen for more than %(seconds)s s counts as left alone after so long.")
        parts.append(sentence % {"seconds": plan.idle_after_s})
    return " ".join(parts)


def _is_log(seconds: Floats) -> bool:
    low, high = np.nanmin(seconds), np.nanmax(seconds)
    return bool(low > 0 and high / low > _WIDE)


def _drawn(readings: AggregatedReadings, seconds: Floats) -> Figure:
    figure = Figure(figsize=(8.4, 4.0), layout="constrained")
    axis: Any = figure.subplots()
    handles = _draw_many(axis, seconds) if len(readings.readers) > FEW else _draw_few(axis, readings.readers, seconds)
    axis.set_xticks(range(len(readings.sessions)), [str(session) for session in readings.sessions])
    axis.set_xlim(-0.5, len(readings.sessions) - 0.5)
    axis.set_xlabel(_("Session"))
    axis.set_ylabel(_("Seconds per image"))
    tidy(axis)
    _scale(axis, is_log=_is_log(seconds))
    legend(figure, handles, _("Reader") if len(readings.readers) <= FEW else "")
    return figure


def _scale(axis: Any, *, is_log: bool) -> None:
    if not is_log:
        axis.set_ylim(bottom=0)
        return
    axis.set_yscale("log")
    # 1, 2, 5, 10 … in plain numbers: nobody reads seconds as powers of ten.
    axis.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())


def _draw_few(axis: Any, readers: Sequence[str], seconds: Floats) -> dict[str, Any]:
    handles: dict[str, Any] = {}
    for place, reader in enumerate(readers):
        lower, median, upper = seconds[:, place]
        at = np.arange(len(median)) + side_by_side(place, len(readers), _COLUMN)
        style = {**look(place), "linestyle": "none"}
        error = (median - lower, upper - median)
        handles[reader] = axis.errorbar(at, median, yerr=error, **style, markersize=5, elinewidth=1.3, zorder=3)
    return handles


def _draw_many(axis: Any, seconds: Floats) -> dict[str, Any]:
    """In each session a column of grey bars in the order of the medians, the medians as dots, theirs as a line."""
    handles: dict[str, Any] = {}
    for place in range(seconds.shape[2]):
        own = seconds[:, :, place]
        own = own[:, ~np.isnan(own[_MEDIAN])]
        if not own.size:
            continue
        own = own[:, np.argsort(own[_MEDIAN], kind="stable")]
        at = place + np.array([side_by_side(one, own.shape[1], _COLUMN) for one in range(own.shape[1])])
        draw_threads(axis, np.column_stack([at, at]), own[[_LOWER, _UPPER]].T)
        style = {"marker": ".", "markersize": 3, "color": "#5a5a5a", "zorder": 2}
        (handles[_("a reader’s median")],) = axis.plot(at, own[_MEDIAN], linestyle="none", **style)
        middle = float(np.median(own[_MEDIAN]))
        (handles[_("median of the readers")],) = axis.plot(
            (place - _COLUMN / 2, place + _COLUMN / 2), (middle, middle), color=INK, linewidth=1.8, zorder=3
        )
    return {_("quartiles"): axis.plot([], [], color=CROWD)[0], **handles}


def _described(readings: AggregatedReadings, seconds: Floats) -> Sequence[str]:
    parts = []
    for place, session in enumerate(readings.sessions):
        own = seconds[:, :, place]
        if np.isfinite(own).any():
            head = _("Session %(session)s, seconds per image:") % {"session": session}
            many = len(readings.readers) > FEW
            parts.append(f"{head} {_crowd_in_words(own) if many else _each_in_words(readings.readers, own)}.")
    return parts


def _each_in_words(readers: Sequence[str], own: Floats) -> str:
    words = _("%(reader)s median %(median)s, quartiles %(lower)s and %(upper)s")
    return "; ".join(
        words % {"reader": reader, "median": number(median, 1), "lower": number(lower, 1), "upper": number(upper, 1)}
        for reader, (lower, median, upper) in zip(readers, own.T, strict=True)
        if not np.isnan(median)
    )


def _crowd_in_words(own: Floats) -> str:
    words = _("medians of %(count)s readers: %(spread)s")
    return words % {"count": int(np.isfinite(own[_MEDIAN]).sum()), "spread": spread_in_words(own[_MEDIAN], 1)}
