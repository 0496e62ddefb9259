"""Figure "times-figure": seconds per image by session and reader."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from readerstudy.analysis.figures.reader_style import (
    CROWD,
    INK,
    MOST_INDIVIDUAL,
    Floats,
    Styles,
    add_legend,
    draw_thin_lines,
    format_number,
    reader_styles,
    spread_offset,
    spread_text,
    style_axis,
)
from readerstudy.analysis.record.counts import AggregatedReadings
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.picture import Picture, drawing, picture
from readerstudy.protocol.analysis_plan import AnalysisPlan

_LOG_RATIO = 20.0  # of the longest to the shortest quartile, above which the axis is logarithmic
_BAND = 0.7  # of the distance between sessions, for the readers of one session
_LOWER, _MEDIAN, _UPPER = range(3)


def times_figure(record: StudyRecord, plan: AnalysisPlan) -> Picture | None:
    """Return each reader's median and quartiles by session, under the plan's idle rule; None without readings."""
    readings = record.readings
    seconds = _seconds(readings)
    if not np.isfinite(seconds).any():
        return None
    with drawing():
        return picture(
            _draw(readings, seconds, reader_styles(record)),
            key="times-figure",
            title=_("Seconds per image, by session and reader"),
            description=" ".join(_descriptions(readings, seconds)),
            caption=_caption(len(readings.readers), plan, is_log=_is_log(seconds)),
        )


def _seconds(readings: AggregatedReadings) -> Floats:
    """Return lower quartile, median and upper quartile, (3, readers, sessions); NaN without readings."""
    times = readings.times
    return np.stack([times.lower_quartile, times.median_seconds, times.upper_quartile])


def _caption(readers: int, plan: AnalysisPlan, *, is_log: bool) -> str:
    sentences = [
        _("A mark is a reader’s median; the bar spans the quartiles."),
        _("Sessions differ in their tasks, so compare only sessions with the same task."),
    ]
    if readers > MOST_INDIVIDUAL:
        sentences.append(_("Within a session, readers are ordered by their medians."))
    if is_log:
        sentences.append(_("The axis is logarithmic: equal distances are equal ratios."))
    if plan.idle_after_s:
        sentence = _("By the idle rule, at most %(seconds)s s count per image.")
        sentences.append(sentence % {"seconds": plan.idle_after_s})
    return " ".join(sentences)


def _is_log(seconds: Floats) -> bool:
    low, high = np.nanmin(seconds), np.nanmax(seconds)
    return bool(low > 0 and high / low > _LOG_RATIO)


def _draw(readings: AggregatedReadings, seconds: Floats, styles: Styles) -> Figure:
    figure = Figure(figsize=(8.4, 4.0), layout="constrained")
    axis: Any = figure.subplots()
    is_crowd = len(readings.readers) > MOST_INDIVIDUAL
    handles = _draw_crowd(axis, seconds) if is_crowd else _draw_individuals(axis, readings.readers, seconds, styles)
    axis.set_xticks(range(len(readings.sessions)), [str(session) for session in readings.sessions])
    axis.set_xlim(-0.5, len(readings.sessions) - 0.5)
    axis.set_xlabel(_("Session"))
    axis.set_ylabel(_("Seconds per image"))
    style_axis(axis)
    _scale_axis(axis, is_log=_is_log(seconds))
    add_legend(figure, handles, "" if is_crowd else _("Reader"))
    return figure


def _scale_axis(axis: Any, *, is_log: bool) -> None:
    if not is_log:
        axis.set_ylim(bottom=0)
        return
    axis.set_yscale("log")
    # Labels 1, 2, 5, 10 … instead of powers of ten.
    axis.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())


def _draw_individuals(axis: Any, readers: Sequence[str], seconds: Floats, styles: Styles) -> dict[str, Any]:
    handles: dict[str, Any] = {}
    for index, reader in enumerate(readers):
        lower, median, upper = seconds[:, index]
        x = np.arange(len(median)) + spread_offset(index, len(readers), _BAND)
        style = {**styles[reader], "linestyle": "none"}
        error = (median - lower, upper - median)
        handles[reader] = axis.errorbar(x, median, yerr=error, **style, markersize=5, elinewidth=1.3, zorder=3)
    return handles


def _draw_crowd(axis: Any, seconds: Floats) -> dict[str, Any]:
    """Draw in each session grey bars ordered by median, the medians as dots, and the median of the readers."""
    handles: dict[str, Any] = {}
    for index in range(seconds.shape[2]):
        session = seconds[:, :, index]
        session = session[:, ~np.isnan(session[_MEDIAN])]
        if not session.size:
            continue
        session = session[:, np.argsort(session[_MEDIAN], kind="stable")]
        readers = session.shape[1]
        x = index + np.array([spread_offset(reader, readers, _BAND) for reader in range(readers)])
        draw_thin_lines(axis, np.column_stack([x, x]), session[[_LOWER, _UPPER]].T)
        style = {"marker": ".", "markersize": 3, "color": "#5a5a5a", "zorder": 2}
        (handles[_("a reader’s median")],) = axis.plot(x, session[_MEDIAN], linestyle="none", **style)
        median = float(np.median(session[_MEDIAN]))
        (handles[_("median of the readers")],) = axis.plot(
            (index - _BAND / 2, index + _BAND / 2), (median, median), color=INK, linewidth=1.8, zorder=3
        )
    return {_("quartiles"): axis.plot([], [], color=CROWD)[0], **handles}


def _descriptions(readings: AggregatedReadings, seconds: Floats) -> Sequence[str]:
    descriptions = []
    for index, session in enumerate(readings.sessions):
        own = seconds[:, :, index]
        if np.isfinite(own).any():
            head = _("Session %(session)s, seconds per image:") % {"session": session}
            is_crowd = len(readings.readers) > MOST_INDIVIDUAL
            text = _crowd_text(own) if is_crowd else _individual_text(readings.readers, own)
            descriptions.append(f"{head} {text}.")
    return descriptions


def _individual_text(readers: Sequence[str], seconds: Floats) -> str:
    words = _("%(reader)s median %(median)s, quartiles %(lower)s and %(upper)s")
    return "; ".join(
        words
        % {
            "reader": reader,
            "median": format_number(median, 1),
            "lower": format_number(lower, 1),
            "upper": format_number(upper, 1),
        }
        for reader, (lower, median, upper) in zip(readers, seconds.T, strict=True)
        if not np.isnan(median)
    )


def _crowd_text(seconds: Floats) -> str:
    medians = seconds[_MEDIAN]
    words = _("medians of %(count)s readers: %(spread)s")
    return words % {"count": int(np.isfinite(medians).sum()), "spread": spread_text(medians, 1)}
