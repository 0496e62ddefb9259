"""The tables in a bundle beside those computed from its rows."""

from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

Results = dict[str, Any]
_STYLE_SHEETS = ("css/tokens.css", "css/report.css")


@dataclass(frozen=True)
class ComparedRow:
    """One row of a table, as the bundle states it and as it was computed; None: there is no such row."""

    stated: tuple[str, ...] | None
    computed: tuple[str, ...] | None

    @property
    def differs(self) -> bool:
        return self.stated != self.computed


@dataclass(frozen=True)
class ComparedTable:
    """One table. `columns` are the keys of its columns."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[ComparedRow, ...]
    is_same: bool

    @property
    def cells(self) -> int:
        return len(self.columns) * len(self.rows)


@dataclass(frozen=True)
class Comparison:
    """Results as a bundle states them, and as computed from its rows; both as `StudyReport.as_dict`."""

    stated: Results
    computed: Results

    @cached_property
    def tables(self) -> tuple[ComparedTable, ...]:
        """Every table, in the order of the report."""
        stated, computed = self.stated.get("tables", {}), self.computed["tables"]
        return tuple(_compared(key, stated.get(key), computed.get(key)) for key in {**computed, **stated})

    @property
    def differing(self) -> tuple[str, ...]:
        """The keys of the tables that are not the same."""
        return tuple(table.key for table in self.tables if not table.is_same)

    @property
    def other_parts(self) -> tuple[str, ...]:
        """The parts of the results beside the tables that are not the same, such as sentences."""
        names = {**self.stated, **self.computed}
        return tuple(name for name in names if name != "tables" and self.stated.get(name) != self.computed.get(name))

    @property
    def is_same(self) -> bool:
        return self.stated == self.computed

    @property
    def cells(self) -> int:
        return sum(table.cells for table in self.tables)

    def as_html(self) -> str:
        """Return one page with styles inside."""
        sheets = (finders.find(sheet) for sheet in _STYLE_SHEETS)
        style = "\n".join(Path(str(sheet)).read_text(encoding="utf-8") for sheet in sheets if sheet)
        # The style sheets are our own files, so they need no escaping.
        return render_to_string("bundle/comparison.html", {"comparison": self, "style": mark_safe(style)})


def _compared(key: str, stated: Results | None, computed: Results | None) -> ComparedTable:
    both = [each for each in (stated, computed) if each is not None]
    columns = tuple(dict.fromkeys(name for each in both for row in each["rows"] for name in row))
    rows = zip_longest(*(_lines(each, columns) for each in (stated, computed)))
    title = str(both[-1].get("title", key))
    return ComparedTable(key, title, columns, tuple(ComparedRow(*pair) for pair in rows), stated == computed)


def _lines(table: Results | None, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the rows as texts in full precision."""
    if table is None:
        return []
    return [tuple("" if row.get(name) is None else str(row[name]) for name in columns) for row in table["rows"]]
