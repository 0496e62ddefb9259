"""What the analysis works on: readings joined with the truth, in long form, one element per reading."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from readerstudy.analysis.record.codes import NEGATIVE, POSITIVE

if TYPE_CHECKING:
    from readerstudy.analysis.record.attack import StudyAttack
    from readerstudy.analysis.record.classifier import ClassifierRecord
    from readerstudy.analysis.record.conduct import Conduct
    from readerstudy.analysis.record.counts import Tallies
    from readerstudy.analysis.record.detector import DetectorRecord


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

    `attack` is the evaluation of the attack, None if there is none; `classifier` has the scores
    that it kept, `detectors` those of detectors of adversarial input. `conduct` is how the study was carried out, None
    where the readings come from elsewhere.
    """

    code: str
    title: str
    is_rehearsal: bool
    readers: Mapping[str, str]
    sets: tuple[SessionSet, ...]
    tallies: "Tallies"
    attack: "StudyAttack | None" = None
    conduct: "Conduct | None" = None
    classifier: "ClassifierRecord | None" = None
    detectors: "tuple[DetectorRecord, ...]" = ()

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(sorted({one.arm for one in self.sets}))


def session_pairs(sessions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Every earlier session against every later one."""
    return combinations(sorted(sessions), 2)
