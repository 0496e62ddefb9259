"""Codes of a table's words that are the same in every language: those of its English edition, written as names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from readerstudy.layout.table import Cell, Missing, Table

LONGEST = 80


@dataclass(frozen=True)
class TableCodes:
    """`groups` are the codes of the columns' groups, `rows` those of the words of each row by the key of the column."""

    groups: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def codes_of(table: Table) -> TableCodes:
    """Return the codes of a table that was made in English."""
    groups = tuple(code_of(column.group) for column in table.columns)
    return TableCodes(groups, tuple(dict(_row_codes(table, row)) for row in table.rows))


def code_of(text: str) -> str:
    """Return an English text as a name: "Not real" as "not_real". A text without letters or digits has its own code."""
    name = re.sub(r"[^a-z0-9]+", "_", text.replace("′", " prime ").lower()).strip("_")[:LONGEST]
    return name or "_".join(f"u{ord(character):04x}" for character in text.strip())


def _row_codes(table: Table, row: tuple[Cell, ...]) -> Iterator[tuple[str, str]]:
    for column, cell in zip(table.columns, row, strict=True):
        if isinstance(cell, Missing):
            yield column.key, code_of(cell.reason)
        elif isinstance(cell, str):
            yield column.key, code_of(cell)
