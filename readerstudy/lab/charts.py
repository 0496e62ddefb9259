"""Curves of a job as small charts: what a template needs to draw them as SVG, and the same numbers as a table."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readerstudy.jobs.traces import Point

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
class Chart:
    """One quantity over the steps."""

    key: str
    title: str
    line: str  # of a polyline: "x,y x,y"
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    stages: Sequence[Tick]
    last: str
    description: str
    rows: Sequence[tuple[int, str]]  # step and value, spread evenly, the last one last

    @property
    def end(self) -> tuple[str, str]:
        """Where the last value stands."""
        x, y = self.line.rpartition(" ")[2].split(",")
        return x, y


def charts(points: Sequence[Point]) -> list[Chart]:
    """A chart for each figure that the job reports; a figure that is no number at a step leaves a gap there."""
    names = dict.fromkeys(name for point in points for name in point.values)
    found = (_chart(name, [p for p in points if math.isfinite(p.values.get(name, math.nan))]) for name in names)
    return [chart for chart in found if chart]


def _chart(name: str, points: Sequence[Point]) -> Chart | None:
    if not points:
        return None
    shown = _spread(points, MOST_DRAWN)
    values = [point.values[name] for point in shown]
    x_low, x_high = 0, max(1, *(point.total for point in points[-1:]), *(point.done for point in shown))
    x_ticks = [tick for tick in _axis(x_low, x_high)[1] if tick <= x_high]
    (y_low, y_high), y_ticks = _axis(min(values), max(values))
    across, down = (WIDTH - LEFT - RIGHT) / (x_high - x_low), (HEIGHT - TOP - BOTTOM) / (y_high - y_low)

    def x(step: float) -> float:
        return round(LEFT + across * (step - x_low), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - down * (value - y_low), 1)

    last = number(values[-1])
    title = str(TITLES.get(name, name.replace("_", " ").capitalize()))
    told = {"title": title, "first": number(values[0]), "step": points[0].done, "last": last, "end": points[-1].done}
    return Chart(
        key=name.replace("_", "-"),
        title=title,
        line=" ".join(f"{x(point.done)},{y(value)}" for point, value in zip(shown, values, strict=True)),
        x_ticks=[Tick(x(tick), f"{tick:g}") for tick in x_ticks],
        y_ticks=[Tick(y(tick), f"{tick:g}") for tick in y_ticks],
        stages=_labelled([(x(point.done), point.text) for point in _stage_starts(points)]),
        last=last,
        description=_("%(title)s: %(first)s at step %(step)s, %(last)s at step %(end)s.") % told,
        rows=[(point.done, number(point.values[name])) for point in _spread(points, IN_TABLE)],
    )


def number(value: float) -> str:
    """Four figures are enough to follow a curve."""
    return f"{value:.4g}"


def _spread(points: Sequence[Point], most: int) -> Sequence[Point]:
    """At most so many of them, evenly, the last one always."""
    step = math.ceil(len(points) / most)
    return points[::-1][::step][::-1] if step > 1 else points


def _stage_starts(points: Sequence[Point]) -> list[Point]:
    """Where the job began to speak of something else, such as the next stage of a GAN."""
    return [point for before, point in pairwise(points) if before.text != point.text]


def _labelled(starts: Sequence[tuple[float, str]]) -> list[Tick]:
    """Stages by their number, where two labels do not stand on each other."""
    ticks: list[Tick] = []
    free_from = 0.0
    for at, text in starts:
        number = re.search(r"\d+", text)
        label = number.group() if number and at >= free_from else ""
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
