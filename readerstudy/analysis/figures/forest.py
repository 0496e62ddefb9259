"""Figure "forest-figure": differences between the two sessions with intervals, and each reader's own difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from readerstudy.analysis.figures.reader_style import (
    INK,
    MOST_INDIVIDUAL,
    QUIET,
    add_legend,
    spread_offset,
    spread_text,
    style_axis,
)
from readerstudy.analysis.record.codes import reader_sort_key
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import MrmcComparison, figure_name
from readerstudy.analysis.wording import compared_sessions, signed
from readerstudy.layout.numbers import localise
from readerstudy.layout.picture import GRID, Picture, drawing, picture
from readerstudy.layout.table import Estimate
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.mrmc import ObuchowskiRockette
from readerstudy.statistics.mrmc.readings import FigureOfMerit

_CROWD_HEIGHT = 2.2  # inches, for any number of readers
_ROW_HEIGHT = 0.3
_MARGIN_COLOUR = "#dbe9f4"
_READER_COLOUR = "#0072B2"


@dataclass(frozen=True)
class FigureChange:
    """The change of one figure of merit over readers and images; None if it was not estimated."""

    name: str
    change: Estimate | float | None


@dataclass(frozen=True)
class ReaderChange:
    """The change of the primary figure of one reader."""

    reader: str
    change: float


@dataclass(frozen=True)
class ForestArm:
    """The changes in one arm, the primary figure first."""

    name: str
    figures: tuple[FigureChange, ...]
    readers: tuple[ReaderChange, ...]


def forest_figure(record: StudyRecord, plan: AnalysisPlan, comparisons: Sequence[MrmcComparison]) -> Picture | None:
    """Return the changes of the four figures, the primary one in bold, and the changes of the readers.

    Returns None if no comparison has a change.
    """
    arms = [_arm(record, plan, name, [each for each in comparisons if each.arm == name]) for name in record.arms]
    arms = [arm for arm in arms if any(figure.change is not None for figure in arm.figures)]
    if not arms:
        return None
    several_arms = len(arms) > 1
    with drawing():
        return picture(
            _draw_arms(arms, plan),
            key="forest-figure",
            title=_("Session %(after)s minus session %(before)s") % compared_sessions(plan),
            description=" ".join(_description(arm, plan, several_arms=several_arms) for arm in arms),
            caption=_caption(plan),
        )


def _caption(plan: AnalysisPlan) -> str:
    intervals = _(
        # xgettext: no-python-format
        "Differences with 95 % intervals over readers and images, not adjusted for several tests: if an interval "
        "contains 0, no change is shown. The table of planned tests has the decisions."
    )
    sentence = _(
        "%(primary)s, in bold, is the primary figure. The shaded band is the plan’s margin of equivalence, "
        "±%(margin)s. Below: each reader’s own difference of the primary figure, without an interval; the interval "
        "above includes the variation among readers."
    )
    values = {
        "primary": figure_name(cast(FigureOfMerit, plan.primary)),
        "margin": localise(f"{plan.margin:g}"),
    }
    return f"{intervals} {sentence % values}"


def _arm(record: StudyRecord, plan: AnalysisPlan, name: str, comparisons: Sequence[MrmcComparison]) -> ForestArm:
    ordered = sorted(comparisons, key=lambda comparison: comparison.figure != plan.primary)
    figures = tuple(FigureChange(figure_name(comparison.figure), comparison.change) for comparison in ordered)
    primary = next((comparison.result for comparison in ordered if comparison.figure == plan.primary), None)
    return ForestArm(name, figures, _reader_changes(record, plan, primary) if primary else ())


def _reader_changes(record: StudyRecord, plan: AnalysisPlan, result: ObuchowskiRockette) -> tuple[ReaderChange, ...]:
    changes = (
        ReaderChange(
            record.readings.readers[index], result.estimates[plan.after, index] - result.estimates[plan.before, index]
        )
        for index in result.readers
    )
    return tuple(sorted(changes, key=lambda each: reader_sort_key(each.reader)))


def _draw_arms(arms: Sequence[ForestArm], plan: AnalysisPlan) -> Figure:
    most = max(len(arm.readers) for arm in arms)
    reader_height = _CROWD_HEIGHT if most > MOST_INDIVIDUAL else _ROW_HEIGHT * (max(most, 1) + 1)
    heights = (_ROW_HEIGHT * (len(arms[0].figures) + 1.2), reader_height)
    figure = Figure(figsize=(8.4, 1.3 + sum(heights)), layout="constrained")
    axes = figure.subplots(2, len(arms), sharex=True, squeeze=False, height_ratios=heights)
    for (top, bottom), arm in zip(axes.T, arms, strict=True):
        _draw_figures(top, arm, plan)
        _draw_readers(bottom, arm)
        top.set_title(arm.name if len(arms) > 1 else _("Readers and images"), fontsize=10, loc="left")
        bottom.set_xlabel(_("Session %(after)s minus session %(before)s") % compared_sessions(plan))
        for axis in (top, bottom):
            style_axis(axis, "x")
            axis.axvline(0, color=INK, linewidth=0.9, zorder=1)
            axis.tick_params(axis="y", length=0)
    title = _("%(figure)s by reader") % {"figure": arms[0].figures[0].name}
    axes[1, 0].set_title(title, fontsize=10, loc="left")
    add_legend(figure, {_margin_text(plan): Patch(color=_MARGIN_COLOUR)})
    return figure


def _margin_text(plan: AnalysisPlan) -> str:
    return _("margin ±%(margin)s") % {"margin": localise(f"{plan.margin:g}")}


def _draw_figures(axis: Any, arm: ForestArm, plan: AnalysisPlan) -> None:
    # The margin applies to the primary figure only, which is the first row.
    axis.fill_betweenx((-0.5, 0.5), -plan.margin, plan.margin, color=_MARGIN_COLOUR, linewidth=0, zorder=0)
    for row, figure in enumerate(arm.figures):
        is_primary = row == 0
        style = {"color": INK if is_primary else "#4a4a4a", "markersize": 7 if is_primary else 5, "zorder": 3}
        match figure.change:
            case Estimate(value, low, high):
                width = 2.4 if is_primary else 1.2
                error = ([value - low], [high - value])
                axis.errorbar([value], [row], xerr=error, fmt="s", elinewidth=width, capsize=3, **style)
            case None:
                label = axis.text(0, row, _("not estimated"), color=QUIET, fontsize=8, ha="center", va="center")
                label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
            case value:
                axis.plot([value], [row], "s", markerfacecolor="white", **style)
    axis.set_yticks(range(len(arm.figures)), [figure.name for figure in arm.figures])
    axis.get_yticklabels()[0].set_fontweight("bold")
    axis.set_ylim(len(arm.figures) - 0.4, -0.6)


def _draw_readers(axis: Any, arm: ForestArm) -> None:
    changes = [each.change for each in arm.readers]
    if not changes:
        axis.text(
            0.5, 0.5, _("not estimated"), color=QUIET, fontsize=8, ha="center", va="center", transform=axis.transAxes
        )
        axis.set_yticks([])
    elif len(changes) <= MOST_INDIVIDUAL:
        rows = range(len(changes))
        axis.plot(changes, rows, "o", color=_READER_COLOUR, markersize=5, zorder=3)
        axis.set_yticks(rows, [each.reader for each in arm.readers])
        axis.set_ylim(len(changes) - 0.4, -0.6)
        axis.grid(axis="y", color=GRID, linewidth=0.6)
    else:
        heights = [spread_offset(index, len(changes), 1.0) for index in range(len(changes))]
        axis.plot(sorted(changes), heights, ".", color=_READER_COLOUR, markersize=4, zorder=3)
        axis.set_yticks([])
        axis.set_ylabel(_("readers,\nby difference"))
        axis.set_ylim(-0.6, 0.6)


def _description(arm: ForestArm, plan: AnalysisPlan, *, several_arms: bool) -> str:
    figures = f"{'; '.join(map(_figure_text, arm.figures))}; {_margin_text(plan)}."
    description = f"{arm.name}: {figures}" if several_arms else figures
    if not arm.readers:
        return description
    head = _("%(figure)s by reader") % {"figure": arm.figures[0].name}
    if len(arm.readers) > MOST_INDIVIDUAL:
        changes = f"{len(arm.readers)}; {spread_text([each.change for each in arm.readers])}"
    else:
        changes = ", ".join(f"{each.reader} {signed(each.change)}" for each in arm.readers)
    return f"{description} {head}: {changes}."


def _figure_text(figure: FigureChange) -> str:
    match figure.change:
        case None:
            return f"{figure.name} {_('not estimated')}"
        case Estimate(value, low, high):
            words = _("%(name)s %(value)s (%(low)s to %(high)s)")
            return words % {"name": figure.name, "value": signed(value), "low": signed(low), "high": signed(high)}
        case value:
            return f"{figure.name} {signed(value)}"
