"""What the plan declared, and nothing else: the primary figure and the families, with what is decided about each."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from numpy import isfinite

from readerstudy.analysis.layout.wording import (
    correction_name,
    p_words,
    session_limit_sentence,
    sessions_of,
    subset_name,
)
from readerstudy.analysis.plan.tests import SUBGROUP, PlannedTest, declared_tests, nothing_to_compare
from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.mrmc import Comparison as Across
from readerstudy.analysis.tables.mrmc import change, figure_name
from readerstudy.analysis.tables.subgroup_tests import Comparison
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics.equivalence import Equivalence, tost
from readerstudy.statistics.multiplicity import Correction
from readerstudy.studies.analysis_plan import FIGURES, AnalysisPlan

_MOST_NAMED = 12  # tests named in a sentence; more are counted


def planned_tests(
    record: StudyRecord, plan: AnalysisPlan, compared: tuple[Across, ...], comparisons: tuple[Comparison, ...]
) -> Table:
    """The primary figure of each arm, then every endpoint of every family, corrected within family and arm.

    `compared` comes from `compare_across`, `comparisons` from `compare_sessions`, both by this plan.
    """
    tests = declared_tests(record, plan, compared, comparisons)
    return Table(
        key="planned",
        title=_("The planned tests. Session %(after)s against session %(before)s") % sessions_of(plan),
        caption=_(
            "All that the plan declared before anybody read, and nothing else. Changes are session %(after)s less "
            "session %(before)s, with 95 %% intervals where the test has one. “Changed” means that the adjusted p is "
            "below %(alpha)s. Everything that is not in this table is description."
        )
        % {"alpha": f"{plan.alpha:g}", **sessions_of(plan)},
        columns=_columns(),
        rows=tuple(_row(one, plan) for one in tests),
        notes=(
            *primary_sentences(record, plan, compared),
            *_corrections(plan, several=len(record.arms) > 1),
            *_limits(tests),
            *_reasons(tests),
            *_without_readers(plan, tests),
            session_limit_sentence(plan),
        ),
        empty=_("No session has been drawn yet: make the study first."),
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("family", _("Family")),
        Column("endpoint", _("Endpoint")),
        Column("reader", _("Reader")),
        Column("arm", _("Arm")),
        Column("change", _("Change"), Kind.ESTIMATE),
        Column("p", "p", Kind.P),
        Column("adjusted", _("adjusted p"), Kind.P),
        Column("decision", _("Decision")),
    )


def _row(one: PlannedTest, plan: AnalysisPlan) -> tuple[Cell, ...]:
    return (
        one.family or _("primary figure"),
        endpoint_name(one.endpoint),
        one.reader or _("all"),
        one.arm,
        one.estimate,
        one.p,
        one.adjusted,
        one.decision(plan.alpha),
    )


def endpoint_name(endpoint: str) -> str:
    """What a plan calls by a key, in words."""
    if endpoint.startswith(SUBGROUP):
        return _("sub-group test, %(images)s") % {"images": subset_name(Subset(endpoint.removeprefix(SUBGROUP)))}
    if endpoint in FIGURES:
        return figure_name(next(figure for figure in FIGURES if figure == endpoint))
    return {"d_prime": "d′", "criterion": _("criterion c")}[endpoint]


def primary_sentences(record: StudyRecord, plan: AnalysisPlan, compared: tuple[Across, ...]) -> tuple[str, ...]:
    """Two or three sentences for each arm: the primary figure, what is decided, and whether it is no change."""
    found = {one.arm: one for one in compared if one.figure == plan.primary}
    return tuple(
        f"{arm}. {sentence}" if len(record.arms) > 1 else sentence
        for arm in record.arms
        for sentence in (_primary(found[arm], plan) if arm in found else [nothing_to_compare(plan)])
    )


def _primary(one: Across, plan: AnalysisPlan) -> Iterator[str]:
    found, by = one.found, change(one.found) if one.found else None
    if found is None or not isinstance(by, Estimate) or found.p is None:
        yield _("The primary figure could not be tested.")
        yield one.reason or nothing_to_compare(plan)
        return
    sentence = _(
        "%(figure)s, the primary figure, went from %(first)s in session %(before)s to %(second)s in session %(after)s, "
        "a change of %(by)s (95 %% interval %(low)s to %(high)s; p %(p)s), over %(readers)s readers and %(images)s "
        "images."
    )
    yield sentence % {
        "figure": figure_name(one.figure),
        "first": f"{found.means[plan.before]:.3f}",
        "second": f"{found.means[plan.after]:.3f}",
        "by": _change(by.value),
        "low": _change(by.low),
        "high": _change(by.high),
        "p": p_words(found.p),
        "readers": len(one.readers),
        "images": found.cases,
        **sessions_of(plan),
    }
    yield _decided(by.value, found.p, plan)
    equivalence = equivalence_of(one, plan)
    if equivalence is not None:
        yield _margin(equivalence, plan)


def _change(value: float) -> str:
    """With three digits, so that means and change agree within a sentence."""
    return f"{value:+z.3f}".replace("-", "−")


def _decided(by: float, p: float, plan: AnalysisPlan) -> str:
    """In the words of the question: do readers like these do better with images like these?"""
    level = {"alpha": f"{plan.alpha:g}", **sessions_of(plan)}
    if p >= plan.alpha:
        sentence = _(
            "At the level of %(alpha)s that the plan set, no change is shown: readers and images vary so much that "
            "chance alone may have brought it."
        )
    elif by > 0:
        sentence = _(
            "At the level of %(alpha)s that the plan set, this is a change: readers like these do better in session "
            "%(after)s than in session %(before)s."
        )
    else:
        sentence = _(
            "At the level of %(alpha)s that the plan set, this is a change: readers like these do worse in session "
            "%(after)s than in session %(before)s."
        )
    return sentence % level


def equivalence_of(one: Across, plan: AnalysisPlan) -> Equivalence | None:
    """Two one-sided tests of the primary's change against the plan's margin; None where its error is not known."""
    difference = one.found.differences[0] if one.found and one.found.differences else None
    if one.found is None or difference is None or difference.p is None or not difference.se > 0:
        return None
    df = one.found.df2 if one.found.df2 is not None and isfinite(one.found.df2) else None
    return tost(0.0 - difference.estimate, difference.se, plan.margin, df=df, alpha=plan.alpha)


def _margin(found: Equivalence, plan: AnalysisPlan) -> str:
    if found.equivalent:
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
        "margin": f"{plan.margin:g}",
        "p": p_words(found.p),
        "level": f"{100 * (1 - 2 * plan.alpha):g}",
        "low": _change(found.low),
        "high": _change(found.high),
    }


def _corrections(plan: AnalysisPlan, *, several: bool) -> Iterator[str]:
    """How the tests are corrected for each other."""
    yield _("The primary figure is tested alone and not corrected for anything.")
    for family in plan.families:
        correction = Correction(family.correction)
        if correction is Correction.NONE:
            yield _("Family “%(name)s”: the plan does not correct its tests for each other.") % {"name": family.name}
            continue
        sentence = _(
            "Family “%(name)s”: its tests are corrected for each other by %(correction)s, and for no other family’s."
        )
        yield sentence % {"name": family.name, "correction": correction_name(correction)}
    if several:
        yield _("Each arm is a study of its own: nothing is corrected across the arms.")


def _limits(tests: tuple[PlannedTest, ...]) -> Iterator[str]:
    if any(one.endpoint.startswith(SUBGROUP) for one in tests):
        yield _(
            "The article’s sub-group test is one-sided in the direction that was observed. The plan fixes no "
            "direction, so its p is doubled here; the p as in the article stands in the table of the sub-group tests."
        )
    if any(one.endpoint == "criterion" for one in tests):
        yield _(
            "The z-test of the criterion takes readings as independent. Where a reader’s inclination wanders within a "
            "session it calls too much a change (0.36 instead of 0.05 in simulation); that of d′ does not (0.06)."
        )
    if any(one.reader for one in tests):
        yield _("A test of one reader speaks of that reader alone, not of readers in general.")


def _reasons(tests: tuple[PlannedTest, ...]) -> Iterator[str]:
    """Why a test was not made, once for all the tests that it holds for."""
    by_reason: dict[str, list[str]] = {}
    for one in tests:
        if one.family and one.reason:
            name = f"{one.reader}, {endpoint_name(one.endpoint)}" if one.reader else endpoint_name(one.endpoint)
            by_reason.setdefault(one.reason, []).append(name)
    for reason, names in by_reason.items():
        unique = list(dict.fromkeys(names))
        who = "; ".join(unique) if len(unique) <= _MOST_NAMED else _("%(count)s tests") % {"count": len(unique)}
        yield _("Not tested: %(who)s. %(reason)s") % {"who": who, "reason": reason}


def _without_readers(plan: AnalysisPlan, tests: tuple[PlannedTest, ...]) -> Iterator[str]:
    """Families of single readers' tests for which nobody has read yet."""
    for name in sorted({family.name for family in plan.families} - {one.family for one in tests}):
        yield _("Family “%(name)s”: no reader has verdicts yet, so nothing was tested.") % {"name": name}
