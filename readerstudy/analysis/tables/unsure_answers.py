"""Right verdicts with "unsure" taken in every way, and with the missing ones all wrong or all right, as values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import fmean

from readerstudy.analysis.record.codes import Subset, by_number
from readerstudy.analysis.record.counts import SAID_SEEN, SAID_UNSURE, Tallies, kinds_of
from readerstudy.analysis.record.study import SessionSet, StudyRecord
from readerstudy.statistics.proportions import Proportion, wilson
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan

KINDS = (Subset.REAL, Subset.ADVERSARIAL)
RULES = (Unsure.WRONG, Unsure.HALF, Unsure.EXCLUDED)


@dataclass(frozen=True)
class Share:
    """One reader, session and kind of image: right verdicts under every rule, and what is missing.

    `best` takes every unsure verdict as right; taking it as wrong is a rule already. `missing_wrong` and
    `missing_right` are under the plan's rule, None where nothing was drawn and nothing read.
    """

    reader: str
    by_rule: dict[Unsure, Proportion]
    best: Proportion
    readings: int
    unsure: int
    missing: int
    missing_wrong: float | None
    missing_right: float | None

    @property
    def shares(self) -> tuple[float | None, ...]:
        """Wrong, half, excluded, right."""
        return (*(self.by_rule[rule].share for rule in RULES), self.best.share)


@dataclass(frozen=True)
class Group:
    """All readers of one arm in one session about one kind of image."""

    arm: str
    session: int
    kind: Subset
    shares: tuple[Share, ...]

    @property
    def means(self) -> tuple[float | None, ...]:
        """Over the readers with verdicts, by wrong, half, excluded and right."""
        return tuple(mean_of(one.shares[place] for one in self.shares) for place in range(len(RULES) + 1))


def groups_of(record: StudyRecord, plan: AnalysisPlan) -> Iterator[Group]:
    for arm in record.arms:
        readers = [reader for reader in sorted(record.readers, key=by_number) if record.readers[reader] == arm]
        sets = sorted((one for one in record.sets if one.arm == arm and one.asks), key=lambda one: one.number)
        for drawn in sets:
            for kind in KINDS:
                shares = (_share(record.tallies, reader, drawn, kind, Unsure(plan.unsure)) for reader in readers)
                yield Group(arm, drawn.number, kind, tuple(shares))


def _share(tallies: Tallies, reader: str, drawn: SessionSet, kind: Subset, rule: Unsure) -> Share:
    given = tallies.of(reader, drawn.number)[list(kinds_of(kind)), :SAID_SEEN].sum(axis=0)
    readings, unsure = int(given.sum()), int(given[SAID_UNSURE])
    by_rule = {one: tallies.share(reader, drawn.number, kind, one) for one in RULES}
    missing = max(drawn.count(kind.authenticity) - readings, 0)
    planned, hits = by_rule[rule].trials + missing, by_rule[rule].hits
    return Share(
        reader=reader,
        by_rule=by_rule,
        best=wilson(by_rule[Unsure.WRONG].hits + unsure, readings),
        readings=readings,
        unsure=unsure,
        missing=missing,
        missing_wrong=hits / planned if planned else None,
        missing_right=(hits + missing) / planned if planned else None,
    )


def mean_of(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
