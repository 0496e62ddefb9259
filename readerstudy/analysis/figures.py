"""The figure of the report: accuracy over sessions, one line per reader, as an accessible SVG."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from threading import Lock
from typing import Any

import matplotlib
from django.utils.translation import gettext as _
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from readerstudy.analysis.records import StudyRecord, Subset, by_number
from readerstudy.analysis.stats.proportions import Proportion
from readerstudy.analysis.stats.unsure import Unsure

# Okabe and Ito (2008), safe for colour-blind readers; the markers and dashes carry it in black and white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
_MARKERS = ("o", "s", "^", "D", "v")
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
_PANELS = (Subset.REAL, Subset.ADVERSARIAL)
# hashsalt: the same study gives the same bytes. fonttype none: words stay words, to be searched and read out.
_STYLE: Any = {
    "svg.hashsalt": "readerstudy",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
}
_style_lock = Lock()  # matplotlib's settings belong to the process, and web threads share it


@dataclass(frozen=True)
class Line:
    """One reader in one panel: the sessions in which the sub-set was read, and the shares there."""

    reader: str
    sessions: tuple[int, ...]
    shares: tuple[Proportion, ...]


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


def accuracy_figure(record: StudyRecord, rule: Unsure) -> Picture | None:
    """Right verdicts over the sessions with Wilson's intervals, real and adversarial side by side.

    None where there are no verdicts.
    """
    lines = {subset: _lines(record, subset, rule) for subset in _PANELS}
    if not any(lines.values()):
        return None
    title = _("Right verdicts over the sessions of study %(code)s") % {"code": record.code}
    description = " ".join(_described(subset, lines[subset]) for subset in _PANELS if lines[subset])
    with _style_lock, matplotlib.rc_context(_STYLE):
        svg = _svg(_drawn(lines))
    caption = _(
        # xgettext: no-python-format
        "Each point is one reader in one session, with Wilson’s 95 % interval. The lines only lead the eye from "
        "session to session. The numbers are those of Table 3."
    )
    return Picture("accuracy", _with_words(svg, title, description), title, description, caption)


def _lines(record: StudyRecord, subset: Subset, rule: Unsure) -> list[Line]:
    tallies = record.tallies
    found = []
    for reader in tallies.readers:
        shares = {session: tallies.share(reader, session, subset, rule) for session in tallies.asked_of(reader)}
        held = {session: share for session, share in shares.items() if share.trials}
        if held:
            found.append(Line(reader, tuple(held), tuple(held.values())))
    return found


def _drawn(lines: dict[Subset, list[Line]]) -> Figure:
    readers = sorted({line.reader for panel in lines.values() for line in panel}, key=by_number)
    sessions = sorted({session for panel in lines.values() for line in panel for session in line.sessions})
    figure = Figure(figsize=(8.4, 3.9), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    titles = (_("Real images called real"), _("Adversarial images called not real"))
    for axis, subset, title in zip(axes, _PANELS, titles, strict=True):
        for line in lines[subset]:
            _draw_line(axis, line, sessions, readers)
        axis.set_title(title, fontsize=10, loc="left")
        axis.set_xticks(range(len(sessions)), [str(session) for session in sessions])
        axis.set_xlim(-0.5, len(sessions) - 0.5)
        axis.set_xlabel(_("Session"))
        # A little more than 0 to 1, so that points on the border are whole.
        axis.set_ylim(-0.03, 1.03)
        axis.grid(axis="y", color="#d9d9d9", linewidth=0.6)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    # xgettext: no-python-format
    axes[0].set_ylabel(_("Share right, with 95 % interval"))
    figure.legend(*_legend(axes), loc="outside right center", frameon=False, title=_("Reader"))
    return figure


def _draw_line(axis: Any, line: Line, sessions: Sequence[int], readers: Sequence[str]) -> None:
    place = readers.index(line.reader)
    # Side by side inside 0.36 of a session's width, so that no interval hides another.
    shift = 0.36 * (place / (len(readers) - 1) - 0.5) if len(readers) > 1 else 0.0
    colour = _COLOURS[place % len(_COLOURS)]
    at = [sessions.index(session) + shift for session in line.sessions]
    share = [one.share or 0.0 for one in line.shares]
    below = [(one.share or 0.0) - (one.low or 0.0) for one in line.shares]
    above = [(one.high or 0.0) - (one.share or 0.0) for one in line.shares]
    axis.errorbar(
        at,
        share,
        yerr=(below, above),
        label=line.reader,
        color=colour,
        marker=_MARKERS[place % len(_MARKERS)],
        linestyle=_DASHES[place % len(_DASHES)],
        markersize=4.5,
        linewidth=1.3,
        elinewidth=0.9,
        capsize=2,
    )


def _legend(axes: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """Each reader once, though a reader may stand in one panel only."""
    by_reader: dict[str, Any] = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        by_reader.update(zip(labels, handles, strict=True))
    ordered = sorted(by_reader.items(), key=lambda item: by_number(item[0]))
    return [handle for _label, handle in ordered], [label for label, _handle in ordered]


def _svg(figure: Figure) -> str:
    text = StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(text, metadata={"Date": None})
    return text.getvalue()


def _described(subset: Subset, lines: Sequence[Line]) -> str:
    head = {
        Subset.REAL: _("Share of real images called real, by reader and session:"),
        Subset.ADVERSARIAL: _("Share of adversarial images called not real, by reader and session:"),
    }[subset]
    return f"{head} {'; '.join(_described_line(line) for line in lines)}."


def _described_line(line: Line) -> str:
    pairs = zip(line.sessions, line.shares, strict=True)
    points = ", ".join(
        _("%(share)s (session %(session)s)") % {"share": f"{one.share:.2f}", "session": session}
        for session, one in pairs
    )
    return f"{line.reader} {points}"


def _with_words(svg: str, title: str, description: str) -> str:
    """Put <title> and <desc> first inside the root and name them there: what a screen reader reads."""
    start = svg.index("<svg")
    end = svg.index(">", start)
    words = f'<title id="title">{escape(title)}</title><desc id="desc">{escape(description)}</desc>'
    root = svg[start:end] + ' role="img" aria-labelledby="title desc"'
    return svg[:start] + root + ">" + words + svg[end + 1 :]
