"""Models of every reading: what moves the odds of a right verdict, and how long it takes. Exploratory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import exp

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from readerstudy.analysis.layout.wording import p_words, session_limit_sentence, sessions_of
from readerstudy.analysis.record.counts import SAID_NOT_REAL, SAID_REAL, SAID_UNSURE, Matrix
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics.crossed_effects import INTERCEPT, FixedEffect
from readerstudy.statistics.mixed import LogisticModel, session_by_truth
from readerstudy.statistics.reading_times import LogTimeModel, log_time_model
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan

MOST_READINGS = 10_000  # in one arm: a few seconds; the fit of more takes longer than the rest of the report
FEWEST_READERS = 2
_FURTHEST = 20.0  # a log ratio beyond it is an estimate without an end
_KNOWN = 1e6  # degrees of freedom above which the test is one of z
_MS_PER_SECOND = 1000


@dataclass(frozen=True)
class Effect:
    """One effect as a ratio, of odds or of times, with a t test; `df` None is a test of z."""

    name: str
    ratio: Estimate
    t: float
    df: float | None
    p: float


def models_of_every_reading(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Table "models": in each arm the mixed logistic model of right verdicts and the model of log seconds."""
    rows: list[tuple[Cell, ...]] = []
    reasons: dict[str, None] = {}
    sentences: list[str] = []
    models: tuple[tuple[str, Callable[[Matrix, AnalysisPlan], tuple[tuple[Effect, ...], str]], str], ...] = (
        (_("odds of a right verdict"), _of_verdicts, "verdicts"),
        (_("seconds per image"), _of_times, "times"),
    )
    for arm in record.arms:
        mask = _of_arm(record, arm)
        unfit = _unfit(record, mask, plan)
        for name, fit, kind in models:
            effects, reason = ((), unfit) if unfit else fit(record.tallies.matrix.chosen(mask), plan)
            rows += [(arm, name, effect_name(one.name, plan), one.ratio, one.t, one.df, one.p) for one in effects]
            sentences += _in_words(effects, kind, plan, arm if len(record.arms) > 1 else "")
            reasons |= dict.fromkeys([reason] if reason else [])
    return Table(
        key="models",
        title=_("Models of every reading. Session %(after)s against session %(before)s") % sessions_of(plan),
        caption=_(
            # xgettext: no-python-format
            "Exploratory. A mixed logistic model of right verdicts and a mixed model of the logarithm of seconds; in "
            "both, readers and images are random and every reader changes between the sessions in their own way. "
            "Ratios, with 95 % intervals: 1 is no effect, 2 is twice the odds or twice the time."
        ),
        columns=_columns(),
        rows=tuple(rows),
        notes=(*sentences, *reasons, *_what_they_say(rows, plan)),
        empty=" ".join(reasons) or _("No session has been drawn yet: make the study first."),
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("arm", _("Arm")),
        Column("model", _("Model of")),
        Column("effect", _("Effect")),
        Column("ratio", _("Ratio"), Kind.ESTIMATE),
        Column("t", "t", Kind.SIGNED),
        Column("df", "df", Kind.DECIMAL),
        Column("p", "p", Kind.P),
    )


def effect_name(name: str, plan: AnalysisPlan) -> str:
    """What the models call by a short name, in words."""
    session = f"session {plan.after}"
    return {
        session: _("session %(after)s against session %(before)s") % sessions_of(plan),
        "adversarial": _("adversarial against real images"),
        f"{session} × adversarial": _("change of adversarial against change of real images"),
        "position": _("half a session further on"),
    }.get(name, name)


def _of_arm(record: StudyRecord, arm: str) -> NDArray[np.bool_]:
    """Which readings of the matrix are of this arm's readers."""
    own = [record.readers.get(reader) == arm for reader in record.tallies.readers]
    of_arm: NDArray[np.bool_] = np.array([*own, False])[record.tallies.matrix.reader]
    return of_arm


def _unfit(record: StudyRecord, mask: NDArray[np.bool_], plan: AnalysisPlan) -> str:
    """Why there is no use in a model of the readings under the mask; empty where there is."""
    if mask.sum() > MOST_READINGS:
        sentence = _(
            "With more than %(most)s readings of an arm in the two sessions no model of every reading is fitted."
        )
        return sentence % {"most": f"{MOST_READINGS:,}"}
    matrix = record.tallies.matrix
    sessions = (plan.before, plan.after)
    readers = [np.unique(matrix.reader[mask & (matrix.session == session)]).size for session in sessions]
    if min(readers) < FEWEST_READERS:
        sentence = _(
            "Models of every reading need verdicts by two readers in session %(before)s and session %(after)s."
        )
        return sentence % sessions_of(plan)
    return ""


def _of_verdicts(matrix: Matrix, plan: AnalysisPlan) -> tuple[tuple[Effect, ...], str]:
    """The logistic model's effects, tested by t with as many df as there are readers, less one."""
    rule = Unsure(plan.unsure)
    if rule is Unsure.HALF:
        return (), _("Half right is neither right nor wrong, so there is no model of right verdicts under this rule.")
    used = matrix.chosen(matrix.verdict != SAID_UNSURE) if rule is Unsure.EXCLUDED else matrix
    truth = used.is_adversarial.astype(np.int64)
    right = used.verdict == np.where(truth == 1, SAID_NOT_REAL, SAID_REAL)
    try:
        found = session_by_truth(right, used.session, truth, used.reader, used.case)
        return _settled(found), "" if found.converged else _not_at_rest()
    except (ValueError, np.linalg.LinAlgError):
        return (), _(
            "The model of right verdicts cannot be fitted: it needs images that two readers read, and right and wrong "
            "verdicts about each kind of image in each session."
        )


def _settled(found: LogisticModel) -> tuple[Effect, ...]:
    """ValueError where an effect has no end."""
    return tuple(_effect(one, found.readers - 1) for one in found.fixed if one.name != INTERCEPT)


def _effect(one: FixedEffect, df: float) -> Effect:
    """Wald's statistic held against t: z of so few readers rejects too often."""
    half = float(stdtrit(df, 0.975)) * one.se
    if not max(abs(one.estimate - half), abs(one.estimate + half)) < _FURTHEST:
        raise ValueError("The readings do not settle an effect.")
    ratio = Estimate(exp(one.estimate), exp(one.estimate - half), exp(one.estimate + half))
    return Effect(one.name, ratio, one.statistic, df, float(2 * stdtr(df, -abs(one.statistic))))


def _of_times(matrix: Matrix, plan: AnalysisPlan) -> tuple[tuple[Effect, ...], str]:
    """The model of log seconds, with a change of pace for every reader; readings of no time have no logarithm."""
    used = matrix.chosen(matrix.elapsed_ms > 0)
    try:
        found = log_time_model(
            used.elapsed_ms / _MS_PER_SECOND,
            used.session,
            used.position,
            used.is_adversarial,
            used.reader,
            used.case,
            idle_after=plan.idle_after_s or None,
            own_pace=True,
        )
        return _paces(found), "" if found.model.converged else _not_at_rest()
    except (ValueError, np.linalg.LinAlgError):
        return (), _("The model of times cannot be fitted: it needs times that vary, and images that two readers read.")


def _paces(found: LogTimeModel) -> tuple[Effect, ...]:
    return tuple(
        Effect(
            ratio.name,
            Estimate(ratio.ratio, ratio.low, ratio.high),
            effect.statistic,
            effect.df if effect.df is not None and effect.df < _KNOWN else None,
            ratio.p,
        )
        for effect, ratio in zip(found.model.fixed[1:], found.ratios, strict=True)
    )


def _not_at_rest() -> str:
    return _("A model did not come to rest at its best fit, so take its ratios with care.")


def _in_words(effects: tuple[Effect, ...], kind: str, plan: AnalysisPlan, arm: str) -> Iterator[str]:
    """What the effect of the session says; the other effects stand in the table."""
    session = next((one for one in effects if one.name == f"session {plan.after}"), None)
    if session is None:
        return
    if kind == "times":
        sentence = _("An image takes %(ratio)s times as long in session %(after)s as in session %(before)s (%(rest)s).")
    else:
        sentence = _(
            "The odds of a right verdict about a real image are %(ratio)s times as high in session %(after)s as in "
            "session %(before)s (%(rest)s)."
        )
    rest = _("%(low)s to %(high)s; p %(p)s") % {
        "low": f"{session.ratio.low:.2f}",
        "high": f"{session.ratio.high:.2f}",
        "p": p_words(session.p),
    }
    sentence = sentence % {"ratio": f"{session.ratio.value:.2f}", "rest": rest, **sessions_of(plan)}
    yield f"{arm}. {sentence}" if arm else sentence


def _what_they_say(rows: list[tuple[Cell, ...]], plan: AnalysisPlan) -> Iterator[str]:
    if rows:
        yield _(
            "Right verdicts are tested by t with one degree of freedom fewer than readers. The usual z rejects 0.14 to "
            "0.17 of true nulls with five readers who change in their own ways, this t 0.07 (simulated, nominal 0.05): "
            "read the ratios, and test with the analysis across readers."
        )
        yield _(
            "The times have Satterthwaite’s degrees of freedom; a dash is a test of z, where readers differ too little."
        )
        yield session_limit_sentence(plan)
