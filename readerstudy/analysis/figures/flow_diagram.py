"""Boxes and arrows as SVG: the cohort and its splits on top, below them one column of boxes per arm."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

COLUMN_WIDTH = 366  # CSS pixels; two columns fill the width of an A4 page
_MINIMUM_COLUMNS = 2  # width of the cohort and the splits
_GAP, _ARROW, _PADDING = 24, 26, 10
_LINE_HEIGHT, _FONT_SIZE = 16, 12
_LETTER_WIDTH = 6.1  # mean, at this font size
_BOLD_FACTOR = 0.93  # letters per line of bold text, relative to normal text
_INK, _RULE, _HEAD = "#1a1a1a", "#595959", "#eef3f8"


@dataclass(frozen=True)
class FlowBox:
    """A heading and the lines below it."""

    title: str
    lines: tuple[str, ...]

    @property
    def description(self) -> str:
        """The content as one sentence."""
        return f"{self.title}: {'; '.join(line.rstrip('.') for line in self.lines)}."

    def wrapped(self, width: float) -> tuple[list[str], list[str]]:
        """Return the lines of the heading and of the text, wrapped to a box of this width."""
        letters = max(12, int((width - 2 * _PADDING) / _LETTER_WIDTH))
        heading = textwrap.wrap(self.title, int(letters * _BOLD_FACTOR))
        return heading, [part for line in self.lines for part in textwrap.wrap(line, letters)]

    def height(self, width: float) -> float:
        """Return the height of a box of this width, in pixels."""
        return _LINE_HEIGHT * sum(map(len, self.wrapped(width))) + 2 * _PADDING


@dataclass(frozen=True)
class PlacedBox:
    """A box with its position and size, in pixels."""

    box: FlowBox
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True)
class FlowDiagram:
    """The boxes of a diagram. `top` and `splits` span all columns; the splits are side by side."""

    top: tuple[FlowBox, ...]
    splits: tuple[FlowBox, ...]
    columns: tuple[tuple[FlowBox, ...], ...]

    @property
    def boxes(self) -> tuple[FlowBox, ...]:
        return (*self.top, *self.splits, *(box for column in self.columns for box in column))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in CSS pixels."""
        return self._width, round(max(box.bottom for row in self._placed() for box in row) + 2)

    def svg(self, title: str, description: str) -> str:
        """Return the diagram as SVG, with title and description first for screen readers."""
        width, height = self.size
        rows = self._placed()
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="title desc" '
            f'font-family="sans-serif" font-size="{_FONT_SIZE}" fill="{_INK}">',
            f'<title id="title">{escape(title)}</title><desc id="desc">{escape(description)}</desc>',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *(part for upper, lower in self._arrows(rows) for part in _arrow_svg(upper, lower)),
            *(part for row in rows for box in row for part in _box_svg(box)),
            "</svg>",
        ]
        return "\n".join(parts)

    @property
    def _width(self) -> int:
        columns = max(len(self.columns), _MINIMUM_COLUMNS)
        return columns * COLUMN_WIDTH + (columns - 1) * _GAP + 2

    def _placed(self) -> list[list[PlacedBox]]:
        """Return the top boxes one by one, the splits, then each column as one list."""
        rows: list[list[PlacedBox]] = []
        y = 1.0
        for box in self.top:
            rows.append(_side_by_side([box], y, self._width))
            y = rows[-1][0].bottom + _ARROW
        if self.splits:
            rows.append(_side_by_side(self.splits, y, self._width))
            y = max(box.bottom for box in rows[-1]) + 1.5 * _ARROW
        return rows + self._placed_columns(y)

    def _placed_columns(self, y: float) -> list[list[PlacedBox]]:
        """Return each column; boxes of one row start at the same height, so that arms can be compared."""
        count = len(self.columns)
        left = (self._width - count * COLUMN_WIDTH - (count - 1) * _GAP) / 2
        placed: list[list[PlacedBox]] = [[] for _column in self.columns]
        for row in range(max(map(len, self.columns), default=0)):
            boxes = [column[row] if row < len(column) else None for column in self.columns]
            height = max(box.height(COLUMN_WIDTH) for box in boxes if box)
            for index, box in enumerate(boxes):
                if box:
                    x = left + index * (COLUMN_WIDTH + _GAP)
                    placed[index].append(PlacedBox(box, x, y, COLUMN_WIDTH, height))
            y += height + _ARROW
        return placed

    def _arrows(self, rows: Sequence[Sequence[PlacedBox]]) -> Iterator[tuple[PlacedBox, PlacedBox]]:
        top = rows[: len(self.top)]
        for upper, lower in pairwise(top):
            yield upper[0], lower[0]
        columns = rows[len(rows) - len(self.columns) :]
        heads = [column[0] for column in columns if column]
        splits = rows[len(self.top)] if self.splits else []
        for split in splits:
            if top:
                yield top[-1][0], split
            yield from ((split, head) for head in heads)
        for column in columns:
            yield from pairwise(column)


def _side_by_side(boxes: Sequence[FlowBox], y: float, width: float) -> list[PlacedBox]:
    each = (width - 2 - _GAP * (len(boxes) - 1)) / len(boxes)
    height = max(box.height(each) for box in boxes)
    return [PlacedBox(box, 1 + index * (each + _GAP), y, each, height) for index, box in enumerate(boxes)]


def _arrow_svg(upper: PlacedBox, lower: PlacedBox) -> Iterator[str]:
    """Yield an arrow: down, across in the middle of the gap, down. Arrows to the same box share a line."""
    start = upper.middle
    if upper.width > lower.width:
        # Straight down from a wide box to a narrow one, so that arrows do not all start at one point.
        start = min(max(lower.middle, upper.x + _GAP), upper.x + upper.width - _GAP)
    end = lower.middle
    turn = (upper.bottom + lower.y) / 2
    points = f"{start:.1f},{upper.bottom:.1f} {start:.1f},{turn:.1f} {end:.1f},{turn:.1f} {end:.1f},{lower.y - 5:.1f}"
    yield f'<polyline points="{points}" fill="none" stroke="{_RULE}" stroke-width="1.2"/>'
    tip = f"{end - 4:.1f},{lower.y - 7:.1f} {end + 4:.1f},{lower.y - 7:.1f} {end:.1f},{lower.y:.1f}"
    yield f'<polygon points="{tip}" fill="{_RULE}"/>'


def _box_svg(placed: PlacedBox) -> Iterator[str]:
    heading, lines = placed.box.wrapped(placed.width)
    head = _LINE_HEIGHT * len(heading) + _PADDING
    frame = f'x="{placed.x:.1f}" y="{placed.y:.1f}" width="{placed.width:.1f}"'
    yield f'<rect {frame} height="{placed.height:.1f}" fill="#ffffff"/>'
    yield f'<rect {frame} height="{head:.1f}" fill="{_HEAD}"/>'
    yield f'<rect {frame} height="{placed.height:.1f}" fill="none" stroke="{_RULE}"/>'
    y = placed.y + _PADDING / 2 + _FONT_SIZE
    for text, weight in (*((text, ' font-weight="bold"') for text in heading), *((text, "") for text in lines)):
        yield f'<text x="{placed.x + _PADDING:.1f}" y="{y:.1f}"{weight}>{escape(text)}</text>'
        # The text has a small distance from the heading.
        y += _LINE_HEIGHT + (_PADDING / 2 if text == heading[-1] and weight else 0)
