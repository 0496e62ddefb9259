"""The tests that a plan declares, as values, adjusted within their family."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import MrmcComparison
from readerstudy.analysis.tables.comparison.subgroup_tests import SubgroupComparison
from readerstudy.analysis.tables.signal_detection import detections_by_reader
from readerstudy.analysis.wording import compared_sessions, undefined_sentence
from readerstudy.layout.table import Estimate
from readerstudy.protocol.analysis_plan import FIGURES, AnalysisPlan, Family
from readerstudy.statistics.multiplicity import Correction, correct_family
from readerstudy.statistics.signal_detection import criterion_shift, d_prime_shift

SUBGROUP_PREFIX = "subgroup."


@dataclass(frozen=True)
class PlannedTest:
    """One declared test. `p` is two-sided; it is None if the test is undefined, for the reason in `reason`.

    `family` is empty for the primary figure, `reader` for a test over all readers of the arm.
    """

    family: str
    endpoint: str
    arm: str
    reader: str = ""
    estimate: Estimate | float | None = None
    p: float | None = None
    adjusted: float | None = None
    reason: str = ""

    def decision(self, alpha: float) -> str:
        """Return the decision at level `alpha`, by the adjusted p."""
        if self.adjusted is None:
            return _("not tested")
        return _("changed") if self.adjusted < alpha else _("no change shown")


def planned_tests(
    record: StudyRecord,
    plan: AnalysisPlan,
    mrmc: tuple[MrmcComparison, ...],
    subgroups: tuple[SubgroupComparison, ...],
) -> tuple[PlannedTest, ...]:
    """Return the primary figure of each arm, then every endpoint of every family, adjusted within family and arm.

    `mrmc` comes from `mrmc_comparisons`, `subgroups` from `subgroup_comparisons`, both by the same plan.
    """
    results = _Results(record, plan, mrmc, subgroups)
    primaries = [results.mrmc_test("", plan.primary, arm) for arm in record.arms]
    tests = [replace(test, adjusted=test.p) for test in primaries]
    for family in plan.families:
        for arm in record.arms:
            tests += _adjust(list(results.family_tests(family, arm)), Correction(family.correction))
    return tuple(tests)


def _adjust(tests: list[PlannedTest], correction: Correction) -> list[PlannedTest]:
    family = correct_family({index: test.p for index, test in enumerate(tests)}, correction)
    return [replace(test, adjusted=family.adjusted[index]) for index, test in enumerate(tests)]


class _Results:
    """Results of the analyses, looked up by endpoint, arm and reader."""

    def __init__(
        self,
        record: StudyRecord,
        plan: AnalysisPlan,
        mrmc: tuple[MrmcComparison, ...],
        subgroups: tuple[SubgroupComparison, ...],
    ) -> None:
        self._record, self._plan = record, plan
        self._mrmc = {(comparison.arm, str(comparison.figure)): comparison for comparison in mrmc}
        planned = (each for each in subgroups if (each.a, each.b) == (plan.before, plan.after))
        self._subgroups = {(comparison.reader, comparison.subset): comparison for comparison in planned}
        self._detections = detections_by_reader(record, plan)

    def family_tests(self, family: Family, arm: str) -> Iterator[PlannedTest]:
        """Yield every test of the family in one arm; endpoints by reader have one test for each reader."""
        readers = [
            reader
            for reader in self._record.readings.readers_with_verdicts()
            if self._record.readers.get(reader) == arm
        ]
        for endpoint in family.endpoints:
            if endpoint in FIGURES:
                yield self.mrmc_test(family.name, endpoint, arm)
                continue
            for reader in readers:
                test = PlannedTest(family.name, endpoint, arm, reader)
                yield self._subgroup(test) if endpoint.startswith(SUBGROUP_PREFIX) else self._detection_shift(test)

    def mrmc_test(self, family: str, endpoint: str, arm: str) -> PlannedTest:
        """Return the test of a figure over all readers of the arm."""
        test = PlannedTest(family, endpoint, arm)
        comparison = self._mrmc.get((arm, endpoint))
        if comparison is None:
            return replace(test, reason=nothing_to_compare(self._plan))
        return replace(test, estimate=comparison.change, p=comparison.p, reason=comparison.reason)

    def _subgroup(self, test: PlannedTest) -> PlannedTest:
        subset = Subset(test.endpoint.removeprefix(SUBGROUP_PREFIX))
        comparison = self._subgroups.get((test.reader, subset))
        if comparison is None:
            return replace(test, reason=_not_in_both_sessions(self._plan))
        planned = comparison.planned_test(self._plan)
        reason = undefined_sentence(planned.undefined) if planned.undefined else ""
        if not reason and planned.p is None:
            reason = _not_in_both_sessions(self._plan)
        estimate = comparison.change or planned.difference
        return replace(test, estimate=estimate, p=comparison.two_sided_p(self._plan), reason=reason)

    def _detection_shift(self, test: PlannedTest) -> PlannedTest:
        sessions = (self._plan.before, self._plan.after)
        before, after = (self._detections.get((test.reader, session)) for session in sessions)
        if before is None or after is None:
            return replace(test, reason=_not_in_both_sessions(self._plan))
        shift = d_prime_shift(before, after) if test.endpoint == "d_prime" else criterion_shift(before, after)
        return replace(test, estimate=Estimate(shift.difference, shift.low, shift.high), p=shift.p)


def _not_in_both_sessions(plan: AnalysisPlan) -> str:
    sentence = _("There are no verdicts on such images in both session %(before)s and session %(after)s.")
    return sentence % compared_sessions(plan)


def nothing_to_compare(plan: AnalysisPlan) -> str:
    """Return the reason if an arm has no comparison at all."""
    sentence = _("Session %(before)s and session %(after)s have nothing to compare in this arm.")
    return sentence % compared_sessions(plan)
