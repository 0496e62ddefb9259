"""Table "reader_changes": the change of each reader between two sessions, with intervals."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.same_images import Conditions, paired_verdicts
from readerstudy.analysis.tables.comparison.subgroup_tests import SubgroupComparison
from readerstudy.analysis.wording import correction_name, paired_sentence, subset_name, unsure_sentence
from readerstudy.layout.table import Cell, Column, Difference, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.multiplicity import Correction, correct_family
from readerstudy.statistics.proportions import Proportion, newcombe_paired, wilson
from readerstudy.statistics.unsure import Unsure


@dataclass(frozen=True)
class ReaderChange:
    """The change of one reader's share of correct verdicts on a subset, from session a to session b.

    `change` has the interval of Newcombe: paired if both sessions show the same images (`comparison` is then None, for
    its tests take readings as independent), else for independent samples. It is None without readings that count.
    """

    reader: str
    subset: Subset
    a: int
    b: int
    first: Proportion
    second: Proportion
    change: Estimate | None
    comparison: SubgroupComparison | None = None

    @property
    def batches(self) -> Difference | None:
        """The change of the means of ten batches with the interval and the two-sided p of Welch's t."""
        test = self.comparison.batches if self.comparison else None
        if test is None or test.difference is None:
            return None
        if test.low is None or test.high is None:
            return Difference(test.difference, None, None, None)
        return Difference(test.difference, max(test.low, -1.0), min(test.high, 1.0), test.p)


def reader_changes(
    record: StudyRecord, plan: AnalysisPlan, subgroups: tuple[SubgroupComparison, ...]
) -> tuple[ReaderChange, ...]:
    """Return the changes of every reader, subset and pair of sessions with readings of the subset, by reader.

    `subgroups` comes from `subgroup_comparisons`.
    """
    changes = [
        ReaderChange(each.reader, each.subset, each.a, each.b, each.first, each.second, each.change, each)
        for each in subgroups
    ]
    if record.show_same_images(plan.before, plan.after):
        changes += _paired(record, plan)
    readers = {reader: index for index, reader in enumerate(record.readings.readers)}
    subsets = list(Subset)
    return tuple(sorted(changes, key=lambda c: (readers[c.reader], subsets.index(c.subset), c.a, c.b)))


def _paired(record: StudyRecord, plan: AnalysisPlan) -> Iterator[ReaderChange]:
    readings, conditions = record.readings, Conditions(plan.before, plan.after, is_reversed=False)
    for index, reader in enumerate(readings.readers):
        own = readings.compared.select(readings.compared.reader == index)
        for subset in Subset:
            pairs = paired_verdicts(own, conditions, subset=subset, rule=Unsure(plan.unsure))
            if not pairs.images:
                continue
            change = newcombe_paired(pairs.both, pairs.only_first, pairs.only_second, pairs.neither)
            yield ReaderChange(
                reader,
                subset,
                plan.before,
                plan.after,
                wilson(pairs.both + pairs.only_first, pairs.images),
                wilson(pairs.both + pairs.only_second, pairs.images),
                Estimate(change.difference, change.low, change.high),
            )


def reader_changes_table(record: StudyRecord, plan: AnalysisPlan, changes: tuple[ReaderChange, ...]) -> Table:
    """Return every change with its intervals, and the article's p beside it."""
    correction = Correction(plan.exploratory)
    tests = {index: c.comparison.two_sided_p(plan) for index, c in enumerate(changes) if c.comparison}
    family = correct_family(tests, correction)
    return Table(
        key="reader_changes",
        title=_("Each reader’s change between two sessions"),
        caption=_(
            # xgettext: no-python-format
            "The change of the share of correct verdicts of one reader on one kind of image, with Newcombe’s 95 % "
            "interval; if both sessions show the same images, the interval is the paired one. It takes verdicts as "
            "independent. Batches: the change of the means of ten batches in reading order with Welch’s interval and "
            "two-sided p, which hold if neighbouring verdicts are alike. An interval is about this reader and similar "
            "images, not about readers in general."
        ),
        columns=_columns(),
        rows=tuple(_row(each, plan, family.adjusted.get(index)) for index, each in enumerate(changes)),
        notes=(
            _adjustment_sentence(correction, family.tests),
            *_planned_sentence(changes, plan),
            *([paired_sentence(plan)] if record.show_same_images(plan.before, plan.after) else []),
            unsure_sentence(Unsure(plan.unsure)),
        ),
        empty=_("No reader has verdicts in two sessions yet, so there is nothing to compare."),
    )


def _columns() -> tuple[Column, ...]:
    correct, test = _("Share correct"), _("The article’s test")
    return (
        Column("reader", _("Reader")),
        Column("subset", _("Images"), breaks=True),
        Column("sessions", _("Sessions")),
        Column("first", _("first"), Kind.FRACTION, correct),
        Column("second", _("second"), Kind.FRACTION, correct),
        Column("change", pgettext("difference", "Change"), Kind.CHANGE),
        Column("batches", _("Change, batches"), Kind.DIFFERENCE),
        Column("left_out", _("not in σ"), Kind.COUNT, test),
        Column("p", _("p, one-sided"), Kind.P, test),
        Column("adjusted", _("adjusted"), Kind.P, test),
        Column("exact_p", _("Exact p"), Kind.P),
        Column("family", _("Planned in"), breaks=True),
    )


def _row(change: ReaderChange, plan: AnalysisPlan, adjusted: float | None) -> tuple[Cell, ...]:
    comparison = change.comparison
    planned = comparison.planned_test(plan) if comparison else None
    return (
        change.reader,
        subset_name(change.subset),
        f"{change.a} → {change.b}",
        change.first.share,
        change.second.share,
        change.change,
        change.batches,
        sum(planned.dropped.values()) if planned else None,
        planned.p if planned else None,
        adjusted,
        comparison.exact_p if comparison else None,
        comparison.family(plan) if comparison else "",
    )


def _adjustment_sentence(correction: Correction, tests: int) -> str:
    if correction is Correction.NONE:
        return _(
            "This table has many p-values, and the plan does not adjust them for multiple tests: they are descriptive. "
            "“Adjusted” is the article’s p for both directions, that is, doubled. Exact: the two-sided p of Boschloo’s "
            "test, if a form of the article’s test is undefined."
        )
    sentence = _(
        "This table has many p-values: they are descriptive. “Adjusted” is the article’s p for both directions, that "
        "is, doubled, and corrected for all %(tests)s tests of this table (%(correction)s). Exact: the two-sided p of "
        "Boschloo’s test, if a form of the article’s test is undefined."
    )
    return sentence % {"tests": tests, "correction": correction_name(correction)}


def _planned_sentence(changes: tuple[ReaderChange, ...], plan: AnalysisPlan) -> Iterator[str]:
    if any(change.comparison and change.comparison.family(plan) for change in changes):
        yield _(
            "Rows with an entry under “planned in” belong to a family of the plan. Their decision, adjusted within the "
            "family, is in the table of planned tests."
        )
