"""Figure "speed-figure": accuracy against reading time, from each reader's fastest to slowest verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from readerstudy.analysis.figures.reader_style import (
    INK,
    MOST_INDIVIDUAL,
    QUIET,
    Floats,
    Styles,
    add_legend,
    draw_thin_lines,
    format_number,
    reader_mean,
    reader_styles,
    spread_text,
    style_axis,
)
from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.speed_accuracy import SUBSETS, curve_of, timed_readings
from readerstudy.analysis.wording import compared_sessions, unsure_sentence
from readerstudy.layout.picture import Picture, drawing, picture
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.unsure import Unsure

# By kind of image and reader: seconds and shares correct, (2, parts).
Curves = Mapping[Subset, Mapping[str, Floats]]


def speed_figure(record: StudyRecord, plan: AnalysisPlan) -> Picture | None:
    """Return conditional accuracy curves; None if no reader has five verdicts on images of one kind in a session."""
    curves = {subset: dict(_curves(record, plan, subset)) for subset in SUBSETS}
    if not any(curves.values()):
        return None
    readers = list(dict.fromkeys(reader for panel in curves.values() for reader in panel))
    caption = _(
        "The verdicts of each reader in sessions %(before)s and %(after)s, divided within the session into five equal "
        "parts from fast to slow; each point is at the median time of its part. A rising line: slow verdicts are more "
        "often correct. Readers look longer at difficult images, so a falling line does not show that looking longer "
        "does harm."
    )
    lines = _("Thin: the readers. Thick: their mean.") if len(readers) > 1 else ""
    sentences = (caption % compared_sessions(plan), lines, unsure_sentence(Unsure(plan.unsure)))
    with drawing():
        return picture(
            _draw(curves, readers, reader_styles(record)),
            key="speed-figure",
            title=_("Correct verdicts against the time taken"),
            description=" ".join(_descriptions(curves)),
            caption=" ".join(filter(None, sentences)),
        )


def _curves(record: StudyRecord, plan: AnalysisPlan, subset: Subset) -> Iterator[tuple[str, Floats]]:
    for index, own in timed_readings(record.readings, plan, subset).of_readers():
        curve = curve_of(own)
        if curve:
            shares = [part.accuracy.share for part in curve]
            yield record.readings.readers[index], np.array([[part.seconds for part in curve], shares], dtype=float)


def _draw(curves: Curves, readers: Sequence[str], styles: Styles) -> Figure:
    figure = Figure(figsize=(9.2, 3.9), layout="constrained")
    axes = figure.subplots(1, len(SUBSETS), sharex=True, sharey=True)
    handles: dict[str, Any] = {}
    for axis, subset, name in zip(axes, SUBSETS, _names(), strict=True):
        handles |= _draw_panel(axis, curves[subset], readers, styles)
        axis.set_title(name, fontsize=10, loc="left")
        axis.set_xlabel(_("Seconds per image"))
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        style_axis(axis)
    axes[0].set_ylabel(_("Share correct"))
    axes[0].set_ylim(-0.03, 1.03)
    add_legend(figure, {name: handles[name] for name in (*readers, _mean()) if name in handles})
    return figure


def _draw_panel(axis: Any, curves: Mapping[str, Floats], readers: Sequence[str], styles: Styles) -> dict[str, Any]:
    if not curves:
        words = _("fewer than five\nreadings")
        axis.text(0.5, 0.5, words, color=QUIET, fontsize=8, ha="center", va="center", transform=axis.transAxes)
        return {}
    table = np.array(list(curves.values()))
    handles: dict[str, Any] = {}
    if len(readers) > MOST_INDIVIDUAL:
        draw_thin_lines(axis, table[:, 0], table[:, 1])
    else:
        for reader, (seconds, shares) in curves.items():
            style = {**styles[reader], "markersize": 4}
            (handles[reader],) = axis.plot(seconds, shares, **style, linewidth=1.0, alpha=0.65)
    if len(curves) > 1:
        mean = reader_mean(table)
        (handles[_mean()],) = axis.plot(np.exp(reader_mean(np.log(table[:, 0]))), mean[1], color=INK, linewidth=2.4)
    return handles


def _mean() -> str:
    return _("mean")


def _names() -> tuple[str, str]:
    return _("Real called real"), _("Adversarial called not real")


def _descriptions(curves: Curves) -> Iterator[str]:
    for (_subset, panel), name in zip(curves.items(), _names(), strict=True):
        if not panel:
            continue
        head = _("%(kind)s, share correct from the fastest to the slowest fifth:") % {"kind": name}
        table = np.array(list(panel.values()))[:, 1]
        lines = {_mean(): reader_mean(table)} if len(panel) > 1 else {}
        if len(panel) <= MOST_INDIVIDUAL:
            lines |= dict(zip(panel, table, strict=True))
        numbers = "; ".join(f"{key} {' '.join(map(format_number, line))}" for key, line in lines.items())
        tail = "" if len(panel) <= MOST_INDIVIDUAL else f"; {_slopes_text(table)}"
        yield f"{head} {numbers}{tail}."


def _slopes_text(table: Floats) -> str:
    words = _("difference of slowest and fastest of %(count)s readers: %(spread)s")
    return words % {"count": len(table), "spread": spread_text(table[:, -1] - table[:, 0])}
