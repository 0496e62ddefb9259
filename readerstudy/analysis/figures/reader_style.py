"""How readers look in figures: a few with own colour, marker and dash; many as thin grey lines or bands."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.numbers import localise
from readerstudy.layout.picture import COLOURS, DASHES, GRID

Floats = NDArray[np.float64]

MOST_INDIVIDUAL: Final = 12  # readers with a style and a legend entry of their own
MOST_LINES: Final = 60  # readers shown as thin lines; more are shown as bands
MARKERS: Final = ("o", "s", "^", "D", "v")
CROWD: Final = "#b0b0b0"
QUIET: Final = "#595959"
INK: Final = "#1a1a1a"


Styles = Mapping[str, Mapping[str, Any]]


def reader_styles(record: StudyRecord) -> Styles:
    """Return colour, marker and dash of every reader, the same in all figures of a report."""
    return {
        reader: {
            "color": COLOURS[index % len(COLOURS)],
            "marker": MARKERS[index % len(MARKERS)],
            "linestyle": DASHES[index % len(DASHES)],
        }
        for index, reader in enumerate(record.reader_order)
    }


def spread_offset(index: int, count: int, width: float = 0.36) -> float:
    """Return the offset of one of `count` marks from their common position, so that they do not overlap."""
    return width * (index / (count - 1) - 0.5) if count > 1 else 0.0


def draw_crowd(axis: Any, x: ArrayLike, y: ArrayLike) -> None:
    """Draw the lines of many readers: `y` (readers, points), NaN if a reader has no value, over `x` (points,).

    Up to MOST_LINES readers are thin lines. More are two bands, which hold half and nine tenths of the readers.
    """
    points, lines = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(lines) <= MOST_LINES:
        draw_thin_lines(axis, np.broadcast_to(points, lines.shape), lines)
        return
    low, lower, upper, high = reader_quantiles(lines, (0.05, 0.25, 0.75, 0.95))
    axis.fill_between(points, low, high, color="#e3e3e3", linewidth=0, zorder=1)
    axis.fill_between(points, lower, upper, color="#c4c4c4", linewidth=0, zorder=1)


def draw_thin_lines(axis: Any, x: Floats, y: Floats) -> None:
    """Draw one thin grey line per row of `x` and `y` (lines, points), as a single path to keep the file small."""
    gap = np.full((len(x), 1), np.nan)
    across, up = (np.hstack([values, gap]).ravel() for values in (x, y))
    axis.plot(across, up, color=CROWD, linewidth=0.5, zorder=1)


def crowd_sentence(readers: int) -> str:
    """Return how `draw_crowd` shows this number of readers, for a caption; "" if readers are shown individually."""
    if readers <= MOST_INDIVIDUAL:
        return ""
    if readers <= MOST_LINES:
        return _("Thin grey lines are the %(count)s readers, the black line is their mean.") % {"count": readers}
    sentence = _(
        "The dark band contains the middle half of the %(count)s readers at each point, the light band nine tenths of "
        "them; the black line is their mean."
    )
    return sentence % {"count": readers}


def reader_quantiles(values: ArrayLike, probabilities: Sequence[float]) -> Floats:
    """Return quantiles over readers (first axis), ignoring NaN; NaN if no reader has a value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy warns of columns without values
        quantiles: Floats = np.nanquantile(np.asarray(values, dtype=float), probabilities, axis=0)
    return quantiles


def reader_mean(values: ArrayLike) -> Floats:
    """Return the mean over readers (first axis), ignoring NaN; NaN if no reader has a value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy warns of columns without values
        mean: Floats = np.nanmean(np.asarray(values, dtype=float), axis=0)
    return mean


def style_axis(axis: Any, grid: str = "y") -> None:
    """Set light grid lines behind the data, and no box around it."""
    axis.grid(axis=grid, color=GRID, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def add_legend(figure: Figure, handles: Mapping[str, Any], title: str = "") -> None:
    """Add a legend on the right of the panels, with each name once."""
    if handles:
        figure.legend(
            list(handles.values()), list(handles), loc="outside right center", frameon=False, title=title or None
        )


def spread_text(values: ArrayLike, digits: int = 2) -> str:
    """Return median, quartiles, minimum and maximum of many readers' values in words, ignoring NaN."""
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    quantiles = np.quantile(known, (0, 0.25, 0.5, 0.75, 1))
    low, lower, median, upper, high = (format_number(value, digits) for value in quantiles)
    words = _("median %(median)s, quartiles %(lower)s and %(upper)s, from %(low)s to %(high)s")
    return words % {"median": median, "lower": lower, "upper": upper, "low": low, "high": high}


def format_number(value: float, digits: int = 2) -> str:
    """Return a number for use within a sentence in the active language, without negative zero."""
    return localise(f"{value:z.{digits}f}")
