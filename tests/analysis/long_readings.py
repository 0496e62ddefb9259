"""Readings joined with the truth in long form, one element per reading: input of the oracle `counting.count`."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from readerstudy.analysis.record.codes import (
    ADVERSARIAL,
    NEGATIVE,
    PAIR,
    POSITIVE,
    REAL,
    SEEN,
    VERDICTS,
    Subset,
    reader_sort_key,
)
from readerstudy.statistics.unsure import Unsure


class ReadingRow(NamedTuple):
    """One reading and the truth about the image shown; `*_at` in seconds since 1970 (UTC), NaN if unknown.

    `case` identifies the image. If it is empty, session and position do, for lists with the same order for all.
    """

    reader: str
    session: int
    position: int
    verdict: str
    authenticity: str
    source_pathology: str
    elapsed_ms: int
    shown_at: float = float("nan")
    answered_at: float = float("nan")
    case: str = ""


@dataclass(frozen=True)
class LongReadings:
    """Aligned arrays, one element per reading, sorted by reader, session and position (the reading order).

    `source_pathology` is that of the patient: of the image itself, or of the source of an adversarial image or
    triptych. `verdict` is "seen" in sessions that ask for no verdict (1 and 4).
    """

    reader: NDArray[np.str_]
    session: NDArray[np.int64]
    position: NDArray[np.int64]
    verdict: NDArray[np.str_]
    authenticity: NDArray[np.str_]
    source_pathology: NDArray[np.str_]
    elapsed_ms: NDArray[np.int64]
    shown_at: NDArray[np.float64]
    answered_at: NDArray[np.float64]
    case: NDArray[np.str_]

    @classmethod
    def of(cls, rows: Iterable[ReadingRow]) -> "LongReadings":
        """Sort the rows into reading order. Raises ValueError for unknown codes and repeated positions."""
        ordered = sorted(rows, key=lambda row: (reader_sort_key(row.reader), row.session, row.position))
        _check(ordered)
        named = (row if row.case else row._replace(case=f"{row.session}.{row.position}") for row in ordered)
        columns = list(zip(*named, strict=True)) or [() for _ in ReadingRow._fields]
        kinds = (str, np.int64, np.int64, str, str, str, np.int64, np.float64, np.float64, str)
        return cls(*(np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)))

    def __len__(self) -> int:
        return int(self.position.size)

    def where(
        self, *, reader: str | None = None, session: int | None = None, subset: Subset | None = None
    ) -> "LongReadings":
        """Return the readings of one reader, session or subset, in reading order."""
        mask = np.ones(len(self), dtype=bool)
        if reader is not None:
            mask &= self.reader == reader
        if session is not None:
            mask &= self.session == session
        if subset is not None:
            mask &= self.authenticity == subset.authenticity
            if subset.pathology is not None:
                mask &= self.source_pathology == subset.pathology
        return self.select(mask)

    def select(self, mask: NDArray[np.bool_]) -> "LongReadings":
        """Return the readings where the mask is True, in reading order."""
        return LongReadings(*(getattr(self, field.name)[mask] for field in fields(self)))

    @property
    def with_verdict(self) -> "LongReadings":
        """The readings with a verdict about authenticity."""
        return self.select(self.verdict != SEEN)

    @property
    def readers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.reader.tolist()))

    @property
    def sessions(self) -> tuple[int, ...]:
        return tuple(np.unique(self.session).tolist())

    def credits(self, rule: Unsure) -> NDArray[np.float64]:
        """Return 1 for correct, 0 for wrong, "unsure" by the rule, in reading order; excluded readings are dropped."""
        credits = rule.credits(self.verdict, self.authenticity == ADVERSARIAL)
        return credits[~np.isnan(credits)]


def _check(rows: list[ReadingRow]) -> None:
    keys = {(row.reader, row.session, row.position) for row in rows}
    if len(keys) < len(rows):
        raise ValueError("Two readings have the same reader, session and position.")
    for row in rows:
        if row.verdict not in VERDICTS:
            raise ValueError(f"{row.verdict!r} is not a verdict.")
        if row.authenticity not in (REAL, ADVERSARIAL, PAIR):
            raise ValueError(f"{row.authenticity!r} is not an authenticity.")
        if row.source_pathology not in (POSITIVE, NEGATIVE):
            raise ValueError(f"{row.source_pathology!r} is neither positive nor negative.")
