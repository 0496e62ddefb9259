"""The tests that a plan declares, as values: over readers, and one for each reader, corrected within their family."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from readerstudy.analysis.layout.wording import sessions_of, undefined_sentence
from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.mrmc import Comparison as Across
from readerstudy.analysis.tables.mrmc import change
from readerstudy.analysis.tables.signal_detection import detections
from readerstudy.analysis.tables.subgroup_tests import Comparison
from readerstudy.layout.table import Estimate
from readerstudy.statistics.multiplicity import Correction, correct_family
from readerstudy.statistics.signal_detection import DetectionShift, SignalDetection, criterion_shift, d_prime_shift
from readerstudy.studies.analysis_plan import FIGURES, AnalysisPlan, Family

SUBGROUP = "subgroup."


@dataclass(frozen=True)
class PlannedTest:
    """One test that was declared; `p` is two-sided, None where `reason` says why there is none.

    `family` is empty for the primary figure, `reader` for a test over all readers of the arm.
    """

    family: str
    endpoint: str
    arm: str
    reader: str
    estimate: Estimate | float | None
    p: float | None
    adjusted: float | None = None
    reason: str = ""

    def decision(self, alpha: float) -> str:
        if self.adjusted is None:
            return _("not tested")
        return _("changed") if self.adjusted < alpha else _("no change shown")


def declared_tests(
    record: StudyRecord, plan: AnalysisPlan, compared: tuple[Across, ...], comparisons: tuple[Comparison, ...]
) -> tuple[PlannedTest, ...]:
    """The primary figure of each arm, then every endpoint of every family. Arguments are those of `planned_tests`."""
    evidence = _Evidence(record, plan, compared, comparisons)
    primaries = [evidence.over_readers("", plan.primary, arm) for arm in record.arms]
    found = [replace(one, adjusted=one.p) for one in primaries]
    for family in plan.families:
        for arm in record.arms:
            found += _corrected(list(evidence.of_family(family, arm)), Correction(family.correction))
    return tuple(found)


def _corrected(tests: list[PlannedTest], correction: Correction) -> list[PlannedTest]:
    family = correct_family({place: one.p for place, one in enumerate(tests)}, correction)
    return [replace(one, adjusted=family.adjusted[place]) for place, one in enumerate(tests)]


class _Evidence:
    """What was found, looked up by endpoint, arm and reader."""

    def __init__(
        self,
        record: StudyRecord,
        plan: AnalysisPlan,
        compared: tuple[Across, ...],
        comparisons: tuple[Comparison, ...],
    ) -> None:
        self.record, self.plan = record, plan
        self.across = {(one.arm, str(one.figure)): one for one in compared}
        wanted = (one for one in comparisons if (one.a, one.b) == (plan.before, plan.after))
        self.subgroups = {(one.reader, one.subset): one for one in wanted}
        self.detections = detections(record, plan)

    def of_family(self, family: Family, arm: str) -> Iterator[PlannedTest]:
        """Every test of the family in one arm; an endpoint of single readers brings one for each."""
        asked = self.record.tallies.readers_asked()
        for endpoint in family.endpoints:
            if endpoint in FIGURES:
                yield self.over_readers(family.name, endpoint, arm)
                continue
            for reader in (reader for reader in asked if self.record.readers.get(reader) == arm):
                blank = PlannedTest(family.name, endpoint, arm, reader, None, None)
                is_subgroup = endpoint.startswith(SUBGROUP)
                yield self._subgroup(blank) if is_subgroup else self._shift(blank)

    def over_readers(self, family: str, endpoint: str, arm: str) -> PlannedTest:
        one = self.across.get((arm, endpoint))
        if one is None or one.found is None:
            reason = one.reason if one else nothing_to_compare(self.plan)
            return PlannedTest(family, endpoint, arm, "", None, None, reason=reason)
        return PlannedTest(family, endpoint, arm, "", change(one.found), one.found.p, reason=one.reason)

    def _subgroup(self, blank: PlannedTest) -> PlannedTest:
        one = self.subgroups.get((blank.reader, Subset(blank.endpoint.removeprefix(SUBGROUP))))
        if one is None:
            return replace(blank, reason=_not_in_both(self.plan))
        test = one.by_plan(self.plan)
        reason = undefined_sentence(test.undefined) if test.undefined else ""
        if not reason and test.p is None:
            reason = _not_in_both(self.plan)
        return replace(blank, estimate=test.difference, p=one.two_sided(self.plan), reason=reason)

    def _shift(self, blank: PlannedTest) -> PlannedTest:
        before, after = (self.detections.get((blank.reader, s)) for s in (self.plan.before, self.plan.after))
        if before is None or after is None:
            return replace(blank, reason=_not_in_both(self.plan))
        shift = _shift_of(blank.endpoint, before, after)
        return replace(blank, estimate=Estimate(shift.difference, shift.low, shift.high), p=shift.p)


def _shift_of(endpoint: str, before: SignalDetection, after: SignalDetection) -> DetectionShift:
    return d_prime_shift(before, after) if endpoint == "d_prime" else criterion_shift(before, after)


def _not_in_both(plan: AnalysisPlan) -> str:
    sentence = _("There are no verdicts about such images in both session %(before)s and session %(after)s.")
    return sentence % sessions_of(plan)


def nothing_to_compare(plan: AnalysisPlan) -> str:
    sentence = _("Session %(before)s and session %(after)s have nothing to compare in this arm.")
    return sentence % sessions_of(plan)
