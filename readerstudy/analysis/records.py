"""What the analysis works on: readings joined with the truth, in long form, one element per reading."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from readerstudy.analysis.stats.unsure import Unsure

if TYPE_CHECKING:
    from readerstudy.analysis.classifier_record import ClassifierRecord
    from readerstudy.analysis.conduct_record import Conduct
    from readerstudy.analysis.detector_record import DetectorRecord
    from readerstudy.analysis.tallies import Tallies

REAL, ADVERSARIAL, PAIR = "real", "adversarial", "pair"
POSITIVE, NEGATIVE = "positive", "negative"
SEEN, UNSURE = "seen", "unsure"
VERDICTS = ("real", "not_real", UNSURE, SEEN)


def by_number(code: str) -> list[str | int]:
    """The key that sorts reader codes as people do: R2 before R10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", code)]


def source_pathology(pathology: str) -> str:
    """Malignant is positive; benign and normal are negative, as in the article."""
    return POSITIVE if pathology == "malignant" else NEGATIVE


class Subset(StrEnum):
    """The article's sub-sets. Positive and negative go by the patient's own pathology.

    So `ADVERSARIAL_POSITIVE` holds fakes *of* positives (the parent is malignant, the network took the
    signs away), whatever the fake now looks like.
    """

    REAL = "real"
    REAL_POSITIVE = "real_positive"
    REAL_NEGATIVE = "real_negative"
    ADVERSARIAL = "adversarial"
    ADVERSARIAL_POSITIVE = "adversarial_positive"
    ADVERSARIAL_NEGATIVE = "adversarial_negative"

    @property
    def authenticity(self) -> str:
        return self.value.partition("_")[0]

    @property
    def pathology(self) -> str | None:
        """positive, negative, or None for both."""
        return self.value.partition("_")[2] or None


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


@dataclass(frozen=True)
class SessionSet:
    """The images of one session in one arm: how many were planned, and what was drawn.

    `drawn` counts by (authenticity, source pathology); triptychs count as `PAIR`.
    """

    number: int
    title: str
    arm: str
    asks: bool
    planned: int
    drawn: Mapping[tuple[str, str], int]

    def count(self, authenticity: str, pathology: str | None = None) -> int:
        """How many were drawn of that kind; of both pathologies where none is given."""
        wanted = (POSITIVE, NEGATIVE) if pathology is None else (pathology,)
        return sum(self.drawn.get((authenticity, one), 0) for one in wanted)


@dataclass(frozen=True)
class StudyRecord:
    """All that a report is made from. `readers` gives every enrolled reader's code their arm.

    `attack` is what the evaluation of the attack stored, or None where nobody ran it; `classifier` has the scores
    that it kept, `detectors` those of detectors of adversarial input. `conduct` is how the study was carried out, None
    where the readings come from elsewhere.
    """

    code: str
    title: str
    is_rehearsal: bool
    readers: Mapping[str, str]
    sets: tuple[SessionSet, ...]
    tallies: "Tallies"
    attack: Mapping[str, Any] | None = None
    conduct: "Conduct | None" = None
    classifier: "ClassifierRecord | None" = None
    detectors: "tuple[DetectorRecord, ...]" = ()

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(sorted({one.arm for one in self.sets}))


def session_pairs(sessions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Every earlier session against every later one."""
    return combinations(sorted(sessions), 2)


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
