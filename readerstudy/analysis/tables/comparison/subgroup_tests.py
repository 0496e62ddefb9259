"""Tables "pvalues" and "subgroups": the sub-group test for every reader, subset and pair of sessions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import get_args

from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import (
    ALL_READINGS,
    SUBSETS,
    VERDICT_SEEN,
    AggregatedReadings,
    SubgroupBlocks,
    subset_kinds,
)
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.wording import (
    correction_name,
    paired_sentence,
    subgroup_sentences,
    subset_name,
    undefined_sentence,
    unsure_sentence,
)
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.exact_tests import boschloo
from readerstudy.statistics.multiplicity import Correction, correct_family
from readerstudy.statistics.subgroups import (
    BATCHES,
    BatchMeansTest,
    Distribution,
    ErrorTerm,
    SpreadOf,
    SubgroupSums,
    SubgroupTest,
    TestForm,
    batch_means_test_from_sums,
    every_form_from_sums,
    subgroup_counts,
)
from readerstudy.statistics.unsure import Unsure

ERRORS: tuple[ErrorTerm, ...] = get_args(ErrorTerm)
DISTRIBUTIONS: tuple[Distribution, ...] = get_args(Distribution)


@dataclass(frozen=True)
class SubgroupComparison:
    """One reader and one subset, session b against session a, by every form of the test.

    `tests` are by what σ is the SD of: the subset, whole sessions and, if the plan declares it, the subset in blocks of
    sessions. `batches` is Welch's t on the means of ten batches. `exact_p` is Boschloo's two-sided p, computed only if
    a form of the test is undefined.
    """

    reader: str
    subset: Subset
    a: int
    b: int
    tests: Mapping[SpreadOf, Mapping[TestForm, SubgroupTest]]
    batches: BatchMeansTest
    exact_p: float | None

    def planned_test(self, plan: AnalysisPlan) -> SubgroupTest:
        """Return the test in the form that the plan declares."""
        error: ErrorTerm = "difference" if plan.statistic == "difference" else "single"
        distribution: Distribution = "normal" if plan.distribution == "normal" else "t"
        return self.tests[spread_of(plan)][plan.groups, error, distribution]

    def two_sided_p(self, plan: AnalysisPlan) -> float | None:
        """Return twice the plan's p, which is one-sided in the observed direction; plans declare no direction."""
        p = self.planned_test(plan).p
        return None if p is None else min(1.0, 2 * p)

    def family(self, plan: AnalysisPlan) -> str:
        """Return the family in which the plan declares this test, or "" if the test was not planned."""
        if (self.a, self.b) != (plan.before, plan.after):
            return ""
        endpoint = f"subgroup.{self.subset.value}"
        return next((family.name for family in plan.families if endpoint in family.endpoints), "")


def spread_of(plan: AnalysisPlan) -> SpreadOf:
    """Return of what the plan's σ is the SD."""
    return next(each for each in get_args(SpreadOf) if each == plan.sd_of)


def subgroup_comparisons(record: StudyRecord, *, groups: int) -> tuple[SubgroupComparison, ...]:
    """Return every reader × subset × pair of sessions with readings of the subset.

    Pairs of sessions that show the same images are left out: the tests take their readings as independent.
    """
    return tuple(
        comparison
        for reader in record.readings.readers
        for subset in Subset
        for comparison in _comparisons(record.readings, reader, subset, groups)
        if not record.show_same_images(comparison.a, comparison.b)
    )


def _comparisons(
    readings: AggregatedReadings, reader: str, subset: Subset, groups: int
) -> Iterator[SubgroupComparison]:
    sessions = [
        session
        for session in readings.sessions_judged_by(reader)
        if readings.verdicts_of(reader, session)[list(subset_kinds(subset)), :VERDICT_SEEN].any()
    ]
    index = SUBSETS.index(subset)
    counts = subgroup_counts(groups)
    sums = _sums(readings, readings.blocks, reader, sessions, index, counts)
    whole = _sums(readings, readings.blocks, reader, readings.sessions_judged_by(reader), ALL_READINGS, counts)
    for a, b in combinations(sorted(sessions), 2):
        tests: dict[SpreadOf, Mapping[TestForm, SubgroupTest]] = {
            "subset": every_form_from_sums(sums, a, b),
            "whole": every_form_from_sums(sums, a, b, sd_of="whole", whole=whole),
        }
        if readings.session_blocks:
            of_session = _sums(readings, readings.session_blocks, reader, sessions, index, counts)
            tests["session"] = every_form_from_sums(of_session, a, b, sd_of="session")
        exact_p = None
        if any(test.undefined for forms in tests.values() for test in forms.values()):
            shares = (readings.share_correct(reader, session, subset, readings.rule) for session in (a, b))
            exact_p = boschloo(*shares)
        batches = batch_means_test_from_sums(sums[BATCHES], a, b)
        yield SubgroupComparison(reader, subset, a, b, tests, batches, exact_p)


def _sums(
    readings: AggregatedReadings,
    blocks: Mapping[int, SubgroupBlocks],
    reader: str,
    sessions: Iterable[int],
    subset: int,
    counts: Iterable[int],
) -> dict[int, dict[int, SubgroupSums]]:
    """Return the sums by number of sub-groups and session."""
    places = {session: readings.index(reader, session) for session in sessions}
    return {g: {session: blocks[g].subgroup_sums(*place, subset) for session, place in places.items()} for g in counts}


def subgroup_tests_table(
    comparisons: tuple[SubgroupComparison, ...], *, plan: AnalysisPlan, is_paired: bool = False
) -> Table:
    """Return the table for the page: the plan's form of the test first, then the other forms and numbers of groups.

    `is_paired`: the plan's sessions show the same images, so that a note says where their comparison is.
    """
    forms = (each.tests[spread_of(plan)] for each in comparisons)
    reasons = {test.undefined for tests in forms for test in tests.values() if test.undefined}
    correction = Correction(plan.exploratory)
    family = correct_family({index: each.two_sided_p(plan) for index, each in enumerate(comparisons)}, correction)
    return Table(
        key="pvalues",
        title=_("Sub-group tests between sessions"),
        caption=_(
            "Tests whether one reader judges one kind of image differently in two sessions. The p by the plan is that "
            "of the plan’s form of the article’s test, with %(groups)s sub-groups; the other forms are beside it, and "
            "the columns g show how p depends on the number of sub-groups. Batches: Welch’s t on ten batches, with the "
            "spread of each session, two-sided. Exact: the two-sided p of Boschloo’s test, if a form is undefined."
        )
        % {"groups": plan.groups},
        columns=_columns(plan),
        rows=tuple(_row(each, plan, family.adjusted[index]) for index, each in enumerate(comparisons)),
        notes=(
            *sorted(undefined_sentence(reason) for reason in reasons),
            _adjustment_sentence(correction, family.tests),
            *_planned_sentence(comparisons, plan),
            *([paired_sentence(plan)] if is_paired else []),
            *subgroup_sentences(),
            unsure_sentence(Unsure(plan.unsure)),
        ),
        empty=_("No reader has verdicts in two sessions yet, so there is nothing to compare."),
    )


def all_subgroup_tests_table(comparisons: tuple[SubgroupComparison, ...]) -> Table:
    """Return the table for programs: one row per reader, subset, pair of sessions and form of the test."""
    values = (
        "a",
        "b",
        "sd_of",
        "groups",
        "error",
        "distribution",
        "share_a",
        "share_b",
        "difference",
        "sigma",
        "z",
        "df",
        "p",
    )
    names = ("reader", "subset", *values, "sds", "dropped", "undefined", "exact_p")
    rows: list[tuple[Cell, ...]] = []
    for each in comparisons:
        for test in chain.from_iterable(forms.values() for forms in each.tests.values()):
            undefined = test.undefined.name.lower() if test.undefined else ""
            rows.append(
                (
                    each.reader,
                    each.subset.value,
                    *(getattr(test, name) for name in values),
                    _by_session(test.sds),
                    _by_session(test.dropped),
                    undefined,
                    each.exact_p,
                )
            )
    return Table(
        key="subgroups",
        title=_("Sub-group tests between sessions, all forms"),
        caption=_("Every form of the sub-group test."),
        columns=tuple(Column(name, name, Kind.TEXT) for name in names),
        rows=tuple(rows),
    )


def _by_session(values: Mapping[int, float | int | None]) -> str:
    return " ".join(f"{session}:{'' if value is None else value}" for session, value in sorted(values.items()))


def _forms(plan: AnalysisPlan) -> tuple[tuple[ErrorTerm, Distribution], ...]:
    """Return the four forms, that of the plan first."""
    planned = (plan.statistic, plan.distribution)
    return tuple(sorted(product(ERRORS, DISTRIBUTIONS), key=lambda form: form != planned))


def _columns(plan: AnalysisPlan) -> tuple[Column, ...]:
    correct, size = _("Share correct"), f"g\u00a0=\u00a0{plan.groups}"
    by_plan, other = _("p by the plan, g = %(groups)s"), _("Other forms, g = %(groups)s")
    groups = {"groups": plan.groups}
    planned, *others = _forms(plan)
    return (
        Column("reader", _("Reader")),
        Column("subset", _("Images")),
        Column("sessions", _("Sessions")),
        Column("share_a", _("first"), Kind.FRACTION, correct),
        Column("share_b", _("second"), Kind.FRACTION, correct),
        Column("difference", _("change"), Kind.SIGNED, correct),
        Column("sigma", "σ", Kind.SPREAD, size),
        Column("left_out", _("not used"), Kind.COUNT, size),
        _form_column(by_plan % groups, *planned),
        Column("adjusted", _("adjusted"), Kind.P, by_plan % groups),
        *(_form_column(other % groups, *form) for form in others),
        *(_groups_column(g, error, plan) for error in ERRORS for g in subgroup_counts(plan.groups)),
        Column("p_batches", _("batches"), Kind.P, _("Other tests")),
        Column("exact_p", _("exact"), Kind.P, _("Other tests")),
        Column("family", _("Planned in")),
    )


def _form_column(group: str, error: ErrorTerm, distribution: Distribution) -> Column:
    title = f"{_error_name(error)}, {_distribution_name(distribution)}"
    return Column(f"p_{error}_{distribution}", title, Kind.P, group)


def _groups_column(groups: int, error: ErrorTerm, plan: AnalysisPlan) -> Column:
    form = {"name": _error_name(error), "curve": _distribution_name(plan.distribution)}
    return Column(f"p_{error}_{groups}", f"g\u00a0=\u00a0{groups}", Kind.P, _("p, %(name)s, %(curve)s") % form)


def _error_name(error: str) -> str:
    return {"difference": _("difference"), "single": _("single")}[error]


def _distribution_name(distribution: str) -> str:
    return _("normal") if distribution == "normal" else "t"


def _row(comparison: SubgroupComparison, plan: AnalysisPlan, adjusted: float | None) -> tuple[Cell, ...]:
    tests = comparison.tests[spread_of(plan)]
    planned, *others = (tests[plan.groups, error, distribution] for error, distribution in _forms(plan))
    return (
        comparison.reader,
        subset_name(comparison.subset),
        f"{comparison.a} → {comparison.b}",
        planned.share_a,
        planned.share_b,
        planned.difference,
        planned.sigma,
        sum(planned.dropped.values()),
        planned.p,
        adjusted,
        *(test.p for test in others),
        *(tests[g, error, planned.distribution].p for error in ERRORS for g in subgroup_counts(plan.groups)),
        comparison.batches.p,
        comparison.exact_p,
        comparison.family(plan),
    )


def _adjustment_sentence(correction: Correction, tests: int) -> str:
    if correction is Correction.NONE:
        return _(
            "This table has many p-values, and the plan does not adjust them for multiple tests: they are descriptive. "
            "“Adjusted” is the p by the plan for both directions, that is, doubled."
        )
    sentence = _(
        "This table has many p-values: they are descriptive. “Adjusted” is the p by the plan for both directions, that "
        "is, doubled, and corrected for all %(tests)s tests of this table (%(correction)s)."
    )
    return sentence % {"tests": tests, "correction": correction_name(correction)}


def _planned_sentence(comparisons: tuple[SubgroupComparison, ...], plan: AnalysisPlan) -> Iterator[str]:
    if any(comparison.family(plan) for comparison in comparisons):
        yield _(
            "Rows with an entry under “planned in” belong to a family of the plan. Their decision, adjusted within the "
            "family, is in the table of planned tests."
        )
