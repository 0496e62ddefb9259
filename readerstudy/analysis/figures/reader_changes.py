"""Figure "reader-changes-figure": the change of every reader with its interval, on real and adversarial images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from readerstudy.analysis.figures.reader_style import (
    CROWD,
    INK,
    MOST_INDIVIDUAL,
    QUIET,
    Styles,
    add_legend,
    draw_thin_lines,
    reader_styles,
    spread_text,
    style_axis,
)
from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.reader_changes import ReaderChange
from readerstudy.analysis.wording import compared_sessions, signed
from readerstudy.layout.picture import GRID, Picture, drawing, picture
from readerstudy.layout.table import Estimate
from readerstudy.protocol.analysis_plan import AnalysisPlan

_SUBSETS = (Subset.REAL, Subset.ADVERSARIAL)
_ROW_HEIGHT = 0.42  # inches
_CROWD_HEIGHT = 3.4  # inches, for any number of readers
_BATCHES_BELOW = 0.26  # rows


def reader_changes_figure(record: StudyRecord, plan: AnalysisPlan, changes: Sequence[ReaderChange]) -> Picture | None:
    """Return the changes between the two sessions of the plan, one panel for each authenticity; None without any."""
    compared = [each for each in changes if (each.a, each.b) == (plan.before, plan.after) and each.change]
    panels = {subset: [each for each in compared if each.subset is subset] for subset in _SUBSETS}
    if not any(panels.values()):
        return None
    styles = reader_styles(record)
    readers = tuple(reader for reader in styles if any(each.reader == reader for each in compared))
    with drawing():
        return picture(
            _draw(panels, readers, styles, plan),
            key="reader-changes-figure",
            title=_("Each reader’s change, session %(after)s minus session %(before)s") % compared_sessions(plan),
            description=" ".join(_description(subset, own) for subset, own in panels.items() if own),
            caption=_caption(len(readers)),
        )


def _caption(readers: int) -> str:
    sentence = _(
        # xgettext: no-python-format
        "The change of the share of correct verdicts of each reader, with Newcombe’s 95 % interval (paired if both "
        "sessions show the same images)."
    )
    if readers > MOST_INDIVIDUAL:
        return f"{sentence} {_('Readers are ordered by their change; the table has their numbers.')}"
    thin = _(
        "The thin grey interval below is Welch’s on the means of ten batches, which holds if neighbours are alike."
    )
    return f"{sentence} {thin}"


def _draw(
    panels: dict[Subset, list[ReaderChange]], readers: Sequence[str], styles: Styles, plan: AnalysisPlan
) -> Figure:
    is_crowd = len(readers) > MOST_INDIVIDUAL
    height = _CROWD_HEIGHT if is_crowd else _ROW_HEIGHT * (len(readers) + 0.5)
    figure = Figure(figsize=(8.4, 1.1 + height), layout="constrained")
    axes: Any = figure.subplots(1, 2, sharex=True, sharey=not is_crowd, squeeze=False)[0]
    for axis, (subset, changes) in zip(axes, panels.items(), strict=True):
        style_axis(axis, "x")
        axis.axvline(0, color=INK, linewidth=0.9, zorder=1)
        axis.tick_params(axis="y", length=0)
        axis.set_title(_title(subset), fontsize=10, loc="left")
        axis.set_xlabel(_("Session %(after)s minus session %(before)s") % compared_sessions(plan))
        if not changes:
            axis.text(0.5, 0.5, _("not estimated"), color=QUIET, ha="center", transform=axis.transAxes)
        elif is_crowd:
            _draw_crowd(axis, changes)
        else:
            _draw_readers(axis, changes, readers, styles)
    if is_crowd:
        axes[0].set_ylabel(_("readers,\nby difference"))
    else:
        axes[0].set_yticks(range(len(readers)), readers)
        axes[0].set_ylim(len(readers) - 0.4, -0.6)
        lines = (Line2D([], [], color=INK, marker="o"), Line2D([], [], color=CROWD, linewidth=1.2))
        add_legend(figure, dict(zip((_("verdicts"), _("ten batches")), lines, strict=True)))
    return figure


def _draw_readers(axis: Any, changes: Sequence[ReaderChange], readers: Sequence[str], styles: Styles) -> None:
    axis.grid(axis="y", color=GRID, linewidth=0.6)
    for each in changes:
        row, change, batches = readers.index(each.reader), each.change, each.batches
        assert isinstance(change, Estimate), "changes without an interval were left out"
        style = {**styles[each.reader], "linestyle": "none"}
        error = ([change.value - change.low], [change.high - change.value])
        axis.errorbar([change.value], [row], xerr=error, **style, markersize=5, elinewidth=1.8, capsize=3, zorder=3)
        if batches and batches.low is not None and batches.high is not None:
            below = row + _BATCHES_BELOW
            axis.plot([batches.low, batches.high], [below, below], color=CROWD, linewidth=1.2, zorder=2)
            axis.plot([batches.value], [below], "|", color=QUIET, markersize=5, zorder=2)


def _draw_crowd(axis: Any, changes: Sequence[ReaderChange]) -> None:
    bounds = np.array([(c.change.value, c.change.low, c.change.high) for c in changes if c.change])
    value, low, high = bounds[np.argsort(bounds[:, 0], kind="stable")].T
    rows = np.arange(len(value), dtype=float)
    draw_thin_lines(axis, np.column_stack([low, high]), np.column_stack([rows, rows]))
    axis.plot(value, rows, ".", color="#0072B2", markersize=4, zorder=3)
    axis.set_yticks([])


def _title(subset: Subset) -> str:
    return _("Real images called real") if subset is Subset.REAL else _("Adversarial images called not real")


def _description(subset: Subset, changes: Sequence[ReaderChange]) -> str:
    estimates = [(each.reader, each.change) for each in changes if each.change]
    if len(estimates) > MOST_INDIVIDUAL:
        text = f"{len(estimates)}; {spread_text([change.value for _reader, change in estimates])}"
    else:
        words = _("%(name)s %(value)s (%(low)s to %(high)s)")
        text = "; ".join(
            words % {"name": reader, "value": signed(c.value), "low": signed(c.low), "high": signed(c.high)}
            for reader, c in estimates
        )
    return f"{_title(subset)}: {text}."
