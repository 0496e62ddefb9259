"""What differs between two versions of a report: figures that changed, and rows and tables that came or went. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

MOST_CHANGES: Final = 500  # on a page
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One figure that changed. None: there is none. `row` and `column` are in words, `code` names both."""

    row: str
    column: str
    code: str
    before: Any
    after: Any


@dataclass(frozen=True)
class TableDifference:
    """What changed in one table. `is_new` and `is_gone`: only one of the versions has it."""

    key: str
    title: str
    changes: tuple[Change, ...] = ()
    is_new: bool = False
    is_gone: bool = False


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[TableDifference, ...]:
    """Return what differs between the results of two versions in one language, by table."""
    one, other = before["tables"], after["tables"]
    found = []
    for key in (*other, *(key for key in one if key not in other)):
        if key not in one or key not in other:
            title = (other.get(key) or one[key])["title"]
            found.append(TableDifference(key, title, is_new=key not in one, is_gone=key not in other))
        elif changes := tuple(_changes(one[key], other[key])):
            found.append(TableDifference(key, other[key]["title"], changes))
    return tuple(found)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the changes of a table. The codes of its words say which row of one version is which of the other."""
    old, new = _by_identity(before), _by_identity(after)
    for identity in (*new, *(each for each in old if each not in new)):
        was, now = old.get(identity, {}), new.get(identity, {})
        words, row = _words_of(new.get(identity) or old[identity]), _name_of(identity)
        for column in (*now, *(each for each in was if each not in now)):
            if was.get(column) != now.get(column):
                yield Change(words, column, f"{row}.{column}", was.get(column), now.get(column))


def _by_identity(table: Mapping[str, Any]) -> dict[tuple[str, ...], Row]:
    seen: Counter[tuple[str, ...]] = Counter()
    rows = {}
    for row, codes in zip(table["rows"], table["row_codes"], strict=True):
        own = _identity(row, codes)
        seen[own] += 1
        rows[*own, str(seen[own])] = row
    return rows


def _identity(row: Row, codes: Mapping[str, str]) -> tuple[str, ...]:
    """Return the codes of the first two words at the beginning of a row; of a row of words alone the first one."""
    words = list(takewhile(lambda column: column in codes, row))
    return tuple(codes[column] for column in words[: 1 if len(words) == len(row) else 2])


def _words_of(row: Row) -> str:
    first = [value for value in list(row.values())[:2] if isinstance(value, str)]
    return " · ".join(first)


def _name_of(identity: tuple[str, ...]) -> str:
    *words, number = identity
    return ".".join([*words, *([number] if number != "1" else [])])
