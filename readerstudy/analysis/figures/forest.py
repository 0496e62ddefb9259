"""The differences between the two sessions with their intervals, and below them each reader's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from readerstudy.analysis.figures.readers import FEW, INK, QUIET, legend, side_by_side, spread_in_words, tidy
from readerstudy.analysis.layout.wording import compared_sessions, signed
from readerstudy.analysis.record.codes import reader_sort_key
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.mrmc import MrmcComparison, figure_name
from readerstudy.layout.picture import GRID, Picture, drawing, picture
from readerstudy.layout.table import Estimate
from readerstudy.statistics.mrmc import ObuchowskiRockette
from readerstudy.statistics.mrmc.readings import FigureOfMerit
from readerstudy.studies.analysis_plan import AnalysisPlan

_CROWD_HEIGHT = 2.2  # inches, whatever the number of readers
_ROW = 0.3
_SHADE = "#dbe9f4"


@dataclass(frozen=True)
class Arm:
    """What one arm brings: (figure, difference or None) for each figure, and each reader's of the primary figure."""

    name: str
    figures: tuple[tuple[str, Estimate | float | None], ...]
    readers: tuple[tuple[str, float], ...]


def forest_figure(record: StudyRecord, plan: AnalysisPlan, compared: Sequence[MrmcComparison]) -> Picture | None:
    """The four figures over readers and cases, the primary one first and bold, and the readers behind it.

    None where no comparison gives a difference.
    """
    arms = [_arm(record, plan, name, [one for one in compared if one.arm == name]) for name in record.arms]
    arms = [arm for arm in arms if any(found is not None for _name, found in arm.figures)]
    if not arms:
        return None
    several = len(arms) > 1
    with drawing():
        return picture(
            _drawn(arms, plan),
            key="forest-figure",
            title=_("Session %(after)s less session %(before)s") % compared_sessions(plan),
            description=" ".join(_described(arm, plan, several=several) for arm in arms),
            caption=_caption(plan),
        )


def _caption(plan: AnalysisPlan) -> str:
    intervals = _(
        # xgettext: no-python-format
        "Differences with 95 % intervals over readers and images. An interval that holds 0 leaves open whether "
        "anything changed."
    )
    words = _(
        "%(primary)s, in bold, is the primary figure. The shaded band is the margin of the plan, ±%(margin)s: a change "
        "of the primary figure inside it counts as none. Below: each reader’s own difference of the primary figure, "
        "without an interval; how the readers scatter is in the interval above."
    )
    numbers = {"primary": figure_name(cast(FigureOfMerit, plan.primary)), "margin": f"{plan.margin:g}"}
    return f"{intervals} {words % numbers}"


def _arm(record: StudyRecord, plan: AnalysisPlan, name: str, compared: Sequence[MrmcComparison]) -> Arm:
    ordered = sorted(compared, key=lambda one: one.figure != plan.primary)
    figures = tuple((figure_name(one.figure), one.change) for one in ordered)
    primary = next((one.result for one in ordered if one.figure == plan.primary), None)
    return Arm(name, figures, _own(record, plan, primary) if primary else ())


def _own(record: StudyRecord, plan: AnalysisPlan, found: ObuchowskiRockette) -> tuple[tuple[str, float], ...]:
    own = {
        record.readings.readers[place]: found.estimates[plan.after, place] - found.estimates[plan.before, place]
        for place in found.readers
    }
    return tuple(sorted(own.items(), key=lambda item: reader_sort_key(item[0])))


def _drawn(arms: Sequence[Arm], plan: AnalysisPlan) -> Figure:
    most = max(len(arm.readers) for arm in arms)
    heights = (_ROW * (len(arms[0].figures) + 1.2), _CROWD_HEIGHT if most > FEW else _ROW * (max(most, 1) + 1))
    figure = Figure(figsize=(8.4, 1.3 + sum(heights)), layout="constrained")
    axes = figure.subplots(2, len(arms), sharex=True, squeeze=False, height_ratios=heights)
    for (top, bottom), arm in zip(axes.T, arms, strict=True):
        _draw_figures(top, arm, plan)
        _draw_readers(bottom, arm, most)
        top.set_title(arm.name if len(arms) > 1 else _("Readers and images"), fontsize=10, loc="left")
        bottom.set_xlabel(_("Session %(after)s less session %(before)s") % compared_sessions(plan))
        for axis in (top, bottom):
            tidy(axis, "x")
            axis.axvline(0, color=INK, linewidth=0.9, zorder=1)
            axis.tick_params(axis="y", length=0)
    title = _("%(figure)s, reader by reader") % {"figure": arms[0].figures[0][0]}
    axes[1, 0].set_title(title, fontsize=10, loc="left")
    legend(figure, {_("margin ±%(margin)s") % {"margin": f"{plan.margin:g}"}: Patch(color=_SHADE)})
    return figure


def _draw_figures(axis: Any, arm: Arm, plan: AnalysisPlan) -> None:
    # The band is of the primary figure alone, the first line.
    axis.fill_betweenx((-0.5, 0.5), -plan.margin, plan.margin, color=_SHADE, linewidth=0, zorder=0)
    for row, (_name, found) in enumerate(arm.figures):
        weight = {"color": INK if row == 0 else "#4a4a4a", "markersize": 7 if row == 0 else 5, "zorder": 3}
        if isinstance(found, Estimate):
            error = ([found.value - found.low], [found.high - found.value])
            width = 2.4 if row == 0 else 1.2
            axis.errorbar([found.value], [row], xerr=error, fmt="s", elinewidth=width, capsize=3, **weight)
        elif found is not None:
            axis.plot([found], [row], "s", markerfacecolor="white", **weight)
        else:
            axis.text(0, row, _("not estimated"), color=QUIET, fontsize=8, ha="center", va="center").set_bbox(
                {"facecolor": "white", "edgecolor": "none", "pad": 1}
            )
    axis.set_yticks(range(len(arm.figures)), [name for name, _found in arm.figures])
    axis.get_yticklabels()[0].set_fontweight("bold")
    axis.set_ylim(len(arm.figures) - 0.4, -0.6)


def _draw_readers(axis: Any, arm: Arm, most: int) -> None:
    if not arm.readers:
        axis.text(
            0.5, 0.5, _("not estimated"), color=QUIET, fontsize=8, ha="center", va="center", transform=axis.transAxes
        )
        axis.set_yticks([])
        return
    if len(arm.readers) <= FEW:
        rows = range(len(arm.readers))
        axis.plot([own for _reader, own in arm.readers], rows, "o", color="#0072B2", markersize=5, zorder=3)
        axis.set_yticks(rows, [reader for reader, _own in arm.readers])
        axis.set_ylim(len(arm.readers) - 0.4, -0.6)
        axis.grid(axis="y", color=GRID, linewidth=0.6)
        return
    ordered = sorted(own for _reader, own in arm.readers)
    heights = [side_by_side(place, len(ordered), 1.0) for place in range(len(ordered))]
    axis.plot(ordered, heights, ".", color="#0072B2", markersize=4, zorder=3)
    axis.set_yticks([])
    axis.set_ylabel(_("readers,\nby difference"))
    axis.set_ylim(-0.6, 0.6)


def _described(arm: Arm, plan: AnalysisPlan, *, several: bool) -> str:
    figures = "; ".join(_in_words(name, found) for name, found in arm.figures)
    margin = _("margin ±%(margin)s") % {"margin": f"{plan.margin:g}"}
    parts = [f"{arm.name}: {figures}; {margin}." if several else f"{figures}; {margin}."]
    if arm.readers:
        head = _("%(figure)s, reader by reader") % {"figure": arm.figures[0][0]}
        values = [own for _reader, own in arm.readers]
        each = (
            f"{len(values)}; {spread_in_words(values)}"
            if len(values) > FEW
            else ", ".join(f"{reader} {signed(own)}" for reader, own in arm.readers)
        )
        parts.append(f"{head}: {each}.")
    return " ".join(parts)


def _in_words(name: str, found: Estimate | float | None) -> str:
    if found is None:
        return f"{name} {_('not estimated')}"
    if isinstance(found, Estimate):
        words = _("%(name)s %(value)s (%(low)s to %(high)s)")
        bounds = {"value": signed(found.value), "low": signed(found.low), "high": signed(found.high)}
        return words % {"name": name, **bounds}
    return f"{name} {signed(found)}"
