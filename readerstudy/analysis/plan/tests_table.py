"""Table "planned": the primary figure and the families of tests that the plan declared, with their decisions."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from readerstudy.analysis.plan.tests import (
    SUBGROUP_PREFIX,
    PlannedTest,
    nothing_to_compare,
    planned_tests,
    primary_test,
    standard_error,
)
from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import MrmcComparison, figure_name
from readerstudy.analysis.tables.comparison.subgroup_tests import SubgroupComparison
from readerstudy.analysis.wording import (
    compared_sessions,
    correction_name,
    p_text,
    session_limit_sentence,
    subset_name,
)
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.comparisons import DIFFERENCE, FIGURES, NOT_HIGHER
from readerstudy.statistics.equivalence import Equivalence, tost
from readerstudy.statistics.multiplicity import Correction

_MOST_NAMED = 12  # tests named in a sentence; more are counted


def planned_tests_table(
    record: StudyRecord,
    plan: AnalysisPlan,
    mrmc: tuple[MrmcComparison, ...],
    subgroups: tuple[SubgroupComparison, ...],
) -> Table:
    """Return the primary figure of each arm, then every endpoint of every family; see `planned_tests`."""
    tests = planned_tests(record, plan, mrmc, subgroups)
    return Table(
        key="planned",
        title=(
            _("Planned tests")
            if plan.comparisons
            else _("Planned tests. Session %(after)s against session %(before)s") % compared_sessions(plan)
        ),
        caption=_(
            "All tests that the plan declared before the first reading. Changes are the later session minus the "
            "earlier one. Each interval is that of its test, at the level at which the test is decided: it excludes 0, "
            "or the margin of a claim of non-inferiority, if, and only if, the adjusted p is below %(alpha)s. Other "
            "tables have 95 %% intervals that are not adjusted for multiple tests; these can exclude 0 although no "
            "change is shown here. All results outside this table are descriptive."
        )
        % {"alpha": localise(f"{plan.alpha:g}")},
        columns=(
            Column("family", _("Family"), breaks=True),
            Column("endpoint", _("Endpoint"), breaks=True),
            Column("reader", _("Reader")),
            Column("arm", _("Arm")),
            Column("sessions", _("Sessions")),
            Column("change", pgettext("difference", "Change"), Kind.CHANGE),
            Column("level", _("Level of the interval"), Kind.LEVEL),
            Column("p", "p", Kind.P),
            Column("adjusted", _("adjusted p"), Kind.P),
            Column("decision", _("Decision")),
        ),
        rows=tuple(_row(test, plan) for test in tests),
        notes=(
            *primary_sentences(record, plan, mrmc),
            *_claim_sentences(tests, plan, several_arms=len(record.arms) > 1),
            *_correction_sentences(plan, several_arms=len(record.arms) > 1),
            *_only_unadjusted_sentences(tests, plan),
            *_limit_sentences(tests),
            *_reason_sentences(tests),
            *_empty_families(plan, tests),
            session_limit_sentence(record, plan),
            *_further_limit(plan),
        ),
        empty=_("No session has been drawn yet. Create the study first."),
    )


def _row(test: PlannedTest, plan: AnalysisPlan) -> tuple[Cell, ...]:
    return (
        test.family or _("primary figure"),
        endpoint_name(test.endpoint),
        test.reader or _("all"),
        test.arm,
        "{before} → {after}".format(**_sessions_of(test, plan)),
        test.interval,
        1 - test.level if isinstance(test.interval, Estimate) and test.level is not None else None,
        test.p,
        test.adjusted,
        test.decision(plan.alpha),
    )


def _sessions_of(test: PlannedTest, plan: AnalysisPlan) -> dict[str, int]:
    return compared_sessions(plan.comparing(test.comparison) if test.comparison else plan)


def endpoint_name(endpoint: str) -> str:
    """Return the name of an endpoint that the plan gives by its key."""
    if endpoint.startswith(SUBGROUP_PREFIX):
        return _("sub-group test, %(images)s") % {"images": subset_name(Subset(endpoint.removeprefix(SUBGROUP_PREFIX)))}
    if endpoint in FIGURES:
        return figure_name(next(figure for figure in FIGURES if figure == endpoint))
    return {"d_prime": "d′", "criterion": _("criterion c")}[endpoint]


def primary_sentences(record: StudyRecord, plan: AnalysisPlan, mrmc: Sequence[MrmcComparison]) -> tuple[str, ...]:
    """Return for each arm the primary figure, the decision, and the test of equivalence, in words."""
    if record.compares_nothing:
        return (_("Fewer than two sessions ask for verdicts on images of their own, so no sessions are compared."),)
    by_arm = {comparison.arm: comparison for comparison in mrmc if comparison.figure == plan.primary}
    return tuple(
        f"{arm}. {sentence}" if len(record.arms) > 1 else sentence
        for arm in record.arms
        for sentence in (_primary(by_arm[arm], plan) if arm in by_arm else [nothing_to_compare(plan)])
    )


def _primary(comparison: MrmcComparison, plan: AnalysisPlan) -> Iterator[str]:
    result, change = comparison.result, comparison.change
    test = primary_test(comparison, plan)
    if result is None or not isinstance(change, Estimate) or test.p is None:
        yield _("The primary figure could not be tested.")
        yield comparison.reason or nothing_to_compare(plan)
        return
    interval = test.interval if isinstance(test.interval, Estimate) else change
    sentence = (
        _(
            "%(figure)s, the primary figure, was %(first)s in session %(before)s and %(second)s in session %(after)s, "
            "a change of %(change)s (%(level)s %% interval %(low)s to %(high)s; p %(p)s), over %(readers)s readers and "
            "%(images)s images."
        )
        if test.claim == DIFFERENCE
        else _(
            "%(figure)s, the primary figure, was %(first)s in session %(before)s and %(second)s in session %(after)s, "
            "a change of %(change)s (%(level)s %% interval %(low)s to %(high)s), over %(readers)s readers and "
            "%(images)s images."
        )
    )
    yield sentence % {
        "figure": figure_name(comparison.figure),
        "first": localise(f"{result.means[plan.before]:.3f}"),
        "second": localise(f"{result.means[plan.after]:.3f}"),
        "change": _signed(change.value),
        "level": localise(f"{100 * (1 - plan.alpha):g}"),
        "low": _signed(interval.low),
        "high": _signed(interval.high),
        "p": p_text(test.p),
        "readers": len(comparison.readers),
        "images": result.cases,
        **compared_sessions(plan),
    }
    if test.claim != DIFFERENCE:
        yield _claim_sentence(test, plan)
        return
    yield _decision(change.value, test.p, plan)
    equivalence = equivalence_test(comparison, plan)
    if equivalence is not None:
        yield _equivalence_sentence(equivalence, plan)


def _signed(value: float) -> str:
    """Return a number with three decimals, so that means and change are consistent within a sentence."""
    return localise(f"{value:+z.3f}")


def _decision(change: float, p: float, plan: AnalysisPlan) -> str:
    if p >= plan.alpha:
        sentence = _(
            "At the plan’s level of %(alpha)s, no change is shown: given the variation of readers and images, the "
            "difference may be due to chance."
        )
    elif change > 0:
        sentence = _(
            "At the plan’s level of %(alpha)s, this is a change: similar readers perform better in session %(after)s "
            "than in session %(before)s."
        )
    else:
        sentence = _(
            "At the plan’s level of %(alpha)s, this is a change: similar readers perform worse in session %(after)s "
            "than in session %(before)s."
        )
    return sentence % {"alpha": localise(f"{plan.alpha:g}"), **compared_sessions(plan)}


def _claim_sentences(tests: Sequence[PlannedTest], plan: AnalysisPlan, *, several_arms: bool) -> Iterator[str]:
    """Yield the decision on each further claim of non-inferiority, with its margin and the reason of the margin."""
    for test in tests:
        if test.family and test.claim != DIFFERENCE and test.adjusted is not None:
            sentence = _claim_sentence(test, plan)
            yield f"{test.arm}. {sentence}" if several_arms else sentence


def _claim_sentence(test: PlannedTest, plan: AnalysisPlan) -> str:
    comparison, interval = test.comparison, test.interval
    assert comparison is not None
    assert comparison.margin is not None
    assert test.level is not None
    assert test.adjusted is not None
    assert isinstance(interval, Estimate)
    is_upper = test.claim == NOT_HIGHER
    sentence = {
        (False, True): _(
            "Non-inferiority is shown. %(figure)s: if lower in session %(after)s than in session %(before)s at all, "
            "then by less than %(margin)s; the whole %(level)s %% interval lies above −%(margin)s (lower bound "
            "%(bound)s; %(p)s)."
        ),
        (False, False): _(
            "Non-inferiority is not shown. %(figure)s: it may be lower in session %(after)s than in session %(before)s "
            "by %(margin)s or more; the %(level)s %% interval is not wholly above −%(margin)s (lower bound %(bound)s; "
            "%(p)s)."
        ),
        (True, True): _(
            "Shown. %(figure)s: if higher in session %(after)s than in session %(before)s at all, then by less than "
            "%(margin)s; the whole %(level)s %% interval lies below %(margin)s (upper bound %(bound)s; "
            "%(p)s)."
        ),
        (True, False): _(
            "Not shown. %(figure)s: it may be higher in session %(after)s than in session %(before)s by %(margin)s or "
            "more; the %(level)s %% interval is not wholly below %(margin)s (upper bound %(bound)s; %(p)s)."
        ),
    }[is_upper, test.is_shown(plan.alpha)]
    values = {
        "figure": endpoint_name(test.endpoint),
        "margin": localise(f"{comparison.margin:g}"),
        "level": localise(f"{100 * (1 - test.level):.4g}"),
        "bound": _signed(interval.high if is_upper else interval.low),
        "p": f"{_('adjusted p') if test.family else 'p'} {p_text(test.adjusted)}",
        **_sessions_of(test, plan),
    }
    reason = _("Reason of the margin: %(reason)s") % {"reason": comparison.reason} if comparison.reason else ""
    return " ".join(filter(None, (sentence % values, reason)))


def equivalence_test(comparison: MrmcComparison, plan: AnalysisPlan) -> Equivalence | None:
    """Return two one-sided tests of the change against the plan's margin, or None without a standard error."""
    error = standard_error(comparison)
    if error is None or comparison.result is None:
        return None
    difference = 0.0 - comparison.result.differences[0].estimate
    return tost(difference, error.se, plan.margin, df=error.df, alpha=plan.alpha)


def _equivalence_sentence(equivalence: Equivalence, plan: AnalysisPlan) -> str:
    if equivalence.equivalent:
        sentence = _(
            "The change is shown to be smaller than the plan’s margin of %(margin)s in either direction (two one-sided "
            "tests, p %(p)s; %(level)s %% interval %(low)s to %(high)s)."
        )
    else:
        sentence = _(
            "The change is not shown to be smaller than the plan’s margin of %(margin)s (two one-sided tests, p %(p)s; "
            "%(level)s %% interval %(low)s to %(high)s): “no change” cannot be claimed."
        )
    return sentence % {
        "margin": localise(f"{plan.margin:g}"),
        "p": p_text(equivalence.p),
        "level": localise(f"{100 * (1 - 2 * plan.alpha):g}"),
        "low": _signed(equivalence.low),
        "high": _signed(equivalence.high),
    }


def _correction_sentences(plan: AnalysisPlan, *, several_arms: bool) -> Iterator[str]:
    """Yield how the tests are adjusted for multiple tests."""
    yield _("The primary figure is tested alone and not adjusted.")
    yield from _claim_rule(plan)
    for family in plan.families:
        correction = Correction(family.correction)
        if correction is Correction.NONE:
            yield _("Family “%(name)s”: by the plan, its tests are not adjusted.") % {"name": family.name}
            continue
        sentence = _("Family “%(name)s”: tests are adjusted within the family by %(correction)s, not across families.")
        yield sentence % {"name": family.name, "correction": correction_name(correction)}
    if plan.comparisons:
        yield _further_rule(Correction(plan.comparisons_correction))
    if several_arms:
        yield _("Each arm is analysed as a separate study: nothing is adjusted across arms.")


def _claim_rule(plan: AnalysisPlan) -> Iterator[str]:
    if any(each.claim != DIFFERENCE for each in (plan.primary_comparison, *plan.comparisons)):
        yield _(
            "A claim of non-inferiority is tested on one side, at half the level of a two-sided test. Its p is doubled "
            "in the table, so that one level decides all tests and the two-sided interval shows the decision."
        )


def _further_rule(correction: Correction) -> str:
    if correction is Correction.NONE:
        return _("Further comparisons: by the plan, their tests are not adjusted.")
    sentence = _("Further comparisons: tests are adjusted for each other by %(correction)s.")
    return sentence % {"correction": correction_name(correction)}


def _further_limit(plan: AnalysisPlan) -> Iterator[str]:
    if plan.comparisons:
        yield _("The sessions of further comparisons differ in practice, images and fatigue, too.")


def _only_unadjusted_sentences(tests: Sequence[PlannedTest], plan: AnalysisPlan) -> Iterator[str]:
    """Yield which changes a test alone would show, and the adjusted one does not."""
    names = [
        f"{test.reader}, {endpoint_name(test.endpoint)}" if test.reader else endpoint_name(test.endpoint)
        for test in tests
        if test.p is not None and test.p < plan.alpha and not test.is_shown(plan.alpha)
    ]
    if names:
        unique = list(dict.fromkeys(names))
        label = "; ".join(unique) if len(unique) <= _MOST_NAMED else _("%(count)s tests") % {"count": len(unique)}
        sentence = _(
            "p is below %(alpha)s only without the adjustment for several tests, so nothing is shown: %(who)s."
        )
        yield sentence % {"alpha": localise(f"{plan.alpha:g}"), "who": label}


def _limit_sentences(tests: tuple[PlannedTest, ...]) -> Iterator[str]:
    if any(test.endpoint.startswith(SUBGROUP_PREFIX) for test in tests):
        yield _(
            "The article’s sub-group test is one-sided in the observed direction. The plan declares no direction, so p "
            "is doubled here; the table of the sub-group tests has the p of the article."
        )
    if any(test.endpoint == "criterion" for test in tests):
        yield _(
            "The z-test of the criterion assumes independent readings. If a reader’s criterion drifts within a "
            "session, it rejects too often (0.36 instead of 0.05 in simulation); the test of d′ does not (0.06)."
        )
    if any(test.reader for test in tests):
        yield _("A test of one reader applies to that reader only, not to readers in general.")


def _reason_sentences(tests: tuple[PlannedTest, ...]) -> Iterator[str]:
    """Yield why tests were not made, one sentence per reason."""
    by_reason: dict[str, list[str]] = {}
    for test in tests:
        if test.family and test.reason:
            name = f"{test.reader}, {endpoint_name(test.endpoint)}" if test.reader else endpoint_name(test.endpoint)
            by_reason.setdefault(test.reason, []).append(name)
    for reason, names in by_reason.items():
        unique = list(dict.fromkeys(names))
        label = "; ".join(unique) if len(unique) <= _MOST_NAMED else _("%(count)s tests") % {"count": len(unique)}
        yield _("Not tested: %(who)s. %(reason)s") % {"who": label, "reason": reason}


def _empty_families(plan: AnalysisPlan, tests: tuple[PlannedTest, ...]) -> Iterator[str]:
    for name in sorted({family.name for family in plan.families} - {test.family for test in tests}):
        yield _("Family “%(name)s”: no reader has verdicts yet, so nothing was tested.") % {"name": name}
