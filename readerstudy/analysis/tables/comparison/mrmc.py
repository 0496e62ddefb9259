"""Table "mrmc": two sessions compared over readers and cases, both random (Obuchowski–Rockette)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.record.analysis_set import MINIMUM_CASES, MINIMUM_READERS
from readerstudy.analysis.record.codes import REAL, UNSURE, VERDICTS
from readerstudy.analysis.record.counts import VERDICT_UNSURE, ComparedReadings
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.wording import (
    compared_sessions,
    p_text,
    session_limit_sentence,
    signed,
    unsure_sentence,
)
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.comparisons import FIGURES as PLAN_FIGURES
from readerstudy.statistics.mrmc import ObuchowskiRockette, obuchowski_rockette
from readerstudy.statistics.mrmc.anova import NEGATIVE_VARIANCE, NO_SPREAD
from readerstudy.statistics.mrmc.readings import Design, FigureOfMerit
from readerstudy.statistics.unsure import Unsure

FIGURES = cast(tuple[FigureOfMerit, ...], PLAN_FIGURES)
# The ordinal score of a verdict for the AUC.
_ORDINAL = {REAL: 0, UNSURE: 1, "not_real": 2}
# Whether the images that a figure is computed from are adversarial; the others are computed from both.
_KINDS_OF: dict[FigureOfMerit, tuple[bool, ...]] = {"specificity": (False,), "sensitivity": (True,)}
_SCORES = np.array([_ORDINAL.get(verdict, np.nan) for verdict in VERDICTS])


@dataclass(frozen=True)
class MrmcComparison:
    """One figure of merit in one arm: the result, or None and the reason.

    `excluded` are readers with verdicts in the compared sessions, but too few for this figure.
    """

    arm: str
    figure: FigureOfMerit
    readers: tuple[str, ...]
    excluded: tuple[str, ...]
    result: ObuchowskiRockette | None
    reason: str = ""

    @property
    def change(self) -> Estimate | float | None:
        """The later session minus the earlier one; a number without an interval if nothing varies."""
        return session_change(self.result) if self.result and self.result.differences else None

    @property
    def p(self) -> float | None:
        return self.result.p if self.result else None


@dataclass(frozen=True)
class MrmcReadings:
    """Input of one analysis: score, truth, reader, case and session of each reading, (n,) each.

    `design`: whether both sessions show the same images.
    """

    readers: tuple[str, ...]
    excluded: tuple[str, ...]
    columns: tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.int32], NDArray[np.int64], NDArray[np.int16]]
    threshold: float | None
    design: Design


def mrmc_comparisons(record: StudyRecord, plan: AnalysisPlan) -> tuple[MrmcComparison, ...]:
    """Return every figure in every arm. Readers of one arm read the same images, so arms are analysed separately."""
    return tuple(compare_figure(record, plan, arm, figure) for arm in record.arms for figure in FIGURES)


def compare_figure(
    record: StudyRecord, plan: AnalysisPlan, arm: str, figure: FigureOfMerit, *, needs_both_kinds: bool = True
) -> MrmcComparison:
    """Return the Obuchowski–Rockette analysis of one figure in one arm, the plan's two sessions as conditions.

    `needs_both_kinds`: see `readings_for`.
    """
    if figure != "auc" and Unsure(plan.unsure) is Unsure.HALF:
        return MrmcComparison(arm, figure, (), (), None, _half_credit_reason())
    readings = readings_for(record, plan, arm, figure, needs_both_kinds=needs_both_kinds)
    if len(readings.readers) < MINIMUM_READERS:
        reason = _single_reader_reason(readings.readers[0], plan) if readings.readers else _no_reader_reason(plan)
        return MrmcComparison(arm, figure, readings.readers, readings.excluded, None, reason)
    result = obuchowski_rockette(*readings.columns, figure=figure, threshold=readings.threshold, design=readings.design)
    reason = undefined_reason(result, name=figure_name(figure))
    return MrmcComparison(arm, figure, readings.readers, readings.excluded, result, reason)


def readings_for(
    record: StudyRecord, plan: AnalysisPlan, arm: str, figure: FigureOfMerit, *, needs_both_kinds: bool = True
) -> MrmcReadings:
    """Return the readings of one arm in the plan's sessions, as scores of the figure.

    Readers with fewer than MINIMUM_CASES verdicts on a kind of image in a session are excluded, as in `analysis_set`.
    Without `needs_both_kinds` only those kinds count that the figure is computed from, so that a session of real images
    can be compared by specificity.
    """
    names, compared = record.readings.readers, record.readings.of_pair(plan.before, plan.after)
    of_arm = [index for index, reader in enumerate(names) if record.readers.get(reader) == arm]
    present = set(np.unique(compared.reader).tolist())
    kept = np.isin(compared.reader, of_arm)
    if figure != "auc" and Unsure(plan.unsure) is Unsure.EXCLUDED:
        kept &= compared.verdict != VERDICT_UNSURE
    kinds = (False, True) if needs_both_kinds else _KINDS_OF.get(figure, (False, True))
    own = compared.select(kept)
    included = readers_with_enough_cases(own.reader, own.session, own.is_adversarial, plan, kinds)
    used = compared.select(kept & np.isin(compared.reader, included))
    truth = used.is_adversarial.astype(np.int8)
    score, threshold = _scores(used, truth, figure)
    return MrmcReadings(
        readers=tuple(names[index] for index in included),
        excluded=tuple(names[index] for index in of_arm if index in present and index not in set(included)),
        columns=(score, truth, used.reader, used.case, used.session),
        threshold=threshold,
        design=compared_design(record, plan),
    )


def compared_design(record: StudyRecord, plan: AnalysisPlan) -> Design:
    """Return whether images are crossed with the plan's two sessions or nested in them."""
    return "crossed" if record.show_same_images(plan.before, plan.after) else "cases_in_condition"


def readers_with_enough_cases(
    reader: NDArray[np.int32],
    session: NDArray[np.int16],
    is_adversarial: NDArray[np.bool_],
    plan: AnalysisPlan,
    kinds: tuple[bool, ...] = (False, True),
) -> list[int]:
    """Return the indices of readers with MINIMUM_CASES readings of each of these kinds of image in each session.

    The arrays are (n,), one element per reading of the plan's two sessions. `kinds` are False for real images and True
    for adversarial ones.
    """
    readers = int(reader.max(initial=-1)) + 1
    cell = (session == plan.after) * 2 + is_adversarial
    counts = np.bincount(reader * 4 + cell, minlength=readers * 4).reshape(readers, 2, 2)
    needed = counts[:, :, list(map(int, kinds))]
    return [int(index) for index in np.flatnonzero((needed >= MINIMUM_CASES).all(axis=(1, 2)))]


def _scores(
    compared: ComparedReadings, truth: NDArray[np.int8], figure: FigureOfMerit
) -> tuple[NDArray[np.float64], float | None]:
    """Return scores (n,) and the threshold of a positive call.

    For the AUC scores are ordinal verdicts. For other figures a score is the binary call: the truth if the verdict is
    correct, otherwise its opposite, so that "unsure" is always wrong.
    """
    if figure == "auc":
        return _SCORES[compared.verdict], None
    return np.where(compared.is_correct, truth, 1 - truth).astype(float), 0.5


def mrmc_table(record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...]) -> Table:
    """Return the means over readers in the two sessions, their difference, F and p, for four figures."""
    reasons = tuple(dict.fromkeys(comparison.reason for comparison in comparisons if comparison.reason))
    several_arms = len(record.arms) > 1
    sentences = [_sentence(comparison, plan, several_arms=several_arms) for comparison in comparisons]
    return Table(
        key="mrmc",
        title=_("MRMC analysis. Session %(after)s against session %(before)s") % compared_sessions(plan),
        caption=_(
            # xgettext: no-python-format
            "Means over the readers with 95 % intervals that generalise to similar readers and images "
            "(Obuchowski–Rockette analysis with Hillis’ degrees of freedom). AUC: how "
            "well the verdicts, ordered real, unsure, not real, separate adversarial from real images; 0.50 is chance. "
            "Sensitivity: adversarial images called not real. Specificity: real images called real. Balanced accuracy: "
            "the mean of the two. Planned tests and their adjusted p-values are in the table of planned tests; all "
            "other p-values are exploratory, and none in this table is adjusted for multiple tests."
        ),
        columns=mrmc_columns(plan),
        rows=tuple(mrmc_row(each, plan) for each in comparisons) if any(each.result for each in comparisons) else (),
        notes=(
            *filter(None, sentences),
            *reasons,
            _design_sentence(record, plan),
            *_cut_sentence(comparisons),
            *_exclusion_sentence(comparisons),
            unsure_sentence(Unsure(plan.unsure)),
            session_limit_sentence(record, plan),
        ),
        empty=" ".join(reasons) or _no_reader_reason(plan),
    )


def mrmc_columns(plan: AnalysisPlan) -> tuple[Column, ...]:
    """Return the columns of a table of analyses over readers and cases."""
    test, mean = _("Test of the difference"), _("Mean of the readers")
    return (
        Column("figure", _("Figure")),
        Column("arm", _("Arm")),
        Column("readers", _("Readers"), Kind.COUNT),
        Column("images", _("Images"), Kind.COUNT),
        Column("before", _("session %(session)s") % {"session": plan.before}, Kind.ESTIMATE, mean),
        Column("after", _("session %(session)s") % {"session": plan.after}, Kind.ESTIMATE, mean),
        Column("difference", _("Difference"), Kind.CHANGE),
        Column("f", "F", Kind.FRACTION, test),
        Column("df1", "df 1", Kind.COUNT, test),
        Column("df2", "df 2", Kind.DECIMAL, test),
        Column("p", "p", Kind.P, test),
    )


def mrmc_row(comparison: MrmcComparison, plan: AnalysisPlan, *, name: str = "") -> tuple[Cell, ...]:
    """Return one analysis as a row of `mrmc_columns`; `name` is that of its figure, by default its usual one."""
    head = (name or figure_name(comparison.figure), comparison.arm)
    result = comparison.result
    if result is None:
        return (*head, *(None for _column in mrmc_columns(plan)[2:]))
    return (
        *head,
        len(comparison.readers),
        result.cases,
        session_mean(result, plan.before),
        session_mean(result, plan.after),
        comparison.change,
        result.f,
        result.df1,
        # JSON has no infinity. With infinite degrees of freedom the test is χ², and the cell is empty.
        result.df2 if result.df2 is not None and np.isfinite(result.df2) else None,
        result.p,
    )


def session_mean(result: ObuchowskiRockette, session: int) -> Estimate | float:
    """Return the mean with its interval; without one if nothing varies, because its width would be zero."""
    interval = result.intervals[session]
    return Estimate(interval.estimate, interval.low, interval.high) if interval.se > 0 else interval.estimate


def session_change(result: ObuchowskiRockette) -> Estimate | float:
    """Return the later session minus the earlier one, cut at ±1; the analysis has the opposite sign and no limits."""
    difference = result.differences[0]
    if difference.low is None or difference.high is None:
        return 0.0 - difference.estimate
    return cut_difference(0.0 - difference.estimate, 0.0 - difference.high, 0.0 - difference.low)


def cut_difference(value: float, low: float, high: float) -> Estimate:
    """Return the difference of two shares or areas with its interval cut at its limits, −1 and 1."""
    return Estimate(value, max(low, -1.0), min(high, 1.0))


def _cut_sentence(comparisons: tuple[MrmcComparison, ...]) -> Iterator[str]:
    changes = [comparison.change for comparison in comparisons]
    if any(isinstance(change, Estimate) and (change.low <= -1 or change.high >= 1) for change in changes):
        yield _(
            "Intervals of differences are cut at −1 and 1, the limits of a difference. One that reaches a limit says "
            "hardly anything: there are too few readers."
        )


def figure_name(figure: FigureOfMerit) -> str:
    """Return the name of a figure of merit."""
    return {
        "auc": _("AUC"),
        "accuracy": _("Share of right verdicts"),
        "sensitivity": _("Sensitivity"),
        "specificity": _("Specificity"),
        "balanced_accuracy": _("Balanced accuracy"),
    }[figure]


def _sentence(comparison: MrmcComparison, plan: AnalysisPlan, *, several_arms: bool) -> str:
    """Return the row in words; empty if there is no test."""
    change, p = comparison.change, comparison.p
    if not isinstance(change, Estimate) or p is None:
        return ""
    if change.low > 0:
        sentence = _(
            "%(figure)s: higher in session %(after)s, change %(change)s (%(low)s to %(high)s; unadjusted p %(p)s)."
        )
    elif change.high < 0:
        sentence = _(
            "%(figure)s: lower in session %(after)s, change %(change)s (%(low)s to %(high)s; unadjusted p %(p)s)."
        )
    else:
        sentence = _(
            "%(figure)s: the change %(change)s may be due to chance; the readings are compatible with %(low)s to "
            "%(high)s (unadjusted p %(p)s)."
        )
    name = figure_name(comparison.figure)
    return sentence % {
        "figure": f"{comparison.arm}, {name}" if several_arms else name,
        "change": signed(change.value, decimals=3),
        "low": signed(change.low, decimals=3),
        "high": signed(change.high, decimals=3),
        "p": p_text(p),
        **compared_sessions(plan),
    }


def _design_sentence(record: StudyRecord, plan: AnalysisPlan) -> str:
    if record.show_same_images(plan.before, plan.after):
        return _("Both sessions show the same images: images and readers are crossed with the sessions.")
    return _("No image is in both sessions: images are nested in the sessions, readers are crossed with them.")


def _exclusion_sentence(comparisons: tuple[MrmcComparison, ...]) -> Iterator[str]:
    names = dict.fromkeys(reader for each in comparisons if each.result for reader in each.excluded)
    if names:
        sentence = _(
            "Excluded because of fewer than two verdicts on real or on adversarial images in one of the sessions: "
            "%(readers)s. Readers without any verdict in these sessions are in the table of exclusions."
        )
        yield sentence % {"readers": ", ".join(names)}


def _no_reader_reason(plan: AnalysisPlan) -> str:
    sentence = _(
        "No reader has at least two verdicts on real and two on adversarial images in both session %(before)s and "
        "session %(after)s, so there is nothing to compare."
    )
    return sentence % compared_sessions(plan)


def _single_reader_reason(reader: str, plan: AnalysisPlan) -> str:
    sentence = _(
        "Only %(reader)s has at least two verdicts on real and two on adversarial images in both session %(before)s "
        "and session %(after)s. Results of one reader do not generalise to other readers; see the tables by reader."
    )
    return sentence % {"reader": reader, **compared_sessions(plan)}


def _half_credit_reason() -> str:
    return _(
        "Half credit is not a binary answer, so sensitivity, specificity and balanced accuracy are not estimated under "
        "this rule; the AUC uses “unsure” as the verdict between real and not real."
    )


def undefined_reason(result: ObuchowskiRockette, *, name: str) -> str:
    """Return why there is no test; empty if there is one. `name` is that of the figure.

    The package `statistics` has this text in English only.
    """
    sentence = {
        NO_SPREAD: _("%(figure)s: it varies neither over readers nor over images, so it cannot be tested."),
        NEGATIVE_VARIANCE: _(
            "%(figure)s: the estimated variance of the difference is negative, so it cannot be tested."
        ),
    }.get(result.undefined or "", "")
    return sentence and sentence % {"figure": name}
