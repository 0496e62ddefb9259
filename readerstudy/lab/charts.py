"""Curves of a job as small charts: what a template needs to draw them as SVG, and the same numbers as a table."""

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readerstudy.jobs.progress_log import Point
from readerstudy.lab.curve_axis import CurveAxis, StageLengths, curve_axis

Spot = tuple[int, float]  # a step and the value there
WIDTH, HEIGHT = 480, 200  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 22, 28
MOST_DRAWN = 400  # a screen shows no more
IN_TABLE = 12
NARROWEST = 12  # between the labels of two stages
TITLES = {
    "loss": gettext_lazy("Loss (running mean)"),
    "tuning_auc": gettext_lazy("AUC on the tuning images"),
    "identity": gettext_lazy("Identity loss (running mean)"),
    "gap": gettext_lazy("Gap of the discriminator (running mean)"),
}


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis, in the drawing's units."""

    at: float
    label: str


@dataclass(frozen=True)
class Frame:
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
class Chart:
    """One quantity over the steps."""

    key: str
    title: str
    lines: Sequence[str]  # each of a polyline, "x,y x,y"; a new one where the job spoke of something else in between
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    stages: Sequence[Tick]
    has_stages: bool
    last: str
    description: str
    rows: Sequence[tuple[int, str]]  # step and value, spread evenly, the last one last
    frame: Frame = Frame()

    @property
    def end(self) -> tuple[str, str]:
        """Where the last value stands."""
        x, y = self.lines[-1].rpartition(" ")[2].split(",")
        return x, y


def charts(points: Sequence[Point], lengths: StageLengths | None = None) -> list[Chart]:
    """A chart for each figure that the job reports; a figure that is no number at a step leaves a gap there.

    Over the steps that were really done, up to the last; `lengths` of the stages where they are known.
    """
    told = [point for point in points if point.values]
    way = curve_axis(told, lengths or {})
    names = dict.fromkeys(name for point in told for name in point.values)
    found = (_chart(name, _spots(name, told, way.steps), _silent(name, told, way.steps), way) for name in names)
    return [chart for chart in found if chart]


def _spots(name: str, points: Sequence[Point], steps: Sequence[int]) -> list[Spot]:
    values = (point.values.get(name, math.nan) for point in points)
    return [(step, value) for step, value in zip(steps, values, strict=True) if math.isfinite(value)]


def _silent(name: str, points: Sequence[Point], steps: Sequence[int]) -> list[int]:
    """The steps at which the job told other figures, ascending: no line is drawn over them."""
    return [step for step, point in zip(steps, points, strict=True) if name not in point.values]


def _pieces(spots: Sequence[Spot], silent: Sequence[int]) -> list[list[Spot]]:
    """The spots between two silences, in order."""
    parts = groupby(spots, key=lambda spot: bisect(silent, spot[0]))
    return [list(part) for _silences, part in parts]


def _chart(name: str, spots: Sequence[Spot], silent: Sequence[int], way: CurveAxis) -> Chart | None:
    if not spots:
        return None
    shown = _spread(spots, MOST_DRAWN)
    values = [value for _step, value in shown]
    x_high = max(1, way.steps[-1])
    x_ticks = [tick for tick in _axis(0, x_high)[1] if tick <= x_high and tick == int(tick)]
    (y_low, y_high), y_ticks = _axis(min(values), max(values))
    across, down = (WIDTH - LEFT - RIGHT) / x_high, (HEIGHT - TOP - BOTTOM) / (y_high - y_low)

    def x(step: float) -> float:
        return round(LEFT + across * step, 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - down * (value - y_low), 1)

    (start, first), (end, last) = spots[0], spots[-1]
    title = str(TITLES.get(name, name.replace("_", " ").capitalize()))
    told = {"title": title, "first": number(first), "step": start, "last": number(last), "end": end}
    return Chart(
        key=name.replace("_", "-"),
        title=title,
        lines=[" ".join(f"{x(step)},{y(value)}" for step, value in piece) for piece in _pieces(shown, silent)],
        x_ticks=[Tick(x(tick), f"{tick:g}") for tick in x_ticks],
        y_ticks=[Tick(y(tick), number(tick)) for tick in y_ticks],
        stages=_labelled([(x(border.steps), border.activity.fold or border.activity.stage) for border in way.borders]),
        has_stages=any(border.activity.stage and not border.activity.fold for border in way.borders),
        last=number(last),
        description=_("%(title)s: %(first)s at step %(step)s, %(last)s at step %(end)s.") % told,
        rows=[(step, number(value)) for step, value in _spread(spots, IN_TABLE)],
    )


def number(value: float) -> str:
    """Four figures are enough to follow a curve."""
    return f"{value:.4g}".replace("-", "−")


def _spread(spots: Sequence[Spot], most: int) -> Sequence[Spot]:
    """At most so many of them, evenly, the last one always."""
    step = math.ceil(len(spots) / most)
    return spots[::-1][::step][::-1] if step > 1 else spots


def _labelled(starts: Sequence[tuple[float, int]]) -> list[Tick]:
    """Stages by their number, where two labels do not stand on each other."""
    ticks: list[Tick] = []
    free_from = 0.0
    for at, number in starts:
        label = str(number) if number and at >= free_from else ""
        free_from = at + NARROWEST if label else free_from
        ticks.append(Tick(at, label))
    return ticks


def _axis(low: float, high: float) -> tuple[tuple[float, float], list[float]]:
    """The ends of an axis and its ticks, both at round numbers, so that it holds all values."""
    if high <= low:
        low, high = low - (abs(low) or 1) * 0.05, low + (abs(low) or 1) * 0.05
    rough = (high - low) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = [float(f"{place * step:.12g}") for place in range(first, last + 1)]
    return (ticks[0], ticks[-1]), ticks
