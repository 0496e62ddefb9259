"""Tables "table3p", "pvalues" and "subgroups": the article's test for every reader, subset and pair of sessions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from typing import get_args

from django.utils.translation import gettext as _

from readerstudy.analysis.plan.plan_table import subgroup_rule
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
    paired_sentence,
    subgroup_sentences,
    subset_name,
    undefined_sentence,
    unsure_sentence,
)
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.exact_tests import boschloo
from readerstudy.statistics.proportions import Proportion, newcombe
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


@dataclass(frozen=True)
class SubgroupComparison:
    """One reader and one subset, session b against session a, by every form of the test.

    `first` and `second` are the shares of correct verdicts. `tests` are by what σ is the SD of: the subset, whole
    sessions and, if the plan declares it, the subset in blocks of sessions. `batches` is Welch's t on the means of ten
    batches. `exact_p` is Boschloo's two-sided p, computed only if a form of the test is undefined.
    """

    reader: str
    subset: Subset
    a: int
    b: int
    first: Proportion
    second: Proportion
    tests: Mapping[SpreadOf, Mapping[TestForm, SubgroupTest]]
    batches: BatchMeansTest
    exact_p: float | None

    @property
    def change(self) -> Estimate | None:
        """The second share minus the first with Newcombe's interval, or None without readings that count."""
        if not (self.first.trials and self.second.trials):
            return None
        change = newcombe(self.first, self.second)
        return Estimate(change.difference, change.low, change.high)

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
        first, second = (readings.share_correct(reader, session, subset, readings.rule) for session in (a, b))
        is_undefined = any(test.undefined for forms in tests.values() for test in forms.values())
        exact_p = boschloo(first, second) if is_undefined else None
        batches = batch_means_test_from_sums(sums[BATCHES], a, b)
        yield SubgroupComparison(reader, subset, a, b, first, second, tests, batches, exact_p)


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


def article_p_table(comparisons: tuple[SubgroupComparison, ...], *, plan: AnalysisPlan) -> Table | None:
    """Return the article's p-values beside Table 3, a column for each pair of sessions; None without any."""
    if not comparisons:
        return None
    pairs = sorted({(each.a, each.b) for each in comparisons})
    tests: dict[tuple[str, Subset], dict[tuple[int, int], SubgroupTest]] = {}
    for each in comparisons:
        tests.setdefault((each.reader, each.subset), {})[each.a, each.b] = each.planned_test(plan)
    return Table(
        key="table3p",
        title=_("Table 3, continued. p-values as in the article"),
        caption=_(
            "The article’s sub-group test between two sessions, in the plan’s form (%(form)s). Each p is one-sided, in "
            "the observed direction, and not adjusted. “Not in σ” are readings that do not fill a sub-group. The "
            "changes with their intervals are in the table of each reader’s change, other forms in the appendix."
        )
        % {"form": subgroup_rule(plan)},
        columns=(
            Column("reader", _("Reader")),
            Column("subset", _("Images")),
            Column("left_out", _("Not in σ"), Kind.COUNT),
            *(Column(f"p_{a}_{b}", f"{a} → {b}", Kind.P, _("p between sessions")) for a, b in pairs),
        ),
        rows=tuple(
            (
                reader,
                subset_name(subset),
                max(sum(test.dropped.values()) for test in by_pair.values()),
                *(by_pair[pair].p if pair in by_pair else None for pair in pairs),
            )
            for (reader, subset), by_pair in tests.items()
        ),
        notes=_reason_sentences(comparisons, plan),
    )


def _reason_sentences(comparisons: tuple[SubgroupComparison, ...], plan: AnalysisPlan) -> tuple[str, ...]:
    tests = (test for each in comparisons for test in each.tests[spread_of(plan)].values())
    return tuple(sorted({undefined_sentence(test.undefined) for test in tests if test.undefined}))


def subgroup_tests_table(
    comparisons: tuple[SubgroupComparison, ...], *, plan: AnalysisPlan, is_paired: bool = False
) -> Table:
    """Return the p-values of the test by number of sub-groups, then its other distribution and spreads.

    `is_paired`: the plan's sessions show the same images, so that a note says where their comparison is.
    """
    return Table(
        key="pvalues",
        title=_("Sub-group tests between sessions"),
        caption=_(
            "The article’s test by the number g of sub-groups, the statistic, the distribution and the spread. The "
            "plan’s form: %(form)s. All p-values are one-sided, in the observed direction, and not adjusted."
        )
        % {"form": subgroup_rule(plan)},
        columns=_columns(comparisons, plan),
        rows=tuple(_row(each, plan, _other_spreads(comparisons, plan)) for each in comparisons),
        notes=(
            *_reason_sentences(comparisons, plan),
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


def _other_spreads(comparisons: tuple[SubgroupComparison, ...], plan: AnalysisPlan) -> tuple[SpreadOf, ...]:
    """Return the spreads beside the plan's that were computed."""
    return tuple(each for each in (comparisons[0].tests if comparisons else ()) if each != plan.sd_of)


def _other_distribution(plan: AnalysisPlan) -> Distribution:
    return "t" if plan.distribution == "normal" else "normal"


def _columns(comparisons: tuple[SubgroupComparison, ...], plan: AnalysisPlan) -> tuple[Column, ...]:
    left_out, size = _("not in σ"), f"g\u00a0=\u00a0{plan.groups}"
    other = _other_distribution(plan)
    return (
        Column("reader", _("Reader")),
        Column("subset", _("Images")),
        Column("sessions", _("Sessions")),
        *(
            column
            for g in subgroup_counts(plan.groups)
            for column in (
                Column(f"left_out_{g}", left_out, Kind.COUNT, f"g\u00a0=\u00a0{g}"),
                *(Column(f"p_{error}_{g}", _error_name(error), Kind.P, f"g\u00a0=\u00a0{g}") for error in ERRORS),
            )
        ),
        *(
            Column(f"p_{error}_{other}", _error_name(error), Kind.P, f"{size}, {_distribution_name(other)}")
            for error in ERRORS
        ),
        *(
            column
            for spread in _other_spreads(comparisons, plan)
            for column in (
                Column(f"left_out_{spread}", left_out, Kind.COUNT, f"{size}, {_spread_name(spread)}"),
                Column(f"p_{spread}", _error_name(plan.statistic), Kind.P, f"{size}, {_spread_name(spread)}"),
            )
        ),
    )


def _error_name(error: str) -> str:
    return {"difference": _("difference"), "single": _("single")}[error]


def _distribution_name(distribution: str) -> str:
    return _("normal distribution") if distribution == "normal" else _("t distribution")


def _spread_name(spread: SpreadOf) -> str:
    return {
        "subset": _("σ of the subset"),
        "session": _("σ of the subset in sessions"),
        "whole": _("σ of whole sessions"),
    }[spread]


def _row(comparison: SubgroupComparison, plan: AnalysisPlan, others: tuple[SpreadOf, ...]) -> tuple[Cell, ...]:
    tests, planned = comparison.tests[spread_of(plan)], comparison.planned_test(plan)
    form = (plan.groups, planned.error, planned.distribution)
    return (
        comparison.reader,
        subset_name(comparison.subset),
        f"{comparison.a} → {comparison.b}",
        *(
            cell
            for g in subgroup_counts(plan.groups)
            for cell in (
                sum(tests[g, "difference", planned.distribution].dropped.values()),
                *(tests[g, error, planned.distribution].p for error in ERRORS),
            )
        ),
        *(tests[plan.groups, error, _other_distribution(plan)].p for error in ERRORS),
        *(
            cell
            for spread in others
            for test in [comparison.tests[spread][form]]
            for cell in (sum(test.dropped.values()), test.p)
        ),
    )
