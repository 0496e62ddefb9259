"""The tests that a plan declares, as values, adjusted within their family, each with the interval of its decision."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt

from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import FIGURES, MrmcComparison, compare_figure
from readerstudy.analysis.tables.comparison.subgroup_tests import SubgroupComparison
from readerstudy.analysis.tables.signal_detection import detections_by_reader
from readerstudy.analysis.wording import compared_sessions, undefined_sentence
from readerstudy.layout.table import Estimate
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
from readerstudy.protocol.comparisons import DIFFERENCE, NOT_HIGHER, Comparison
from readerstudy.statistics.equivalence import non_inferiority, tost
from readerstudy.statistics.multiplicity import Correction, correct_family, decision_levels
from readerstudy.statistics.signal_detection import criterion_shift, d_prime_shift
from readerstudy.statistics.subgroups import SubgroupTest

SUBGROUP_PREFIX = "subgroup."


@dataclass(frozen=True)
class PlannedTest:
    """One declared test. `p` is two-sided, or twice that of a claim of non-inferiority, so that one level fits both.

    It is None if the test is undefined, for the reason in `reason`. `family` is empty for the primary figure, `reader`
    for a test over all readers of the arm. `estimate` has the 95 % interval of the analysis. `error` is the standard
    error that the test rests on, and `level` that at which it is decided. `comparison` says what a test over readers
    and images is to show; a test without one looks for a difference between the plan's two sessions.
    """

    family: str
    endpoint: str
    arm: str
    reader: str = ""
    estimate: Estimate | float | None = None
    p: float | None = None
    adjusted: float | None = None
    reason: str = ""
    error: "StandardError | None" = None
    level: float | None = None
    comparison: Comparison | None = None

    @property
    def claim(self) -> str:
        return self.comparison.claim if self.comparison else DIFFERENCE

    @property
    def interval(self) -> Estimate | float | None:
        """The estimate with the interval of 1 − `level`, which agrees with the decision; without one if nothing varies.

        It is that of the test itself, also where `estimate` has the interval of another method.
        """
        value = self.estimate.value if isinstance(self.estimate, Estimate) else self.estimate
        if value is None or self.error is None or self.level is None:
            return value
        return self.error.around(value, level=self.level)

    def is_shown(self, alpha: float) -> bool:
        """Return whether the adjusted p is below `alpha`."""
        return self.adjusted is not None and self.adjusted < alpha

    def decision(self, alpha: float) -> str:
        """Return the decision at level `alpha`, by the adjusted p."""
        if self.adjusted is None:
            return _("not tested")
        if self.claim == DIFFERENCE:
            return _("changed") if self.is_shown(alpha) else _("no change shown")
        if not self.is_shown(alpha):
            return _("not shown")
        return _("not higher") if self.claim == NOT_HIGHER else _("not lower")


@dataclass(frozen=True)
class StandardError:
    """The standard error of a change and its degrees of freedom, None for the normal distribution.

    `limit` is the largest possible change: 1 for shares and areas.
    """

    se: float
    df: float | None = None
    limit: float = inf

    def around(self, value: float, *, level: float) -> Estimate:
        """Return the value with its two-sided interval of 1 − `level`."""
        # The interval does not depend on the margin.
        sides = tost(value, self.se, 1.0, df=self.df, alpha=level / 2)
        return Estimate(value, max(sides.low, -self.limit), min(sides.high, self.limit))


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
    tests = [test for arm in record.arms for test in _adjust([results.primary(arm)], Correction.NONE, plan.alpha)]
    for family in plan.families:
        for arm in record.arms:
            tests += _adjust(list(results.family_tests(family, arm)), Correction(family.correction), plan.alpha)
    for arm in record.arms:
        declared = [_declared_test(record, plan, arm, comparison) for comparison in plan.comparisons]
        tests += _adjust(declared, Correction(plan.comparisons_correction), plan.alpha)
    return tuple(tests)


def primary_test(comparison: MrmcComparison, plan: AnalysisPlan) -> PlannedTest:
    """Return the test of the primary figure, which is not adjusted. `comparison` is that of the primary figure."""
    (test,) = _adjust([_figure_test("", comparison, plan.primary_comparison)], Correction.NONE, plan.alpha)
    return test


def _adjust(tests: list[PlannedTest], correction: Correction, alpha: float) -> list[PlannedTest]:
    p = {index: test.p for index, test in enumerate(tests)}
    family, levels = correct_family(p, correction), decision_levels(p, correction, alpha)
    return [
        replace(test, adjusted=family.adjusted[index], level=levels[index] if test.error else None)
        for index, test in enumerate(tests)
    ]


def _declared_test(record: StudyRecord, plan: AnalysisPlan, arm: str, comparison: Comparison) -> PlannedTest:
    """Return the test of a further comparison in one arm."""
    figure = next(each for each in FIGURES if each == comparison.figure)
    result = compare_figure(record, plan.comparing(comparison), arm, figure, needs_both_kinds=False)
    return _figure_test(_("further comparisons"), result, comparison)


def _figure_test(family: str, result: MrmcComparison, comparison: Comparison) -> PlannedTest:
    """Return the test of a figure over all readers of the arm."""
    test = PlannedTest(
        family,
        comparison.figure,
        result.arm,
        estimate=result.change,
        p=result.p,
        reason=result.reason,
        error=standard_error(result),
        comparison=comparison,
    )
    if comparison.claim == DIFFERENCE:
        return test
    value = result.change.value if isinstance(result.change, Estimate) else result.change
    if value is None or test.error is None or comparison.margin is None:
        return replace(test, p=None)
    better = -value if comparison.claim == NOT_HIGHER else value
    shown = non_inferiority(better, test.error.se, comparison.margin, df=test.error.df)
    return replace(test, p=min(1.0, 2 * shown.p))


def standard_error(result: MrmcComparison) -> StandardError | None:
    """Return the standard error of the change of a figure, None if it has no test."""
    difference = result.result.differences[0] if result.result and result.result.differences else None
    if result.result is None or difference is None or difference.p is None or not difference.se > 0:
        return None
    df = result.result.df2
    return StandardError(difference.se, df if df is not None and isfinite(df) else None, limit=1.0)


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
                yield self._mrmc_test(family.name, Comparison(self._plan.before, self._plan.after, endpoint), arm)
                continue
            for reader in readers:
                test = PlannedTest(family.name, endpoint, arm, reader)
                yield self._subgroup(test) if endpoint.startswith(SUBGROUP_PREFIX) else self._detection_shift(test)

    def primary(self, arm: str) -> PlannedTest:
        """Return the test of the primary figure over all readers of the arm."""
        return self._mrmc_test("", self._plan.primary_comparison, arm)

    def _mrmc_test(self, family: str, comparison: Comparison, arm: str) -> PlannedTest:
        result = self._mrmc.get((arm, comparison.figure))
        if result is None:
            reason = nothing_to_compare(self._plan)
            return PlannedTest(family, comparison.figure, arm, reason=reason, comparison=comparison)
        return _figure_test(family, result, comparison)

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
        p, error = comparison.two_sided_p(self._plan), _subgroup_error(planned)
        return replace(test, estimate=estimate, p=p, error=error, reason=reason)

    def _detection_shift(self, test: PlannedTest) -> PlannedTest:
        sessions = (self._plan.before, self._plan.after)
        before, after = (self._detections.get((test.reader, session)) for session in sessions)
        if before is None or after is None:
            return replace(test, reason=_not_in_both_sessions(self._plan))
        shift = d_prime_shift(before, after) if test.endpoint == "d_prime" else criterion_shift(before, after)
        estimate, error = Estimate(shift.difference, shift.low, shift.high), StandardError(shift.se)
        return replace(test, estimate=estimate, p=shift.p, error=error)


def _subgroup_error(test: SubgroupTest) -> StandardError | None:
    """Return the standard error of the article's test, from its σ; None if the test is undefined."""
    if test.p is None or test.sigma is None:
        return None
    se = test.sigma * sqrt((2 if test.error == "difference" else 1) / test.groups)
    return StandardError(se, test.df, limit=1.0)


def _not_in_both_sessions(plan: AnalysisPlan) -> str:
    sentence = _("There are no verdicts on such images in both session %(before)s and session %(after)s.")
    return sentence % compared_sessions(plan)


def nothing_to_compare(plan: AnalysisPlan) -> str:
    """Return the reason if an arm has no comparison at all."""
    sentence = _("Session %(before)s and session %(after)s have nothing to compare in this arm.")
    return sentence % compared_sessions(plan)
