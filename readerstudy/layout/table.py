"""A table as a value (columns, rows, caption), and its HTML, CSV, JSON and plain text."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from io import StringIO
from itertools import groupby, pairwise
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from readerstudy.layout.numbers import localise
from readerstudy.statistics.proportions import Proportion

NOTHING = "—"
PROSE = 48  # characters; longer cells are broken into lines
MAXIMUM_ROWS = 150  # on a page, on paper and in a terminal; files contain all rows


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, if it is not a proportion."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """A difference of two numbers with its interval and p-value, if they can be estimated."""

    value: float
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True)
class Missing:
    """A cell without a number, with the reason. In files it is empty."""

    reason: str


Cell = str | int | float | Proportion | Estimate | Difference | Missing | None


class Kind(StrEnum):
    """The contents of a column, which determine its format."""

    TEXT = "text"
    COUNT = "count"
    DECIMAL = "decimal"
    FRACTION = "fraction"
    SIGNED = "signed"
    SPREAD = "spread"
    SHARE = "share"  # a proportion, two decimals
    PERCENT = "percent"  # a proportion in per cent, one decimal
    LEVEL = "level"  # a share without an interval, in per cent
    ESTIMATE = "estimate"  # two decimals
    AREA = "area"  # an estimate, three decimals
    CHANGE = "change"  # an estimate of a difference: signed, three decimals
    DIFFERENCE = "difference"
    P = "p"
    MIXED = "mixed"  # proportions in per cent, estimates with three decimals, differences, counts


_FORMATS = {
    Kind.DECIMAL: "z.1f",  # z: no negative zero
    Kind.FRACTION: "z.2f",
    Kind.SIGNED: "+z.2f",
    Kind.SPREAD: "z.3f",
    Kind.ESTIMATE: "z.2f",
    Kind.AREA: "z.3f",
    Kind.CHANGE: "+z.3f",
}
_IN_PERCENT = (Kind.PERCENT, Kind.MIXED)
_THREE_DECIMALS = (Kind.AREA, Kind.MIXED)
# The columns of a CSV that a column of this kind fills, by the ending of their names.
_PROPORTION = ("", "_low", "_high", "_hits", "_trials")
_ENDINGS = {
    Kind.SHARE: _PROPORTION,
    Kind.PERCENT: _PROPORTION,
    Kind.ESTIMATE: ("", "_low", "_high"),
    Kind.AREA: ("", "_low", "_high"),
    Kind.CHANGE: ("", "_low", "_high"),
    Kind.DIFFERENCE: ("", "_low", "_high", "_p"),
    Kind.MIXED: (*_PROPORTION, "_p"),
}


@dataclass(frozen=True)
class Column:
    """`key` heads the CSV, `title` the page; neighbours with the same `group` share a heading above.

    `breaks`: long texts of the column are broken into lines.
    """

    key: str
    title: str
    kind: Kind = Kind.TEXT
    group: str = ""
    breaks: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind is not Kind.TEXT


@dataclass(frozen=True)
class ShownCell:
    """One cell as it is shown: rounded text, with interval and counts as `details`.

    `opens`: a new group of columns begins here. `breaks`: its text is broken into lines.
    """

    text: str
    is_number: bool
    details: tuple[str, ...] = ()
    opens: bool = False
    breaks: bool = False

    @property
    def classes(self) -> str:
        """The classes of its element on a page."""
        flags = {"number": self.is_number, "opens": self.opens, "breaks": self.breaks}
        return " ".join(name for name, is_set in flags.items() if is_set)

    @property
    def line(self) -> str:
        return f"{self.text} {', '.join(self.details)}".strip()


@dataclass(frozen=True)
class Table:
    """Rows of cells in full precision. Numbers are rounded when they are shown to people.

    `key` names its file and its element on a page. `empty` is the message for a table without rows.
    """

    key: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = field(default=())
    empty: str = ""

    @property
    def kind(self) -> str:
        """The kind of item of a section, for templates: "picture" or "table"."""
        return "table"

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"A row of {self.key} has {len(row)} cells for {len(self.columns)} columns.")

    @property
    def column_groups(self) -> list[tuple[str, int]]:
        """The upper line of the heading as (title, columns spanned); empty if no column has a group."""
        spans = [(group, len(list(columns))) for group, columns in groupby(c.group for c in self.columns)]
        return spans if any(group for group, _ in spans) else []

    @property
    def headings(self) -> tuple[ShownCell, ...]:
        """The lower line of the heading."""
        pairs = zip(self.columns, self._opens, strict=True)
        return tuple(ShownCell(column.title, column.is_number, opens=opens) for column, opens in pairs)

    @property
    def _opens(self) -> tuple[bool, ...]:
        groups = [column.group for column in self.columns]
        return (False, *(before != after for before, after in pairwise(groups)))

    @property
    def shown_rows(self) -> Iterator[tuple[bool, tuple[ShownCell, ...]]]:
        """Yield each shown row as (its first cell differs from the one above, its cells)."""
        before: Cell = None
        for row in self.rows[:MAXIMUM_ROWS]:
            columns = zip(row, self.columns, self._opens, strict=True)
            cells = (
                replace(shown(cell, column.kind), opens=opens, breaks=column.breaks) for cell, column, opens in columns
            )
            yield row[0] != before, tuple(cells)
            before = row[0]

    @property
    def is_prose(self) -> bool:
        """Whether cells contain sentences, which are broken into lines."""
        return any(isinstance(cell, str) and len(cell) > PROSE for row in self.rows[:MAXIMUM_ROWS] for cell in row)

    @property
    def left_out(self) -> str:
        """The note under a table that is cut off; empty if all rows are shown."""
        if len(self.rows) <= MAXIMUM_ROWS:
            return ""
        note = _("These are the first %(shown)s of %(all)s lines; the CSV has them all.")
        return note % {"shown": MAXIMUM_ROWS, "all": len(self.rows)}

    def as_dict(self) -> dict[str, Any]:
        """Return the table for JSON, with the same numbers as in the CSV by column key."""
        header, *lines = _flat(self)
        return {
            "title": self.title,
            "caption": self.caption,
            "notes": list(self.notes),
            "columns": [{"key": each.key, "title": each.title, "group": each.group} for each in self.columns],
            "rows": [dict(zip(map(str, header), line, strict=True)) for line in lines],
        }


def shown(cell: Cell, kind: Kind) -> ShownCell:
    """Return the cell as people read it; a dash for None."""
    is_number = kind is not Kind.TEXT
    match cell:
        case None:
            return ShownCell(NOTHING, is_number)
        case Missing():
            return ShownCell(cell.reason, is_number)
        case Proportion():
            return _shown_percentage(cell) if kind in _IN_PERCENT else _shown_share(cell)
        case Estimate():
            return _shown_estimate(cell, kind)
        case Difference():
            return _shown_difference(cell)
        case float() if kind is Kind.P:
            return ShownCell(_p_value(cell), is_number)
        case float() if kind is Kind.LEVEL:
            return ShownCell(localise(f"{100 * cell:.4g} %"), is_number)
        case int() | float() if kind in _FORMATS:
            return ShownCell(localise(format(cell, _FORMATS[kind])), is_number)
        case float():
            return ShownCell(localise(f"{cell:g}"), is_number)
    return ShownCell(str(cell), is_number)


def _shown_estimate(cell: Estimate, kind: Kind) -> ShownCell:
    """Write the bounds with a dash, or with "to" if they have signs: a dash would look like one."""
    digits = "+z.3f" if kind is Kind.CHANGE else "z.3f" if kind in _THREE_DECIMALS else "z.2f"
    value, low, high = (localise(format(number, digits)) for number in (cell.value, cell.low, cell.high))
    is_signed = cell.low < 0 or kind is Kind.CHANGE
    bounds = _("%(low)s to %(high)s") % {"low": low, "high": high} if is_signed else f"{low}–{high}"
    return ShownCell(value, True, (bounds,))


def _shown_difference(cell: Difference) -> ShownCell:
    details = []
    if cell.low is not None and cell.high is not None:
        low, high = (localise(f"{number:+z.3f}") for number in (cell.low, cell.high))
        details.append(_("%(low)s to %(high)s") % {"low": low, "high": high})
    if cell.p is not None:
        details.append(_("p %(value)s") % {"value": _p_value(cell.p)})
    return ShownCell(localise(f"{cell.value:+z.3f}"), True, tuple(details))


def _shown_share(cell: Proportion) -> ShownCell:
    if cell.share is None:
        return ShownCell(NOTHING, True)
    details = (localise(f"{cell.low:.2f}–{cell.high:.2f}"), localise(f"{cell.hits:g}/{cell.trials}"))
    return ShownCell(localise(f"{cell.share:.2f}"), True, details)


def _shown_percentage(cell: Proportion) -> ShownCell:
    if cell.share is None or cell.low is None or cell.high is None:
        return ShownCell(NOTHING, True)
    bounds = localise(f"{100 * cell.low:.1f}–{100 * cell.high:.1f} %")
    return ShownCell(localise(f"{100 * cell.share:.1f} %"), True, (bounds, localise(f"{cell.hits:g}/{cell.trials}")))


def _p_value(p: float) -> str:
    return localise("<0.001" if p < 0.001 else f"{p:.3f}")


def to_html(table: Table) -> str:
    """Return a <table> with its caption; without rows the message `empty`."""
    return render_to_string("layout/_table.html", {"table": table})


def to_csv(table: Table) -> str:
    """Return the table in full precision. Intervals and counts have separate columns (`_ENDINGS`)."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(_flat(table))
    return text.getvalue()


def to_text(table: Table) -> str:
    """Return the table for a terminal: aligned columns, numbers to the right."""
    lines = [list(table.headings), *(list(cells) for _, cells in table.shown_rows)]
    widths = [max(len(line[i].line) for line in lines) for i in range(len(table.columns))]
    body = ["  ".join(map(_aligned, line, widths)).rstrip() for line in lines]
    rule = "  ".join("-" * width for width in widths)
    content = [*_group_line(table, widths), body[0], rule, *body[1:]] if table.rows else [table.empty]
    left_out = [table.left_out] if table.left_out else []
    return "\n".join([table.title, "", *content, *left_out, "", *table.notes]).rstrip() + "\n"


def _group_line(table: Table, widths: list[int]) -> list[str]:
    """Return the upper line of the heading, each title cut to the width of its columns."""
    parts, first = [], 0
    for group, span in table.column_groups:
        width = sum(widths[first : first + span]) + 2 * (span - 1)
        parts.append(group[:width].ljust(width))
        first += span
    return ["  ".join(parts).rstrip()] if parts else []


def _aligned(cell: ShownCell, width: int) -> str:
    return cell.line.rjust(width) if cell.is_number else cell.line.ljust(width)


def _flat(table: Table) -> Iterator[list[Cell]]:
    """Yield the header and the rows, each interval and count in a separate column."""
    endings = [_ENDINGS.get(column.kind, ("",)) for column in table.columns]
    yield [column.key + ending for column, suffixes in zip(table.columns, endings, strict=True) for ending in suffixes]
    for row in table.rows:
        yield [_parts(cell).get(ending) for cell, suffixes in zip(row, endings, strict=True) for ending in suffixes]


def _parts(cell: Cell) -> dict[str, Cell]:
    """Return the numbers of a cell by the ending of their columns."""
    match cell:
        case Missing():
            return {}
        case Proportion():
            return dict(zip(_PROPORTION, (cell.share, cell.low, cell.high, cell.hits, cell.trials), strict=True))
        case Estimate():
            return {"": cell.value, "_low": cell.low, "_high": cell.high}
        case Difference():
            return {"": cell.value, "_low": cell.low, "_high": cell.high, "_p": cell.p}
    return {"": cell}
