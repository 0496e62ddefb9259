"""Across readers: session 5 against session 3, said of readers and images like these and not of these alone (MRMC)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.records import ADVERSARIAL, PAIR, REAL, UNSURE, Readings, StudyRecord
from readerstudy.analysis.stats.mrmc import ObuchowskiRockette, obuchowski_rockette
from readerstudy.analysis.stats.mrmc.anova import NEGATIVE, NO_SPREAD
from readerstudy.analysis.stats.mrmc.readings import Figure
from readerstudy.analysis.stats.unsure import Unsure
from readerstudy.analysis.table import Cell, Column, Estimate, Kind, Table
from readerstudy.analysis.wording import p_words, session_limit_sentence, signed, unsure_sentence

BEFORE, AFTER = 3, 5  # the article's sessions with adversarial images: before and after the education
FIGURES: tuple[Figure, ...] = ("auc", "sensitivity", "specificity", "balanced_accuracy")
FEWEST = 2  # cases of a kind below which a reader's figure has no variance
_SCORES = {REAL: 0.0, UNSURE: 1.0, "not_real": 2.0}


@dataclass(frozen=True)
class Comparison:
    """One figure in one arm: the analysis, or None and the sentence that says why there is none."""

    arm: str
    figure: Figure
    readers: tuple[str, ...]
    left_out: tuple[str, ...]
    found: ObuchowskiRockette | None
    reason: str = ""


def across_readers(record: StudyRecord, rule: Unsure) -> Table:
    """Mean over readers in sessions 3 and 5, their difference with its interval, F and p, for four figures."""
    compared = tuple(one for arm in record.arms for one in _of_arm(record, arm, rule))
    reasons = tuple(dict.fromkeys(one.reason for one in compared if one.reason))
    is_empty = not any(one.found for one in compared)
    in_words = [sentence for one in compared for sentence in _in_words(one, several=len(record.arms) > 1)]
    return Table(
        key="mrmc",
        title=_("Across readers. Session 5 against session 3"),
        caption=_(
            # xgettext: no-python-format
            "Means over the readers with 95 % intervals that hold for readers and images like these, not for these "
            "alone (Obuchowski and Rockette’s analysis with Hillis’ degrees of freedom; no image is in both "
            "sessions). AUC: how well the verdicts, ordered real, unsure, not real, part the adversarial images from "
            "the real ones; 0.50 is chance. Sensitivity: adversarial images called not real. Specificity: real "
            "images called real. Balanced accuracy: the mean of the two. The p-values are not corrected for each "
            "other."
        ),
        columns=_columns(),
        rows=() if is_empty else tuple(_row(one) for one in compared),
        notes=(*in_words, *reasons, *_left_out(compared), unsure_sentence(rule), session_limit_sentence()),
        empty=" ".join(reasons) or _nobody(),
    )


def _columns() -> tuple[Column, ...]:
    test = _("Test of the difference")
    return (
        Column("figure", _("Figure")),
        Column("arm", _("Arm")),
        Column("readers", _("Readers"), Kind.COUNT),
        Column("images", _("Images"), Kind.COUNT),
        Column("before", _("session %(session)s") % {"session": BEFORE}, Kind.ESTIMATE, _("Mean of the readers")),
        Column("after", _("session %(session)s") % {"session": AFTER}, Kind.ESTIMATE, _("Mean of the readers")),
        Column("difference", _("Difference"), Kind.ESTIMATE),
        Column("f", "F", Kind.FRACTION, test),
        Column("df1", "df 1", Kind.COUNT, test),
        Column("df2", "df 2", Kind.DECIMAL, test),
        Column("p", "p", Kind.P, test),
    )


def _of_arm(record: StudyRecord, arm: str, rule: Unsure) -> Iterator[Comparison]:
    """Readers of one arm saw the same images, those of two arms did not: each arm is a study of its own."""
    asked = record.readings.asked
    in_arm = np.isin(asked.reader, [reader for reader, own in record.readers.items() if own == arm])
    chosen = asked.chosen(in_arm & np.isin(asked.session, (BEFORE, AFTER)) & (asked.authenticity != PAIR))
    for figure in FIGURES:
        if figure != "auc" and rule is Unsure.HALF:
            yield Comparison(arm, figure, (), (), None, _half_right())
            continue
        yield _compare(chosen, arm, figure, rule)


def _compare(readings: Readings, arm: str, figure: Figure, rule: Unsure) -> Comparison:
    everybody = readings.readers
    if figure != "auc" and rule is Unsure.EXCLUDED:
        readings = readings.chosen(readings.verdict != UNSURE)
    fit = tuple(reader for reader in everybody if _is_enough(readings.where(reader=reader)))
    left_out = tuple(reader for reader in everybody if reader not in fit)
    if len(fit) < FEWEST:
        reason = _only(fit[0]) if fit else _nobody()
        return Comparison(arm, figure, fit, left_out, None, reason)
    used = readings.chosen(np.isin(readings.reader, fit))
    truth = (used.authenticity == ADVERSARIAL).astype(np.int64)
    score, threshold = _scores(used, truth, figure)
    found = obuchowski_rockette(
        score,
        truth,
        used.reader,
        used.case,
        used.session,
        figure=figure,
        threshold=threshold,
        design="cases_in_condition",
    )
    return Comparison(arm, figure, fit, left_out, found, _undefined(found))


def _is_enough(readings: Readings) -> bool:
    """Whether one reader judged two images of each kind in each session."""
    return all(
        int(((readings.session == session) & (readings.authenticity == kind)).sum()) >= FEWEST
        for session in (BEFORE, AFTER)
        for kind in (REAL, ADVERSARIAL)
    )


def _scores(readings: Readings, truth: NDArray[np.int64], figure: Figure) -> tuple[NDArray[np.float64], float | None]:
    """The ordinal verdict for the AUC; else a call that is right where the verdict is, and "unsure" never is."""
    if figure == "auc":
        return np.array([_SCORES[verdict] for verdict in readings.verdict.tolist()]), None
    right = Unsure.WRONG.credits(readings.verdict, truth == 1)
    return np.where(right == 1, truth, 1 - truth).astype(float), 0.5


def _row(one: Comparison) -> tuple[Cell, ...]:
    found = one.found
    head = (_name(one.figure), one.arm)
    if found is None:
        return (*head, *(None for _ in _columns()[2:]))
    means = (_mean(found, session) for session in (BEFORE, AFTER))
    # Infinite degrees of freedom have no place in JSON; the test is then χ² and `df2` stays empty.
    df2 = found.df2 if found.df2 is not None and np.isfinite(found.df2) else None
    return (*head, len(one.readers), found.cases, *means, _change(found), found.f, found.df1, df2, found.p)


def _mean(found: ObuchowskiRockette, session: int) -> Estimate | float:
    """Without an interval where nothing varies: one of no width would claim certainty."""
    interval = found.intervals[session]
    return Estimate(interval.estimate, interval.low, interval.high) if interval.se > 0 else interval.estimate


def _change(found: ObuchowskiRockette) -> Estimate | float:
    """Session 5 less session 3; the analysis has it the other way round."""
    difference = found.differences[0]
    if difference.low is None or difference.high is None:
        return 0.0 - difference.estimate
    return Estimate(0.0 - difference.estimate, 0.0 - difference.high, 0.0 - difference.low)


def _name(figure: Figure) -> str:
    return {
        "auc": _("AUC"),
        "sensitivity": _("Sensitivity"),
        "specificity": _("Specificity"),
        "balanced_accuracy": _("Balanced accuracy"),
    }[figure]


def _in_words(one: Comparison, *, several: bool) -> Iterator[str]:
    """What the line of the table says."""
    change = _change(one.found) if one.found else None
    if not isinstance(change, Estimate) or one.found is None or one.found.p is None:
        return
    if change.low > 0:
        sentence = _("%(figure)s: higher in session 5 by %(by)s (%(low)s to %(high)s; p %(p)s).")
    elif change.high < 0:
        sentence = _("%(figure)s: lower in session 5 by %(by)s (%(low)s to %(high)s; p %(p)s).")
    else:
        sentence = _(
            "%(figure)s: the change by %(by)s may be chance; anything from %(low)s to %(high)s fits these "
            "readings (p %(p)s)."
        )
    bounds = {"by": signed(change.value), "low": signed(change.low), "high": signed(change.high)}
    name = f"{one.arm}, {_name(one.figure)}" if several else _name(one.figure)
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


def _nobody() -> str:
    return _(
        "No reader has verdicts about at least two real and two adversarial images in both session 3 and session 5, "
        "so there is nothing to compare."
    )


def _only(reader: str) -> str:
    sentence = _(
        "Only %(reader)s has verdicts about two real and two adversarial images in both session 3 and session 5. One "
        "reader says nothing about readers in general; the tables by reader say what there is to say."
    )
    return sentence % {"reader": reader}


def _half_right() -> str:
    return _(
        "Half right is no answer of yes or no, so sensitivity, specificity and balanced accuracy are not estimated "
        "under this rule; the AUC takes “unsure” as the verdict in between."
    )


def _undefined(found: ObuchowskiRockette) -> str:
    """Why there is no test, in our words: the pure statistics say it in English only."""
    sentence = {
        NO_SPREAD: _("%(figure)s: it varies neither with the reader nor with the image, so it cannot be tested."),
        NEGATIVE: _("%(figure)s: the variance of the difference came out negative, so it cannot be tested."),
    }.get(found.undefined or "", "")
    return sentence and sentence % {"figure": _name(found.figure)}
