"""A picture as a value: SVG that a screen reader can read, the same bytes for the same study."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import StringIO
from threading import Lock
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# hashsalt: the same study gives the same bytes. fonttype none: words stay words, to be searched and read out.
_STYLE: Any = {
    "svg.hashsalt": "readerstudy",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
}
_CSS_PIXELS = 96  # per inch
_lock = Lock()  # matplotlib's settings belong to the process, and web threads share it


@dataclass(frozen=True)
class Picture:
    """An SVG with its title and the description that stands for it where it cannot be seen.

    `key` names its file, `caption` says below it how to read it; width and height are in CSS pixels.
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
        """What a template asks an item of a section: "picture" or "table"."""
        return "picture"

    @property
    def data_uri(self) -> str:
        """The picture inside a page that stands alone."""
        return "data:image/svg+xml;base64," + b64encode(self.svg.encode()).decode()


@contextmanager
def drawing() -> Iterator[None]:
    """Our settings of matplotlib, for one thread at a time: draw, and call `picture`, inside."""
    with _lock, matplotlib.rc_context(_STYLE):
        yield


def picture(figure: Figure, *, key: str, title: str, description: str, caption: str) -> Picture:
    """The drawn figure as SVG with its words; its size is the figure's."""
    text = StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(text, metadata={"Date": None})
    width, height = (round(_CSS_PIXELS * inches) for inches in figure.get_size_inches())
    return Picture(key, _with_words(text.getvalue(), title, description), title, description, caption, width, height)


def _with_words(svg: str, title: str, description: str) -> str:
    """Put <title> and <desc> first inside the root and name them there: what a screen reader reads."""
    start = svg.index("<svg")
    end = svg.index(">", start)
    words = f'<title id="title">{escape(title)}</title><desc id="desc">{escape(description)}</desc>'
    root = svg[start:end] + ' role="img" aria-labelledby="title desc"'
    return svg[:start] + root + ">" + words + svg[end + 1 :]
