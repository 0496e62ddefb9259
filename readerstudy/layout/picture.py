"""A figure as a value: SVG with a title and a description. The same data give the same bytes."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import StringIO
from threading import Lock
from typing import Any, Final

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, ScalarFormatter, StrMethodFormatter

from readerstudy.layout.numbers import localise

# Okabe and Ito (2008), safe for colour-blind readers; the dashes carry the lines in black and white.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
DASHES: Final[tuple[Any, ...]] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
GRID: Final = "#d9d9d9"
# hashsalt: the same data give the same bytes. fonttype none: text stays text, which can be searched and read out.
_STYLE: Any = {
    "svg.hashsalt": "readerstudy",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
}
_CSS_PIXELS = 96  # per inch
_lock = Lock()  # matplotlib's settings are global to the process; web threads share it


@dataclass(frozen=True)
class Picture:
    """An SVG with its title and the description that replaces it if it cannot be seen.

    `key` names its file, `caption` explains it; width and height are in CSS pixels.
    """

    key: str
    svg: str
    title: str
    description: str
    caption: str = ""
    width: int = 806
    height: int = 374

    @property
    def kind(self) -> str:
        """The kind of item of a section, for templates: "picture" or "table"."""
        return "picture"

    @property
    def data_uri(self) -> str:
        """The picture as an address, for a page in a single file."""
        return "data:image/svg+xml;base64," + b64encode(self.svg.encode()).decode()


@contextmanager
def drawing() -> Iterator[None]:
    """Apply the settings of matplotlib for one thread at a time: draw, and call `picture`, inside."""
    with _lock, matplotlib.rc_context(_STYLE):
        yield


class _LocalTicks(Formatter):
    """The labels of another formatter, with the decimal sign of the active language."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __call__(self, x: float, pos: int | None = None) -> str:
        return localise(self.inner(x, pos))

    def format_ticks(self, values: Any) -> list[str]:
        """Return the labels of all ticks of an axis."""
        return [localise(label) for label in self.inner.format_ticks(values)]


def _localise_ticks(figure: Figure) -> None:
    """Let numbers at the axes follow the active language. Ticks with labels of their own stay as they are."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(inner := axis.get_major_formatter(), ScalarFormatter | StrMethodFormatter):
                axis.set_major_formatter(_LocalTicks(inner))


def picture(figure: Figure, *, key: str, title: str, description: str, caption: str = "") -> Picture:
    """Return the drawn figure as SVG with its title and description, in the figure's size."""
    _localise_ticks(figure)
    text = StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(text, metadata={"Date": None})
    width, height = (round(_CSS_PIXELS * inches) for inches in figure.get_size_inches())
    return Picture(key, _with_title(text.getvalue(), title, description), title, description, caption, width, height)


def _with_title(svg: str, title: str, description: str) -> str:
    """Insert <title> and <desc> as first elements and reference them in the root, for screen readers."""
    start = svg.index("<svg")
    end = svg.index(">", start)
    title_elements = f'<title id="title">{escape(title)}</title><desc id="desc">{escape(description)}</desc>'
    root = svg[start:end] + ' role="img" aria-labelledby="title desc"'
    return svg[:start] + root + ">" + title_elements + svg[end + 1 :]
