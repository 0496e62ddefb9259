"""A figure as SVG with words for those who cannot see it."""

from html import escape
from io import StringIO
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Words stay words, to be searched and read out; equal figures give equal bytes.
STYLE: Any = {"svg.hashsalt": "readerstudy", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10}


def svg(figure: Figure, *, title: str, description: str) -> str:
    """The drawn figure; `title` and `description` are what a screen reader reads."""
    text = StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    with matplotlib.rc_context(STYLE):
        canvas.print_svg(text, metadata={"Date": None})
    head, _, body = text.getvalue().partition("<svg")
    root, _, inside = body.partition(">")
    words = f'<title id="title">{escape(title)}</title><desc id="desc">{escape(description)}</desc>'
    return f'{head}<svg{root} role="img" aria-labelledby="title desc">{words}{inside}'
