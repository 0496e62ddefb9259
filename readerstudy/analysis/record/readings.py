"""Readings joined with the truth, in long form, one element per reading."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from readerstudy.statistics.unsure import Unsure

if TYPE_CHECKING:
    pass
from readerstudy.analysis.record.codes import (
    ADVERSARIAL,
    NEGATIVE,
    PAIR,
    POSITIVE,
    REAL,
    SEEN,
    VERDICTS,
    Subset,
    by_number,
)


class ReadingRow(NamedTuple):
    """One reading and the truth about what was shown; `*_at` in seconds since 1970 (UTC), NaN if unknown.

    `case` names the image shown; where it is empty, the place in the session does, for lists in one order for all.
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
class Readings:
    """Aligned arrays, one element per reading, sorted by reader, session and position (the reading order).

    `source_pathology` is the patient's: of the image itself, of a fake's parent, of a triptych's parent.
    `verdict` is "seen" where nothing was asked (sessions 1 and 4).
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
    def of(cls, rows: Iterable[ReadingRow]) -> "Readings":
        """Sort the rows into reading order; ValueError for a word or a double that no study can hold."""
        ordered = sorted(rows, key=lambda row: (by_number(row.reader), row.session, row.position))
        _check(ordered)
        named = (row if row.case else row._replace(case=f"{row.session}.{row.position}") for row in ordered)
        columns = list(zip(*named, strict=True)) or [() for _ in ReadingRow._fields]
        kinds = (str, np.int64, np.int64, str, str, str, np.int64, np.float64, np.float64, str)
        return cls(*(np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)))

    def __len__(self) -> int:
        return int(self.position.size)

    def where(
        self, *, reader: str | None = None, session: int | None = None, subset: Subset | None = None
    ) -> "Readings":
        """Those of one reader, session or subset, in reading order."""
        chosen = np.ones(len(self), dtype=bool)
        if reader is not None:
            chosen &= self.reader == reader
        if session is not None:
            chosen &= self.session == session
        if subset is not None:
            chosen &= self.authenticity == subset.authenticity
            if subset.pathology is not None:
                chosen &= self.source_pathology == subset.pathology
        return self.chosen(chosen)

    def chosen(self, mask: NDArray[np.bool_]) -> "Readings":
        """Those where the mask is True, in reading order."""
        return Readings(*(getattr(self, field.name)[mask] for field in fields(self)))

    @property
    def asked(self) -> "Readings":
        """Those with a verdict about authenticity: without the sessions in which images are only seen."""
        return self.chosen(self.verdict != SEEN)

    @property
    def readers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.reader.tolist()))

    @property
    def sessions(self) -> tuple[int, ...]:
        return tuple(np.unique(self.session).tolist())

    def credits(self, rule: Unsure) -> NDArray[np.float64]:
        """1 for correct, 0 for wrong, "unsure" by the rule (excluded ones are gone), in reading order."""
        credits = rule.credits(self.verdict, self.authenticity == ADVERSARIAL)
        return credits[~np.isnan(credits)]


def _check(rows: list[ReadingRow]) -> None:
    places = {(row.reader, row.session, row.position) for row in rows}
    if len(places) < len(rows):
        raise ValueError("Two readings stand at the same position of one reader's session.")
    for row in rows:
        if row.verdict not in VERDICTS:
            raise ValueError(f"{row.verdict!r} is not a verdict.")
        if row.authenticity not in (REAL, ADVERSARIAL, PAIR):
            raise ValueError(f"{row.authenticity!r} is not an authenticity.")
        if row.source_pathology not in (POSITIVE, NEGATIVE):
            raise ValueError(f"{row.source_pathology!r} is neither positive nor negative.")
