"""Across readers: one session against another, said of readers and images like these and not of these alone (MRMC)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.layout.wording import p_words, session_limit_sentence, sessions_of, signed, unsure_sentence
from readerstudy.analysis.record.analysis_set import FEWEST
from readerstudy.analysis.record.counts import SAID_NOT_REAL, SAID_REAL, SAID_UNSURE, Matrix
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics.mrmc import ObuchowskiRockette, obuchowski_rockette
from readerstudy.statistics.mrmc.anova import NEGATIVE_VARIANCE, NO_SPREAD
from readerstudy.statistics.mrmc.readings import FigureOfMerit
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import FIGURES as PLAN_FIGURES
from readerstudy.studies.analysis_plan import AnalysisPlan

FIGURES = cast(tuple[FigureOfMerit, ...], PLAN_FIGURES)
# By verdict: real < unsure < not real.
_SCORES = np.zeros(4)
_SCORES[[SAID_REAL, SAID_UNSURE, SAID_NOT_REAL]] = 0, 1, 2


@dataclass(frozen=True)
class Comparison:
    """One figure in one arm: the analysis, or None and the sentence that says why there is none."""

    arm: str
    figure: FigureOfMerit
    readers: tuple[str, ...]
    left_out: tuple[str, ...]
    found: ObuchowskiRockette | None
    reason: str = ""


def compare_across(record: StudyRecord, plan: AnalysisPlan) -> tuple[Comparison, ...]:
    """Every figure in every arm. Readers of one arm saw the same images, so each arm is a study of its own."""
    return tuple(compare_figure(record, plan, arm, figure) for arm in record.arms for figure in FIGURES)


def compare_figure(record: StudyRecord, plan: AnalysisPlan, arm: str, figure: FigureOfMerit) -> Comparison:
    """One figure in one arm by Obuchowski and Rockette's analysis, the plan's later session against the earlier."""
    rule = Unsure(plan.unsure)
    if figure != "auc" and rule is Unsure.HALF:
        return Comparison(arm, figure, (), (), None, _half_right())
    chosen = readings_for(record, plan, arm, figure)
    if len(chosen.readers) < FEWEST:
        reason = _only(chosen.readers[0], plan) if chosen.readers else _nobody(plan)
        return Comparison(arm, figure, chosen.readers, chosen.left_out, None, reason)
    found = obuchowski_rockette(*chosen.columns, figure=figure, threshold=chosen.threshold, design="cases_in_condition")
    return Comparison(arm, figure, chosen.readers, chosen.left_out, found, _undefined(found))


@dataclass(frozen=True)
class Chosen:
    """What one analysis takes: `columns` are score, truth, reader, case and session of each reading."""

    readers: tuple[str, ...]
    left_out: tuple[str, ...]
    columns: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int64], NDArray[np.int16]]
    threshold: float | None


def readings_for(record: StudyRecord, plan: AnalysisPlan, arm: str, figure: FigureOfMerit) -> Chosen:
    """The readings of one arm in the plan's two sessions, by readers who judged enough, as scores of this figure."""
    tallies = record.tallies
    matrix = tallies.matrix
    own = [place for place, reader in enumerate(tallies.readers) if record.readers.get(reader) == arm]
    kept = np.isin(matrix.reader, own)
    present = set(np.unique(matrix.reader).tolist())
    everybody = [place for place in own if place in present]
    if figure != "auc" and Unsure(plan.unsure) is Unsure.EXCLUDED:
        kept &= matrix.verdict != SAID_UNSURE
    fit = _judged_enough(matrix.chosen(kept), plan)
    enough = set(fit)
    used = matrix.chosen(kept & np.isin(matrix.reader, fit))
    truth = used.is_adversarial.astype(np.int64)
    score, threshold = _scores(used, truth, figure)
    return Chosen(
        tuple(tallies.readers[place] for place in fit),
        tuple(tallies.readers[place] for place in everybody if place not in enough),
        (score, truth, used.reader, used.case, used.session),
        threshold,
    )


def across_readers(record: StudyRecord, plan: AnalysisPlan, compared: tuple[Comparison, ...] | None = None) -> Table:
    """Mean over readers in the two sessions, their difference with its interval, F and p, for four figures."""
    compared = compare_across(record, plan) if compared is None else compared
    reasons = tuple(dict.fromkeys(one.reason for one in compared if one.reason))
    is_empty = not any(one.found for one in compared)
    several = len(record.arms) > 1
    in_words = [sentence for one in compared for sentence in _in_words(one, plan, several=several)]
    return Table(
        key="mrmc",
        title=_("Across readers. Session %(after)s against session %(before)s") % sessions_of(plan),
        caption=_(
            # xgettext: no-python-format
            "Means over the readers with 95 % intervals that hold for readers and images like these, not for these "
            "alone (Obuchowski and Rockette’s analysis with Hillis’ degrees of freedom; no image is in both "
            "sessions). AUC: how well the verdicts, ordered real, unsure, not real, part the adversarial images from "
            "the real ones; 0.50 is chance. Sensitivity: adversarial images called not real. Specificity: real "
            "images called real. Balanced accuracy: the mean of the two. What of this was planned stands among the "
            "planned tests; every other p-value is exploratory, and none here is corrected for the others."
        ),
        columns=_columns(plan),
        rows=() if is_empty else tuple(_row(one, plan) for one in compared),
        notes=(
            *in_words,
            *reasons,
            *_left_out(compared),
            unsure_sentence(Unsure(plan.unsure)),
            session_limit_sentence(plan),
        ),
        empty=" ".join(reasons) or _nobody(plan),
    )


def _columns(plan: AnalysisPlan) -> tuple[Column, ...]:
    test = _("Test of the difference")
    return (
        Column("figure", _("Figure")),
        Column("arm", _("Arm")),
        Column("readers", _("Readers"), Kind.COUNT),
        Column("images", _("Images"), Kind.COUNT),
        Column("before", _("session %(session)s") % {"session": plan.before}, Kind.ESTIMATE, _("Mean of the readers")),
        Column("after", _("session %(session)s") % {"session": plan.after}, Kind.ESTIMATE, _("Mean of the readers")),
        Column("difference", _("Difference"), Kind.ESTIMATE),
        Column("f", "F", Kind.FRACTION, test),
        Column("df1", "df 1", Kind.COUNT, test),
        Column("df2", "df 2", Kind.DECIMAL, test),
        Column("p", "p", Kind.P, test),
    )


def _judged_enough(matrix: Matrix, plan: AnalysisPlan) -> list[int]:
    """Places of the readers who judged two images of each kind in each of the two sessions."""
    readers = int(matrix.reader.max(initial=-1)) + 1
    cell = (matrix.session == plan.after) * 2 + matrix.is_adversarial
    counts = np.bincount(matrix.reader * 4 + cell, minlength=readers * 4).reshape(readers, 4)
    return [int(place) for place in np.flatnonzero((counts >= FEWEST).all(axis=1))]


def _scores(
    matrix: Matrix, truth: NDArray[np.int64], figure: FigureOfMerit
) -> tuple[NDArray[np.float64], float | None]:
    """The ordinal verdict for the AUC; else a call that is right where the verdict is, and "unsure" never is."""
    if figure == "auc":
        return _SCORES[matrix.verdict], None
    right = matrix.verdict == np.where(truth == 1, SAID_NOT_REAL, SAID_REAL)
    return np.where(right, truth, 1 - truth).astype(float), 0.5


def _row(one: Comparison, plan: AnalysisPlan) -> tuple[Cell, ...]:
    found = one.found
    head = (figure_name(one.figure), one.arm)
    if found is None:
        return (*head, *(None for _ in _columns(plan)[2:]))
    means = (_mean(found, session) for session in (plan.before, plan.after))
    # Infinite degrees of freedom have no place in JSON; the test is then χ² and `df2` stays empty.
    df2 = found.df2 if found.df2 is not None and np.isfinite(found.df2) else None
    return (*head, len(one.readers), found.cases, *means, change(found), found.f, found.df1, df2, found.p)


def _mean(found: ObuchowskiRockette, session: int) -> Estimate | float:
    """Without an interval where nothing varies: one of no width would claim certainty."""
    interval = found.intervals[session]
    return Estimate(interval.estimate, interval.low, interval.high) if interval.se > 0 else interval.estimate


def change(found: ObuchowskiRockette) -> Estimate | float:
    """The later session less the earlier; the analysis has it the other way round."""
    difference = found.differences[0]
    if difference.low is None or difference.high is None:
        return 0.0 - difference.estimate
    return Estimate(0.0 - difference.estimate, 0.0 - difference.high, 0.0 - difference.low)


def figure_name(figure: FigureOfMerit) -> str:
    return {
        "auc": _("AUC"),
        "sensitivity": _("Sensitivity"),
        "specificity": _("Specificity"),
        "balanced_accuracy": _("Balanced accuracy"),
    }[figure]


def _in_words(one: Comparison, plan: AnalysisPlan, *, several: bool) -> Iterator[str]:
    """What the line of the table says."""
    by = change(one.found) if one.found else None
    if not isinstance(by, Estimate) or one.found is None or one.found.p is None:
        return
    if by.low > 0:
        sentence = _("%(figure)s: higher in session %(after)s by %(by)s (%(low)s to %(high)s; p %(p)s).")
    elif by.high < 0:
        sentence = _("%(figure)s: lower in session %(after)s by %(by)s (%(low)s to %(high)s; p %(p)s).")
    else:
        sentence = _(
            "%(figure)s: the change by %(by)s may be chance; anything from %(low)s to %(high)s fits these "
            "readings (p %(p)s)."
        )
    bounds = {"by": signed(by.value), "low": signed(by.low), "high": signed(by.high), **sessions_of(plan)}
    name = f"{one.arm}, {figure_name(one.figure)}" if several else figure_name(one.figure)
    yield sentence % {"figure": name, "p": p_words(one.found.p), **bounds}


def _left_out(compared: tuple[Comparison, ...]) -> Iterator[str]:
    """Who is missing where others are compared."""
    names = dict.fromkeys(reader for one in compared if one.found for reader in one.left_out)
    if names:
        sentence = _(
            "Left out where they have verdicts about fewer than two real or two adversarial images in one of the "
            "sessions: %(readers)s."
        )
        yield sentence % {"readers": ", ".join(names)}


def _nobody(plan: AnalysisPlan) -> str:
    sentence = _(
        "No reader has verdicts about at least two real and two adversarial images in both session %(before)s and "
        "session %(after)s, so there is nothing to compare."
    )
    return sentence % sessions_of(plan)


def _only(reader: str, plan: AnalysisPlan) -> str:
    sentence = _(
        "Only %(reader)s has verdicts about two real and two adversarial images in both session %(before)s and "
        "session %(after)s. One reader says nothing about readers in general; the tables by reader say what there is "
        "to say."
    )
    return sentence % {"reader": reader, **sessions_of(plan)}


def _half_right() -> str:
    return _(
        "Half right is no answer of yes or no, so sensitivity, specificity and balanced accuracy are not estimated "
        "under this rule; the AUC takes “unsure” as the verdict in between."
    )


def _undefined(found: ObuchowskiRockette) -> str:
    """Why there is no test, in our words: the pure statistics say it in English only."""
    sentence = {
        NO_SPREAD: _("%(figure)s: it varies neither with the reader nor with the image, so it cannot be tested."),
        NEGATIVE_VARIANCE: _("%(figure)s: the variance of the difference came out negative, so it cannot be tested."),
    }.get(found.undefined or "", "")
    return sentence and sentence % {"figure": figure_name(found.figure)}
