"""The sub-group test for every reader, sub-set and pair of sessions: the long table and the page's table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import get_args

from django.utils.translation import gettext as _

from readerstudy.analysis.layout.wording import (
    correction_name,
    subgroup_sentences,
    subset_name,
    undefined_sentence,
    unsure_sentence,
)
from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import SAID_SEEN, SUBSETS, Tallies, kinds_of
from readerstudy.analysis.record.study import session_pairs
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.statistics.exact_tests import boschloo
from readerstudy.statistics.multiplicity import Correction, correct_family
from readerstudy.statistics.subgroups import (
    BATCHES,
    BatchMeansTest,
    Distribution,
    ErrorTerm,
    SubgroupTest,
    TestForm,
    batch_means_test_from_sums,
    every_form_from_sums,
    subgroup_counts,
)
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan

ERRORS: tuple[ErrorTerm, ...] = get_args(ErrorTerm)
DISTRIBUTIONS: tuple[Distribution, ...] = get_args(Distribution)


@dataclass(frozen=True)
class Comparison:
    """One reader, one sub-set, session b against session a, by every form of the test.

    `batches` is Welch's t on the means of ten batches. `exact_p` is Boschloo's, two-sided, worked out only where a form
    of the test is undefined.
    """

    reader: str
    subset: Subset
    a: int
    b: int
    tests: Mapping[TestForm, SubgroupTest]
    batches: BatchMeansTest
    exact_p: float | None

    def by_plan(self, plan: AnalysisPlan) -> SubgroupTest:
        """The test in the form that the plan declares; `compare_sessions` had the plan's number of sub-groups."""
        error: ErrorTerm = "difference" if plan.statistic == "difference" else "single"
        distribution: Distribution = "normal" if plan.distribution == "normal" else "t"
        return self.tests[plan.groups, error, distribution]

    def two_sided(self, plan: AnalysisPlan) -> float | None:
        """The plan's p, doubled: it is one-sided in the direction that was observed, and no plan fixes a direction."""
        p = self.by_plan(plan).p
        return None if p is None else min(1.0, 2 * p)


def compare_sessions(tallies: Tallies, *, groups: int) -> tuple[Comparison, ...]:
    """Every reader × sub-set × pair of sessions that hold readings of it."""
    return tuple(
        comparison
        for reader in tallies.readers
        for subset in Subset
        for comparison in _of_one(tallies, reader, subset, groups)
    )


def _of_one(tallies: Tallies, reader: str, subset: Subset, groups: int) -> Iterator[Comparison]:
    held = [session for session in tallies.asked_of(reader) if _holds(tallies, reader, session, subset)]
    place = SUBSETS.index(subset)
    cuts = {
        g: {session: tallies.blocks[g].cut(*tallies.place(reader, session), place) for session in held}
        for g in subgroup_counts(groups)
    }
    for a, b in session_pairs(held):
        tests = every_form_from_sums(cuts, a, b)
        exact_p = None
        if any(test.undefined for test in tests.values()):
            exact_p = boschloo(*(tallies.share(reader, session, subset, tallies.rule) for session in (a, b)))
        yield Comparison(reader, subset, a, b, tests, batch_means_test_from_sums(cuts[BATCHES], a, b), exact_p)


def _holds(tallies: Tallies, reader: str, session: int, subset: Subset) -> bool:
    """Whether the reader gave a verdict about an image of this sub-set, be it "unsure"."""
    return bool(tallies.of(reader, session)[list(kinds_of(subset)), :SAID_SEEN].any())


def table_of_p_values(comparisons: tuple[Comparison, ...], *, plan: AnalysisPlan) -> Table:
    """For the page: the plan's form of the test first, its other forms, and all numbers of sub-groups."""
    reasons = {test.undefined for one in comparisons for test in one.tests.values() if test.undefined}
    correction = Correction(plan.exploratory)
    adjusted = correct_family({place: one.two_sided(plan) for place, one in enumerate(comparisons)}, correction)
    return Table(
        key="pvalues",
        title=_("Sub-group tests between sessions"),
        caption=_(
            "Does one reader judge one kind of image differently in two sessions? The p by the plan is that of its "
            "form of the article’s test with %(groups)s sub-groups; the other forms stand beside it, and the line of g "
            "shows how p depends on the number of sub-groups. Batches: Welch’s t on ten batches, each session with its "
            "own spread, two-sided. Exact: the two-sided p of Boschloo’s test, where a form is undefined."
        )
        % {"groups": plan.groups},
        columns=_page_columns(plan),
        rows=tuple(_page_row(one, plan, adjusted.adjusted[place]) for place, one in enumerate(comparisons)),
        notes=(
            *sorted(undefined_sentence(reason) for reason in reasons),
            _adjusted_sentence(correction, adjusted.tests),
            *_declared_sentence(comparisons, plan),
            *subgroup_sentences(),
            unsure_sentence(Unsure(plan.unsure)),
        ),
        empty=_("No reader has verdicts in two sessions yet, so there is nothing to compare."),
    )


def table_of_all_tests(comparisons: tuple[Comparison, ...]) -> Table:
    """For programs: one row per reader, sub-set, pair, number of sub-groups, statistic and distribution."""
    texts = ("reader", "subset")
    numbers = ("a", "b", "groups")
    forms = ("error", "distribution")
    figures = ("share_a", "share_b", "difference", "sigma", "z", "df", "p")
    names = (*texts, *numbers, *forms, *figures, "sds", "dropped", "undefined", "exact_p")
    rows: list[tuple[Cell, ...]] = []
    for one in comparisons:
        for test in one.tests.values():
            figures_of_it = tuple(getattr(test, name) for name in (*numbers, *forms, *figures))
            undefined = test.undefined.name.lower() if test.undefined else ""
            spread = (_by_session(test.sds), _by_session(test.dropped), undefined)
            rows.append((one.reader, one.subset.value, *figures_of_it, *spread, one.exact_p))
    return Table(
        key="subgroups",
        title=_("Sub-group tests between sessions, in full"),
        caption=_("Every form of the sub-group test."),
        columns=tuple(Column(name, name, Kind.TEXT) for name in names),
        rows=tuple(rows),
    )


def _forms(plan: AnalysisPlan) -> tuple[tuple[ErrorTerm, Distribution], ...]:
    """The four forms, the plan's own first."""
    declared = (plan.statistic, plan.distribution)
    return tuple(sorted(product(ERRORS, DISTRIBUTIONS), key=lambda form: form != declared))


def _page_columns(plan: AnalysisPlan) -> tuple[Column, ...]:
    right, size = _("Right"), f"g\u00a0=\u00a0{plan.groups}"
    by_plan = _("p by the plan, g = %(groups)s") % {"groups": plan.groups}
    declared, *others = _forms(plan)
    return (
        Column("reader", _("Reader")),
        Column("subset", _("Images")),
        Column("sessions", _("Sessions")),
        Column("share_a", _("first"), Kind.FRACTION, right),
        Column("share_b", _("second"), Kind.FRACTION, right),
        Column("difference", _("change"), Kind.SIGNED, right),
        Column("sigma", "σ", Kind.SPREAD, size),
        Column("left_out", _("left out"), Kind.COUNT, size),
        _p_column(by_plan, *declared),
        Column("adjusted", _("adjusted"), Kind.P, by_plan),
        *(_p_column(_("Other forms, g = %(groups)s") % {"groups": plan.groups}, *form) for form in others),
        *(_strip_column(g, error, plan) for error in ERRORS for g in subgroup_counts(plan.groups)),
        Column("p_batches", _("batches"), Kind.P, _("Beside it")),
        Column("exact_p", _("exact"), Kind.P, _("Beside it")),
        Column("family", _("Planned in")),
    )


def _name(error: str) -> str:
    return {"difference": _("difference"), "single": _("single")}[error]


def _curve(distribution: str) -> str:
    return _("normal") if distribution == "normal" else "t"


def _p_column(group: str, error: ErrorTerm, distribution: Distribution) -> Column:
    return Column(f"p_{error}_{distribution}", f"{_name(error)}, {_curve(distribution)}", Kind.P, group)


def _strip_column(groups: int, error: ErrorTerm, plan: AnalysisPlan) -> Column:
    form = {"name": _name(error), "curve": _curve(plan.distribution)}
    return Column(f"p_{error}_{groups}", f"g\u00a0=\u00a0{groups}", Kind.P, _("p, %(name)s, %(curve)s") % form)


def _page_row(one: Comparison, plan: AnalysisPlan, adjusted: float | None) -> tuple[Cell, ...]:
    headline = one.by_plan(plan)
    declared, *others = (one.tests[plan.groups, error, distribution].p for error, distribution in _forms(plan))
    return (
        one.reader,
        subset_name(one.subset),
        f"{one.a} → {one.b}",
        headline.share_a,
        headline.share_b,
        headline.difference,
        headline.sigma,
        sum(headline.dropped.values()),
        declared,
        adjusted,
        *others,
        *(one.tests[g, error, headline.distribution].p for error in ERRORS for g in subgroup_counts(plan.groups)),
        one.batches.p,
        one.exact_p,
        declared_in(one, plan),
    )


def declared_in(one: Comparison, plan: AnalysisPlan) -> str:
    """The family in which the plan declares this test; empty for one that nobody planned."""
    if (one.a, one.b) != (plan.before, plan.after):
        return ""
    endpoint = f"subgroup.{one.subset.value}"
    return next((family.name for family in plan.families if endpoint in family.endpoints), "")


def _adjusted_sentence(correction: Correction, tests: int) -> str:
    if correction is Correction.NONE:
        return _(
            "There are many p-values here and the plan corrects none for the others: they describe, they do not "
            "decide. “Adjusted” is the p by the plan for both directions, that is doubled."
        )
    sentence = _(
        "There are many p-values here: they describe, they do not decide. “Adjusted” takes the p by the plan for both "
        "directions, that is doubled, and corrects it for all %(tests)s tests of this table (%(correction)s)."
    )
    return sentence % {"tests": tests, "correction": correction_name(correction)}


def _declared_sentence(comparisons: tuple[Comparison, ...], plan: AnalysisPlan) -> Iterator[str]:
    if any(declared_in(one, plan) for one in comparisons):
        yield _(
            "Rows with an entry under “planned in” belong to a family of the plan. What decides about them stands in "
            "the table of the planned tests, corrected within their family."
        )


def _by_session(values: Mapping[int, float | int | None]) -> str:
    return " ".join(f"{session}:{'' if value is None else value}" for session, value in sorted(values.items()))
