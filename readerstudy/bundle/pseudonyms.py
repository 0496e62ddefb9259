"""Pseudonyms of patients and people, and shifted moments.

Day 0 is the day on which the study was made; it is written as 2000-01-01. Each reader's first session opens at the
beginning of its day, and all of the reader's other moments keep their distance from it. So intervals within a reader
are exact, and nobody learns at what hour of which date somebody worked.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

DAY_0: Final = datetime(2000, 1, 1, tzinfo=UTC)
WITHHELD: Final = "[withheld]"  # a free text that somebody wrote
_LABEL_BITS: Final = 48
_PLAIN_TEXT: Final = 64  # characters, as a SHA-256 has
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """Shifts moments. `first_opened` is when each reader, by code, opened their first session."""

    made_at: datetime
    first_opened: Mapping[str, datetime]

    def day(self, at: datetime) -> int:
        """Return the day of a moment, counted from that on which the study was made; negative before it."""
        return (at - self.made_at) // _DAY

    def start_day(self, reader: str) -> int | None:
        """Return the day on which the reader opened their first session, None if they never did."""
        opened = self.first_opened.get(reader)
        return None if opened is None else self.day(opened)

    def shifted(self, at: datetime) -> datetime:
        """Return the shifted day of a moment of the study."""
        return on_day(self.day(at))

    def seconds(self, reader: str, at: datetime | None) -> float | None:
        """Return the seconds since the reader opened their first session."""
        if at is None:
            return None
        return (at - self.first_opened.get(reader, self.made_at)).total_seconds()

    def shifted_of(self, reader: str, at: datetime | None) -> datetime | None:
        """Return a moment of a reader on their shifted clock."""
        seconds = self.seconds(reader, at)
        if seconds is None:
            return None
        return on_day(self.start_day(reader) or 0) + timedelta(seconds=seconds)


def on_day(number: int) -> datetime:
    """Return the beginning of a shifted day."""
    return DAY_0 + number * _DAY


def random_labels(keys: Iterable[int]) -> dict[int, str]:
    """Return a random label for each key, in the order of the keys.

    The order decides the last digits of sums over patients, so that it is kept; the labels say nothing else.
    """
    ordered = sorted(set(keys))
    labels: set[str] = set()
    while len(labels) < len(ordered):
        labels.add(f"P{secrets.randbits(_LABEL_BITS):0{_LABEL_BITS // 4}x}")
    return dict(zip(ordered, sorted(labels), strict=True))


@dataclass
class Team:
    """Codes of the people of a study by their keys: those of readers, and T1, T2, … in order of appearance."""

    readers: Mapping[int, str]
    others: dict[int, str] = field(default_factory=dict)

    def code(self, person: int | None) -> str:
        """Return the code of a person; empty for nobody."""
        if person is None:
            return ""
        return self.readers.get(person) or self.others.setdefault(person, f"T{len(self.others) + 1}")


def without_texts(value: Any) -> Any:
    """Return JSON data without what could be a text that somebody wrote: numbers and single words remain."""
    if isinstance(value, Mapping):
        return {key: without_texts(item) for key, item in value.items() if _is_word(key)}
    if isinstance(value, list):
        return [without_texts(item) for item in value]
    return value if not isinstance(value, str) or _is_word(value) else WITHHELD


def _is_word(text: str) -> bool:
    return len(text) <= _PLAIN_TEXT and all(
        letter.isascii() and (letter.isalnum() or letter in "_.:+-") for letter in text
    )
