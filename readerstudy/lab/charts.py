"""Curves of a job as small charts: the positions that the template draws as SVG, and the same numbers as a table."""

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readerstudy.jobs.progress_log import Point
from readerstudy.lab.curve_axis import CurveAxis, StageLengths, curve_axis
from readerstudy.layout.numbers import localise

WIDTH, HEIGHT = 480, 200  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 22, 28  # margins
MAXIMUM_DRAWN: Final = 400  # points of a curve
MAXIMUM_LISTED: Final = 12  # rows of the table
LABEL_DISTANCE: Final = 12  # least distance between the labels of two stages
TITLES: Final = {
    "loss": gettext_lazy("Loss (running mean)"),
    "tuning_auc": gettext_lazy("AUC on the tuning images"),
    "identity": gettext_lazy("Identity loss (running mean)"),
    "gap": gettext_lazy("Gap of the discriminator (running mean)"),
}


class CurvePoint(NamedTuple):
    """A step and the value there."""

    step: int
    value: float


@dataclass(frozen=True)
class Tick:
    """A labelled position on an axis, in the drawing's units."""

    at: float
    label: str


@dataclass(frozen=True)
class ChartArea:
    """Positions that all charts share, in the drawing's units."""

    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM
    y_labels: int = LEFT - 6  # right end
    titles: int = LEFT - 18  # right end of the axes' titles
    tick_end: int = HEIGHT - BOTTOM + 4
    x_labels: int = HEIGHT - BOTTOM + 16  # baseline
    stage_top: int = TOP - 6
    stage_labels: int = TOP - 10  # baseline


@dataclass(frozen=True)
class CurveChart:
    """The chart of one figure over the steps.

    `lines` are the points of polylines as "x,y x,y"; a new line begins after steps without a value of the figure.
    `rows` are steps and values for the table, evenly spaced, with the last one.
    """

    key: str
    title: str
    lines: Sequence[str]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    stages: Sequence[Tick]
    has_stages: bool
    last: str
    description: str
    rows: Sequence[tuple[int, str]]
    frame: ChartArea = ChartArea()

    @property
    def end(self) -> tuple[str, str]:
        """The position of the last value."""
        x, y = self.lines[-1].rpartition(" ")[2].split(",")
        return x, y


@dataclass(frozen=True)
class _Scale:
    """The range of an axis and its ticks, both at round numbers."""

    low: float
    high: float
    ticks: Sequence[float]


def curve_charts(points: Sequence[Point], lengths: StageLengths | None = None) -> list[CurveChart]:
    """Return a chart for each reported figure; a value that is not finite is left out.

    The horizontal axis counts the steps that were done, see `curve_axis`; `lengths` are those of finished stages.
    """
    with_figures = [point for point in points if point.values]
    axis = curve_axis(with_figures, lengths or {})
    names = dict.fromkeys(name for point in with_figures for name in point.values)
    drawn = (_chart(name, _curve(name, with_figures, axis), _gaps(name, with_figures, axis), axis) for name in names)
    return [chart for chart in drawn if chart]


def _curve(name: str, points: Sequence[Point], axis: CurveAxis) -> list[CurvePoint]:
    """Return the finite values of a figure."""
    values = (point.values.get(name, math.nan) for point in points)
    return [CurvePoint(step, value) for step, value in zip(axis.steps, values, strict=True) if math.isfinite(value)]


def _gaps(name: str, points: Sequence[Point], axis: CurveAxis) -> list[int]:
    """Return the steps at which the job reported only other figures, ascending: no line crosses them."""
    return [step for step, point in zip(axis.steps, points, strict=True) if name not in point.values]


def _split_at_gaps(curve: Sequence[CurvePoint], gaps: Sequence[int]) -> list[list[CurvePoint]]:
    parts = groupby(curve, key=lambda point: bisect(gaps, point.step))
    return [list(part) for _gaps_before, part in parts]


def _chart(name: str, curve: Sequence[CurvePoint], gaps: Sequence[int], axis: CurveAxis) -> CurveChart | None:
    if not curve:
        return None
    drawn = _thin_out(curve, MAXIMUM_DRAWN)
    values = [point.value for point in drawn]
    last_step = max(1, axis.steps[-1])
    y_scale = _scale(min(values), max(values))
    x_unit = (WIDTH - LEFT - RIGHT) / last_step
    y_unit = (HEIGHT - TOP - BOTTOM) / (y_scale.high - y_scale.low)

    def x(step: float) -> float:
        return round(LEFT + x_unit * step, 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - y_unit * (value - y_scale.low), 1)

    title = str(TITLES.get(name, name.replace("_", " ").capitalize()))
    x_ticks = [tick for tick in _scale(0, last_step).ticks if tick <= last_step and tick == int(tick)]
    borders = [(x(border.steps), border.activity.fold or border.activity.stage) for border in axis.borders]
    return CurveChart(
        key=name.replace("_", "-"),
        title=title,
        lines=[" ".join(f"{x(point.step)},{y(point.value)}" for point in part) for part in _split_at_gaps(drawn, gaps)],
        x_ticks=[Tick(x(tick), f"{tick:g}") for tick in x_ticks],
        y_ticks=[Tick(y(tick), number(tick)) for tick in y_scale.ticks],
        stages=_stage_ticks(borders),
        has_stages=any(border.activity.stage and not border.activity.fold for border in axis.borders),
        last=number(curve[-1].value),
        description=_description(title, curve),
        rows=[(point.step, number(point.value)) for point in _thin_out(curve, MAXIMUM_LISTED)],
    )


def _description(title: str, curve: Sequence[CurvePoint]) -> str:
    first, last = curve[0], curve[-1]
    return _("%(title)s: %(first)s at step %(step)s, %(last)s at step %(end)s.") % {
        "title": title,
        "first": number(first.value),
        "step": first.step,
        "last": number(last.value),
        "end": last.step,
    }


def number(value: float) -> str:
    """Return four significant digits in the active language."""
    return localise(f"{value:.4g}")


def _thin_out(curve: Sequence[CurvePoint], maximum: int) -> Sequence[CurvePoint]:
    """Return at most `maximum` points, evenly spaced, with the last one."""
    stride = math.ceil(len(curve) / maximum)
    return curve[::-1][::stride][::-1] if stride > 1 else curve


def _stage_ticks(borders: Sequence[tuple[float, int]]) -> list[Tick]:
    """Return a tick for each border (position, number of the stage), without labels that would overlap."""
    ticks: list[Tick] = []
    free_from = 0.0
    for at, stage in borders:
        label = str(stage) if stage and at >= free_from else ""
        free_from = at + LABEL_DISTANCE if label else free_from
        ticks.append(Tick(at, label))
    return ticks


def _scale(low: float, high: float) -> _Scale:
    """Return an axis that contains both values."""
    if high <= low:
        low, high = low - (abs(low) or 1) * 0.05, low + (abs(low) or 1) * 0.05
    rough = (high - low) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = [float(f"{index * step:.12g}") for index in range(first, last + 1)]
    return _Scale(ticks[0], ticks[-1], ticks)
