"""Boxes and arrows as SVG: one column of boxes for each arm below the cohort and its splits. Knows no study."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

COLUMN = 366  # one arm's width; two of them fill the width of an A4 page
_LEAST = 2  # columns' width that the cohort and the splits get in any case
_GAP, _ARROW, _PADDING = 24, 26, 10
_LINE, _SIZE = 16, 12
_LETTER = 6.1  # mean width of a letter at this size
_INK, _RULE, _HEAD = "#1a1a1a", "#595959", "#eef3f8"


@dataclass(frozen=True)
class Box:
    """A heading and lines below it."""

    title: str
    lines: tuple[str, ...]

    @property
    def in_words(self) -> str:
        return f"{self.title}: {'; '.join(line.rstrip('.') for line in self.lines)}."

    def wrapped(self, width: float) -> tuple[list[str], list[str]]:
        """Lines of the heading and below it that fit into a box of this width."""
        letters = max(12, int((width - 2 * _PADDING) / _LETTER))
        heading = textwrap.wrap(self.title, int(letters * 0.93))  # bold letters are wider
        return heading, [part for line in self.lines for part in textwrap.wrap(line, letters)]

    def height(self, width: float) -> float:
        return _LINE * sum(map(len, self.wrapped(width))) + 2 * _PADDING


@dataclass(frozen=True)
class Placed:
    """A box in its place."""

    box: Box
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def foot(self) -> float:
        return self.y + self.height


@dataclass(frozen=True)
class Chart:
    """`top` and `splits` stand over all columns, the splits side by side."""

    top: tuple[Box, ...]
    splits: tuple[Box, ...]
    columns: tuple[tuple[Box, ...], ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        return (*self.top, *self.splits, *(box for column in self.columns for box in column))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in CSS pixels."""
        return self._width, round(max(one.foot for row in self._placed() for one in row) + 2)

    def svg(self, title: str, description: str) -> str:
        """The whole picture, with its words first: what a screen reader reads."""
        width, height = self.size
        rows = self._placed()
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="title desc" '
            f'font-family="sans-serif" font-size="{_SIZE}" fill="{_INK}">',
            f'<title id="title">{escape(title)}</title><desc id="desc">{escape(description)}</desc>',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *(part for a, b in self._arrows(rows) for part in _arrow(a, b)),
            *(part for row in rows for one in row for part in _drawn(one)),
            "</svg>",
        ]
        return "\n".join(parts)

    @property
    def _width(self) -> int:
        columns = max(len(self.columns), _LEAST)
        return columns * COLUMN + (columns - 1) * _GAP + 2

    def _placed(self) -> list[list[Placed]]:
        """Rows of boxes: the top ones each, the splits, then each column as one list."""
        rows: list[list[Placed]] = []
        y = 1.0
        for box in self.top:
            rows.append(_side_by_side([box], y, self._width))
            y = rows[-1][0].foot + _ARROW
        if self.splits:
            rows.append(_side_by_side(self.splits, y, self._width))
            y = max(one.foot for one in rows[-1]) + 1.5 * _ARROW
        return rows + self._columns(y)

    def _columns(self, y: float) -> list[list[Placed]]:
        """Below each other; boxes of one row begin at one height, so that arms are compared across."""
        count = len(self.columns)
        left = (self._width - count * COLUMN - (count - 1) * _GAP) / 2
        placed: list[list[Placed]] = [[] for _column in self.columns]
        for row in range(max(map(len, self.columns), default=0)):
            boxes = [column[row] if row < len(column) else None for column in self.columns]
            height = max(box.height(COLUMN) for box in boxes if box)
            for place, box in enumerate(boxes):
                if box:
                    placed[place].append(Placed(box, left + place * (COLUMN + _GAP), y, COLUMN, height))
            y += height + _ARROW
        return placed

    def _arrows(self, rows: Sequence[Sequence[Placed]]) -> Iterator[tuple[Placed, Placed]]:
        above = rows[: len(self.top)]
        for upper, lower in pairwise(above):
            yield upper[0], lower[0]
        heads = [column[0] for column in rows[len(rows) - len(self.columns) :] if column]
        splits = rows[len(self.top)] if self.splits else []
        for split in splits:
            if above:
                yield above[-1][0], split
            yield from ((split, head) for head in heads)
        for column in rows[len(rows) - len(self.columns) :]:
            yield from pairwise(column)


def _side_by_side(boxes: Sequence[Box], y: float, width: float) -> list[Placed]:
    each = (width - 2 - _GAP * (len(boxes) - 1)) / len(boxes)
    height = max(box.height(each) for box in boxes)
    return [Placed(box, 1 + place * (each + _GAP), y, each, height) for place, box in enumerate(boxes)]


def _arrow(upper: Placed, lower: Placed) -> Iterator[str]:
    """Down, across in the middle of the gap, down: lines that meet there become one."""
    # From a wide box straight down to a narrow one, so that arrows do not all leave from one point.
    start = min(max(lower.middle, upper.x + _GAP), upper.x + upper.width - _GAP) if upper.width > lower.width else None
    x0, x1 = (upper.middle if start is None else start), lower.middle
    turn = (upper.foot + lower.y) / 2
    points = f"{x0:.1f},{upper.foot:.1f} {x0:.1f},{turn:.1f} {x1:.1f},{turn:.1f} {x1:.1f},{lower.y - 5:.1f}"
    yield f'<polyline points="{points}" fill="none" stroke="{_RULE}" stroke-width="1.2"/>'
    tip = f"{x1 - 4:.1f},{lower.y - 7:.1f} {x1 + 4:.1f},{lower.y - 7:.1f} {x1:.1f},{lower.y:.1f}"
    yield f'<polygon points="{tip}" fill="{_RULE}"/>'


def _drawn(one: Placed) -> Iterator[str]:
    heading, lines = one.box.wrapped(one.width)
    head = _LINE * len(heading) + _PADDING
    frame = f'x="{one.x:.1f}" y="{one.y:.1f}" width="{one.width:.1f}"'
    yield f'<rect {frame} height="{one.height:.1f}" fill="#ffffff"/>'
    yield f'<rect {frame} height="{head:.1f}" fill="{_HEAD}"/>'
    yield f'<rect {frame} height="{one.height:.1f}" fill="none" stroke="{_RULE}"/>'
    y = one.y + _PADDING / 2 + _SIZE
    for text, weight in (*((text, ' font-weight="bold"') for text in heading), *((text, "") for text in lines)):
        yield f'<text x="{one.x + _PADDING:.1f}" y="{y:.1f}"{weight}>{escape(text)}</text>'
        # The lines below the heading stand a little apart from it.
        y += _LINE + (_PADDING / 2 if text == heading[-1] and weight else 0)
