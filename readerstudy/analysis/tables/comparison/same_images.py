"""Table "same_images": verdicts on the same images under two conditions, of each reader and of all readers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import VERDICT_UNSURE, ComparedReadings, subset_kinds
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import MrmcComparison, compare_figure
from readerstudy.analysis.wording import session_limit_sentence, subset_name, unsure_sentence
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.mrmc.readings import FigureOfMerit
from readerstudy.statistics.proportions import newcombe_paired, wilson
from readerstudy.statistics.unsure import Unsure

# All images, real ones and adversarial ones, each with its share of right verdicts as a figure of merit.
_FIGURES: tuple[tuple[Subset | None, FigureOfMerit], ...] = (
    (None, "accuracy"),
    (Subset.REAL, "specificity"),
    (Subset.ADVERSARIAL, "sensitivity"),
)
IMAGES: tuple[Subset | None, ...] = tuple(subset for subset, _figure in _FIGURES)


@dataclass(frozen=True)
class Conditions:
    """The two sessions that are compared: the one without the aid first, if only one of them has it."""

    first: int
    second: int
    is_reversed: bool  # the first is the plan's later session


@dataclass(frozen=True)
class PairedVerdicts:
    """Images that one reader judged in both sessions: right in both, in the first or second only, in neither."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def images(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither


def compared_conditions(record: StudyRecord, plan: AnalysisPlan) -> Conditions | None:
    """Return the sessions of the plan as conditions; None unless both show the same images."""
    if not record.show_same_images(plan.before, plan.after):
        return None
    if {plan.before, plan.after} & set(record.aided_sessions) == {plan.before}:
        return Conditions(plan.after, plan.before, is_reversed=True)
    return Conditions(plan.before, plan.after, is_reversed=False)


def paired_verdicts(
    readings: ComparedReadings, conditions: Conditions, *, subset: Subset | None, rule: Unsure
) -> PairedVerdicts:
    """Return the counts for readings of one reader. Images with "unsure" are left out if the rule excludes it.

    Under half credit "unsure" counts as wrong, because a pair of verdicts must be right or wrong.
    """
    used = np.isin(readings.kind, subset_kinds(subset))
    if rule is Unsure.EXCLUDED:
        used &= readings.verdict != VERDICT_UNSURE
    first, second = (readings.select(used & (readings.session == n)) for n in (conditions.first, conditions.second))
    _cases, in_first, in_second = np.intersect1d(first.case, second.case, assume_unique=True, return_indices=True)
    a, b = first.is_correct[in_first], second.is_correct[in_second]
    return PairedVerdicts(int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum()))


def same_images_table(record: StudyRecord, plan: AnalysisPlan) -> Table | None:
    """Return shares of right verdicts under both conditions and their difference; None if other images were shown."""
    conditions = compared_conditions(record, plan)
    if conditions is None:
        return None
    overall = {
        (arm, figure): compare_figure(record, plan, arm, figure) for arm in record.arms for _subset, figure in _FIGURES
    }
    rows = [
        row
        for arm in record.arms
        for subset, figure in _FIGURES
        for row in (
            *_reader_rows(record, plan, conditions, arm, subset),
            *_overall_row(overall[arm, figure], conditions, subset),
        )
    ]
    return Table(
        key="same_images",
        title=_("The same images under two conditions"),
        caption=_(
            # xgettext: no-python-format
            "The share of right verdicts: real images called real, adversarial images called not real. Rows of a "
            "reader are about the images judged in both sessions; the difference has the paired 95 % interval of "
            "Newcombe, for this reader and similar images. Rows of all readers generalise to similar readers and "
            "images (Obuchowski–Rockette, readers and images crossed with the sessions). The p-values are exploratory "
            "and not adjusted."
        ),
        columns=_columns(record, conditions),
        rows=tuple(rows),
        notes=(
            *_condition_sentences(record, conditions),
            *_order_sentence(record, conditions),
            *dict.fromkeys(each.reason for each in overall.values() if each.reason),
            unsure_sentence(Unsure.WRONG if plan.unsure == "half" else Unsure(plan.unsure)),
            session_limit_sentence(record, plan),
        ),
        empty=_("No reader has judged an image in both sessions yet."),
    )


def _columns(record: StudyRecord, conditions: Conditions) -> tuple[Column, ...]:
    right = _("Share of right verdicts")
    numbers = (conditions.first, conditions.second)
    first, second = (session_name(record, number) for number in numbers)
    return (
        Column("arm", _("Arm")),
        Column("images_are", _("Images are")),
        Column("reader", _("Reader")),
        Column("images", _("Images"), Kind.COUNT),
        Column("first", first, Kind.ESTIMATE, right),
        Column("second", second, Kind.ESTIMATE, right),
        Column("difference", _("Difference"), Kind.CHANGE),
        Column("only_first", first, Kind.COUNT, _("Right only there")),
        Column("only_second", second, Kind.COUNT, _("Right only there")),
        Column("p", "p", Kind.P),
    )


def session_name(record: StudyRecord, number: int) -> str:
    """Return the session, with whether it had an aid if one of the sessions has."""
    aided = record.aided_sessions
    if not aided:
        return _("session %(session)s") % {"session": number}
    name = _("session %(session)s, with aid") if number in aided else _("session %(session)s, without aid")
    return name % {"session": number}


def images_are(subset: Subset | None) -> str:
    """Return the name of a subset of images; None means all."""
    return _("all") if subset is None else subset_name(subset)


def _reader_rows(
    record: StudyRecord, plan: AnalysisPlan, conditions: Conditions, arm: str, subset: Subset | None
) -> Iterator[tuple[Cell, ...]]:
    compared, readers = record.readings.compared, record.readings.readers
    for reader in record.readers_of_arm(arm):
        if reader not in readers:
            continue
        own = compared.select(compared.reader == readers.index(reader))
        pairs = paired_verdicts(own, conditions, subset=subset, rule=Unsure(plan.unsure))
        if pairs.images:
            yield (arm, images_are(subset), reader, pairs.images, *_cells(pairs), None)


def _cells(pairs: PairedVerdicts) -> tuple[Cell, ...]:
    change = newcombe_paired(pairs.both, pairs.only_first, pairs.only_second, pairs.neither)
    return (
        _share(pairs.both + pairs.only_first, pairs.images),
        _share(pairs.both + pairs.only_second, pairs.images),
        Estimate(change.difference, change.low, change.high),
        pairs.only_first,
        pairs.only_second,
    )


def _share(hits: int, trials: int) -> Cell:
    share = wilson(hits, trials)
    if share.share is None or share.low is None or share.high is None:
        return None
    return Estimate(share.share, share.low, share.high)


def _overall_row(
    comparison: MrmcComparison, conditions: Conditions, subset: Subset | None
) -> Iterator[tuple[Cell, ...]]:
    """Yield the row of all readers; nothing if the figure was not estimated."""
    result = comparison.result
    if result is None:
        return
    first, second = (result.intervals[number] for number in (conditions.first, conditions.second))
    yield (
        comparison.arm,
        images_are(subset),
        _("all readers"),
        result.cases,
        Estimate(first.estimate, first.low, first.high) if first.se > 0 else first.estimate,
        Estimate(second.estimate, second.low, second.high) if second.se > 0 else second.estimate,
        _reversed(comparison.change) if conditions.is_reversed else comparison.change,
        None,
        None,
        comparison.p,
    )


def _reversed(change: Estimate | float | None) -> Estimate | float | None:
    if isinstance(change, Estimate):
        return Estimate(0.0 - change.value, 0.0 - change.high, 0.0 - change.low)
    return None if change is None else 0.0 - change


def _condition_sentences(record: StudyRecord, conditions: Conditions) -> Iterator[str]:
    titles = {each.number: each.title for each in record.image_sets}
    yield _("The difference is session %(second)s (%(second_title)s) minus session %(first)s (%(first_title)s).") % {
        "first": conditions.first,
        "second": conditions.second,
        "first_title": titles.get(conditions.first, ""),
        "second_title": titles.get(conditions.second, ""),
    }


def _order_sentence(record: StudyRecord, conditions: Conditions) -> Iterator[str]:
    """Yield how many readers began with the second condition."""
    if record.conduct is None:
        return
    began = 0
    both = 0
    for reader in record.readers:
        first, second = (record.conduct.reader_session(reader, n) for n in (conditions.first, conditions.second))
        if first and second and first.opened_at and second.opened_at:
            both += 1
            began += second.opened_at < first.opened_at
    sentence = ngettext(
        "%(began)s of %(count)s reader of both sessions began with session %(second)s.",
        "%(began)s of %(count)s readers of both sessions began with session %(second)s.",
        both,
    )
    yield sentence % {"began": began, "count": both, "second": conditions.second}
