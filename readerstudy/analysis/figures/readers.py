"""How readers look in a picture: a few each in their own colour, marker and dash, a crowd as thin grey or a band."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from readerstudy.layout.picture import COLOURS, DASHES, GRID

Floats = NDArray[np.float64]

FEW: Final = 12  # above this a legend helps nobody, and readers become a crowd
THREADS: Final = 60  # above this even thin lines are one grey patch: bands say more
MARKERS: Final = ("o", "s", "^", "D", "v")
CROWD: Final = "#b0b0b0"
QUIET: Final = "#595959"
INK: Final = "#1a1a1a"


def look(place: int) -> dict[str, Any]:
    """Colour, marker and dash of the reader at this place."""
    return {
        "color": COLOURS[place % len(COLOURS)],
        "marker": MARKERS[place % len(MARKERS)],
        "linestyle": DASHES[place % len(DASHES)],
    }


def side_by_side(place: int, count: int, width: float = 0.36) -> float:
    """Where a reader stands beside the middle, so that nothing hides anything."""
    return width * (place / (count - 1) - 0.5) if count > 1 else 0.0


def draw_crowd(axis: Any, x: ArrayLike, y: ArrayLike) -> None:
    """Many readers' lines, `y` (readers, points) over `x` (points), NaN where a reader has none.

    Thin lines for some dozens, for more the bands that hold half and nine tenths of the readers at each point.
    """
    points, lines = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(lines) <= THREADS:
        draw_threads(axis, np.broadcast_to(points, lines.shape), lines)
        return
    low, lower, upper, high = quantiles(lines, (0.05, 0.25, 0.75, 0.95))
    axis.fill_between(points, low, high, color="#e3e3e3", linewidth=0, zorder=1)
    axis.fill_between(points, lower, upper, color="#c4c4c4", linewidth=0, zorder=1)


def draw_threads(axis: Any, x: Floats, y: Floats) -> None:
    """Thin grey lines, one for each row of `x` and `y`, as one path: a thousand of them stay a small file."""
    gap = np.full((len(x), 1), np.nan)
    across, up = (np.hstack([one, gap]).ravel() for one in (x, y))
    axis.plot(across, up, color=CROWD, linewidth=0.5, zorder=1)


def crowd_sentence(readers: int) -> str:
    """How `draw_crowd` shows so many readers, for a caption; empty for a few."""
    if readers <= FEW:
        return ""
    if readers <= THREADS:
        return _("The thin grey lines are the %(count)s readers, the black line is their mean.") % {"count": readers}
    words = _(
        "The dark band holds the middle half of the %(count)s readers at each point, the light one nine tenths of "
        "them; the black line is their mean."
    )
    return words % {"count": readers}


def quantiles(values: ArrayLike, at: Sequence[float]) -> Floats:
    """Over the readers, the first axis, without those that have none; NaN where nobody has one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without a number is answered by NaN
        found: Floats = np.nanquantile(np.asarray(values, dtype=float), at, axis=0)
    return found


def mean_of(values: ArrayLike) -> Floats:
    """Over the readers, the first axis, without those that have none; NaN where nobody has one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found: Floats = np.nanmean(np.asarray(values, dtype=float), axis=0)
    return found


def tidy(axis: Any, grid: str = "y") -> None:
    """Light lines behind, and no box around."""
    axis.grid(axis=grid, color=GRID, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def legend(figure: Figure, handles: Mapping[str, Any], title: str = "") -> None:
    """Right of the panels, each name once."""
    if handles:
        figure.legend(
            list(handles.values()), list(handles), loc="outside right center", frameon=False, title=title or None
        )


def spread_in_words(values: ArrayLike, digits: int = 2) -> str:
    """What stands for a crowd of readers: median, quartiles and ends of what they have."""
    given = np.asarray(values, dtype=float)
    given = given[~np.isnan(given)]
    low, lower, median, upper, high = (number(one, digits) for one in np.quantile(given, (0, 0.25, 0.5, 0.75, 1)))
    words = _("median %(median)s, quartiles %(lower)s and %(upper)s, from %(low)s to %(high)s")
    return words % {"median": median, "lower": lower, "upper": upper, "low": low, "high": high}


def number(value: float, digits: int = 2) -> str:
    """A number within a sentence, with a true minus and no negative nought."""
    return f"{value:z.{digits}f}".replace("-", "−")
