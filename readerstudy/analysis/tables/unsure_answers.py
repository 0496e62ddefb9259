"""Correct verdicts under every rule for "unsure", with bounds for missing readings, as values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import VERDICT_SEEN, VERDICT_UNSURE, AggregatedReadings, subset_kinds
from readerstudy.analysis.record.study import SessionImages, StudyRecord
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.proportions import Proportion, wilson
from readerstudy.statistics.unsure import Unsure

SUBSETS = (Subset.REAL, Subset.ADVERSARIAL)
RULES = (Unsure.WRONG, Unsure.HALF, Unsure.EXCLUDED)


@dataclass(frozen=True)
class ReaderShares:
    """Shares of correct verdicts of one reader, session and kind of image under every rule, and missing readings.

    `best` counts every "unsure" as correct. `missing_wrong` and `missing_correct` are the shares under the plan's rule
    if all missing verdicts were wrong or correct; None if nothing was drawn and nothing read.
    """

    reader: str
    by_rule: Mapping[Unsure, Proportion]
    best: Proportion
    readings: int
    unsure: int
    missing: int
    missing_wrong: float | None
    missing_correct: float | None

    @property
    def shares(self) -> tuple[float | None, ...]:
        """The shares with "unsure" as wrong, half correct, excluded, and correct."""
        return (*(self.by_rule[rule].share for rule in RULES), self.best.share)


@dataclass(frozen=True)
class ShareGroup:
    """The readers of one arm in one session, for one kind of image."""

    arm: str
    session: int
    subset: Subset
    readers: tuple[ReaderShares, ...]

    @property
    def means(self) -> tuple[float | None, ...]:
        """Means over the readers with verdicts, in the order of `ReaderShares.shares`."""
        shares = [reader.shares for reader in self.readers]
        return tuple(mean_of(values[index] for values in shares) for index in range(len(RULES) + 1))

    @property
    def readings(self) -> int:
        return sum(reader.readings for reader in self.readers)

    @property
    def missing(self) -> int:
        return sum(reader.missing for reader in self.readers)


def share_groups(record: StudyRecord, plan: AnalysisPlan) -> Iterator[ShareGroup]:
    """Yield every arm, session with verdicts, and kind of image, with all enrolled readers of the arm."""
    rule = Unsure(plan.unsure)
    for arm in record.arms:
        readers = record.readers_of_arm(arm)
        for image_set in record.sets_of_arm(arm):
            for subset in SUBSETS if image_set.asks_for_verdict else ():
                shares = (_reader_shares(record.readings, reader, image_set, subset, rule) for reader in readers)
                yield ShareGroup(arm, image_set.number, subset, tuple(shares))


def _reader_shares(
    readings: AggregatedReadings, reader: str, image_set: SessionImages, subset: Subset, rule: Unsure
) -> ReaderShares:
    session = image_set.number
    verdicts = readings.verdicts_of(reader, session)[list(subset_kinds(subset)), :VERDICT_SEEN].sum(axis=0)
    count, unsure = int(verdicts.sum()), int(verdicts[VERDICT_UNSURE])
    by_rule = {each: readings.share_correct(reader, session, subset, each) for each in RULES}
    missing = max(image_set.count(subset.authenticity) - count, 0)
    planned, hits = by_rule[rule].trials + missing, by_rule[rule].hits
    return ReaderShares(
        reader=reader,
        by_rule=by_rule,
        best=wilson(by_rule[Unsure.WRONG].hits + unsure, count),
        readings=count,
        unsure=unsure,
        missing=missing,
        missing_wrong=hits / planned if planned else None,
        missing_correct=(hits + missing) / planned if planned else None,
    )


def mean_of(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that exist, or None."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
