"""Table "models": mixed models of single readings, for odds of a correct verdict and for reading time. Exploratory."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from readerstudy.analysis.record.counts import VERDICT_UNSURE, ComparedReadings
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.wording import compared_sessions, p_text, session_limit_sentence
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.crossed_effects import INTERCEPT, FixedEffect
from readerstudy.statistics.linear_mixed import LinearModel
from readerstudy.statistics.mixed import LogisticModel, session_by_truth
from readerstudy.statistics.reading_times import LogTimeModel, log_time_model
from readerstudy.statistics.unsure import Unsure

MOST_READINGS = 10_000  # of one arm: takes a few seconds; larger fits take longer than the rest of the report
MINIMUM_READERS = 2
_LARGEST_LOG_RATIO = 20.0  # beyond it an estimate is not finite
_LARGEST_DF = 1e6  # beyond it the test is a z-test
_MS_PER_SECOND = 1000


@dataclass(frozen=True)
class RatioEffect:
    """An effect as a ratio of odds or of times, with its t test; `df` None means a z-test."""

    name: str
    ratio: Estimate
    t: float
    df: float | None
    p: float


@dataclass(frozen=True)
class ModelFit:
    """The effects of one model in one arm; `reason` explains missing effects or poor convergence."""

    effects: tuple[RatioEffect, ...] = ()
    reason: str = ""


def mixed_models_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return in each arm the mixed logistic model of correct verdicts and the model of log seconds."""
    rows: list[tuple[Cell, ...]] = []
    reasons: dict[str, None] = {}
    sentences: list[str] = []
    several_arms = len(record.arms) > 1
    for arm in record.arms:
        compared = record.readings.compared.select(_mask_of_arm(record, arm))
        unsuitable = _unsuitable_reason(compared, plan)
        odds, times = (
            (ModelFit(reason=unsuitable), ModelFit(reason=unsuitable))
            if unsuitable
            else (_fit_odds(compared, plan), _fit_times(compared, plan))
        )
        for name, fit in ((_("odds of a correct verdict"), odds), (_("seconds per image"), times)):
            rows += [(arm, name, effect_name(each.name, plan), *_cells(each)) for each in fit.effects]
            reasons |= dict.fromkeys([fit.reason] if fit.reason else [])
        prefix = f"{arm}. " if several_arms else ""
        sentences += [prefix + sentence for sentence in (*_odds_sentence(odds, plan), *_time_sentence(times, plan))]
    return Table(
        key="models",
        title=_("Mixed models of single readings. Session %(after)s against session %(before)s")
        % compared_sessions(plan),
        caption=_(
            # xgettext: no-python-format
            "Exploratory. A mixed logistic model of correct verdicts and a mixed model of the logarithm of seconds. In "
            "both, readers and images are random, and every reader may change individually between the sessions. "
            "Ratios with 95 % intervals: 1 is no effect, 2 is twice the odds or twice the time."
        ),
        columns=_columns(),
        rows=tuple(rows),
        notes=(*sentences, *reasons, *(_model_notes(record, plan) if rows else ())),
        empty=" ".join(reasons) or _("No session has been drawn yet. Create the study first."),
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


def _cells(effect: RatioEffect) -> tuple[Cell, ...]:
    return effect.ratio, effect.t, effect.df, effect.p


def effect_name(name: str, plan: AnalysisPlan) -> str:
    """Return the description of an effect that the models name by a short code."""
    session = f"session {plan.after}"
    return {
        session: _("session %(after)s against session %(before)s") % compared_sessions(plan),
        "adversarial": _("adversarial against real images"),
        f"{session} × adversarial": _("change of adversarial against change of real images"),
        "position": _("half a session later"),
    }.get(name, name)


def _mask_of_arm(record: StudyRecord, arm: str) -> NDArray[np.bool_]:
    """Return which compared readings belong to readers of the arm, (n,)."""
    of_arm = [record.readers.get(reader) == arm for reader in record.readings.readers]
    mask: NDArray[np.bool_] = np.array([*of_arm, False])[record.readings.compared.reader]
    return mask


def _unsuitable_reason(compared: ComparedReadings, plan: AnalysisPlan) -> str:
    """Return why no model is fitted to these readings; empty if one can be."""
    if len(compared) > MOST_READINGS:
        sentence = _("No mixed model is fitted to more than %(most)s readings of an arm in the two sessions.")
        return sentence % {"most": f"{MOST_READINGS:,}"}
    readers = [np.unique(compared.reader[compared.session == s]).size for s in (plan.before, plan.after)]
    if min(readers) < MINIMUM_READERS:
        sentence = _("Mixed models need verdicts of two readers in session %(before)s and session %(after)s.")
        return sentence % compared_sessions(plan)
    return ""


def _fit_odds(compared: ComparedReadings, plan: AnalysisPlan) -> ModelFit:
    """Return the effects of the logistic model, tested by t with readers − 1 df."""
    rule = Unsure(plan.unsure)
    if rule is Unsure.HALF:
        return ModelFit(
            reason=_("Half credit is not a binary outcome, so correct verdicts are not modelled under this rule.")
        )
    used = compared.select(compared.verdict != VERDICT_UNSURE) if rule is Unsure.EXCLUDED else compared
    truth = used.is_adversarial.astype(np.int64)
    try:
        model = session_by_truth(used.is_correct, used.session, truth, used.reader, used.case)
        return ModelFit(_odds_effects(model), _reservation(model))
    except (ValueError, np.linalg.LinAlgError):
        return ModelFit(
            reason=_(
                "The model of correct verdicts cannot be fitted: it needs images that two readers read, and correct "
                "and wrong verdicts on each kind of image in each session."
            )
        )


def _odds_effects(model: LogisticModel) -> tuple[RatioEffect, ...]:
    """Return the effects as odds ratios. Raises ValueError if an effect is not finite."""
    return tuple(_odds_ratio(effect, model.readers - 1) for effect in model.fixed if effect.name != INTERCEPT)


def _odds_ratio(effect: FixedEffect, df: float) -> RatioEffect:
    """Return an odds ratio, with Wald's statistic tested by t, because z rejects too often with few readers."""
    half = float(stdtrit(df, 0.975)) * effect.se
    low, high = effect.estimate - half, effect.estimate + half
    if not max(abs(low), abs(high)) < _LARGEST_LOG_RATIO:
        raise ValueError("The readings do not determine an effect.")
    ratio = Estimate(exp(effect.estimate), exp(low), exp(high))
    return RatioEffect(effect.name, ratio, effect.statistic, df, float(2 * stdtr(df, -abs(effect.statistic))))


def _fit_times(compared: ComparedReadings, plan: AnalysisPlan) -> ModelFit:
    """Return the effects of the model of log seconds, with an individual change of pace; times of 0 are excluded."""
    used = compared.select(compared.elapsed_ms > 0)
    try:
        result = log_time_model(
            used.elapsed_ms / _MS_PER_SECOND,
            used.session,
            used.position,
            used.is_adversarial,
            used.reader,
            used.case,
            idle_after=plan.idle_after_s or None,
            own_pace=True,
        )
        return ModelFit(_time_effects(result), _reservation(result.model))
    except (ValueError, np.linalg.LinAlgError):
        return ModelFit(
            reason=_(
                "The model of reading times cannot be fitted: it needs times that vary and images that two readers "
                "read."
            )
        )


def _time_effects(result: LogTimeModel) -> tuple[RatioEffect, ...]:
    return tuple(
        RatioEffect(
            ratio.name,
            Estimate(ratio.ratio, ratio.low, ratio.high),
            effect.statistic,
            effect.df if effect.df is not None and effect.df < _LARGEST_DF else None,
            ratio.p,
        )
        for effect, ratio in zip(result.model.fixed[1:], result.ratios, strict=True)
    )


def _reservation(model: LogisticModel | LinearModel) -> str:
    """Return why the ratios need caution; empty if nothing is known against them."""
    if not model.converged:
        return _("A model did not converge completely; interpret its ratios with caution.")
    if any(effect.is_singular for effect in model.random):
        return _(
            "A model is singular: the SD of some random effect is estimated as 0, because the readers or images are "
            "too few to show it. Its intervals are then too narrow."
        )
    return ""


def _odds_sentence(fit: ModelFit, plan: AnalysisPlan) -> Iterator[str]:
    sentence = _(
        "The odds of a correct verdict on a real image are %(ratio)s times as high in session %(after)s as in session "
        "%(before)s (%(interval)s)."
    )
    yield from _session_effect(sentence, fit, plan)


def _time_sentence(fit: ModelFit, plan: AnalysisPlan) -> Iterator[str]:
    sentence = _("An image takes %(ratio)s times as long in session %(after)s as in session %(before)s (%(interval)s).")
    yield from _session_effect(sentence, fit, plan)


def _session_effect(sentence: str, fit: ModelFit, plan: AnalysisPlan) -> Iterator[str]:
    """Yield the effect of the session in words; other effects are only in the table."""
    for effect in fit.effects:
        if effect.name == f"session {plan.after}":
            interval = _("%(low)s to %(high)s; p %(p)s") % {
                "low": localise(f"{effect.ratio.low:.2f}"),
                "high": localise(f"{effect.ratio.high:.2f}"),
                "p": p_text(effect.p),
            }
            values = {"ratio": localise(f"{effect.ratio.value:.2f}"), "interval": interval}
            yield sentence % {**values, **compared_sessions(plan)}


def _model_notes(record: StudyRecord, plan: AnalysisPlan) -> Iterator[str]:
    yield _(
        "Correct verdicts are tested by t with one degree of freedom fewer than readers. With five readers who change "
        "individually, the usual z rejects 0.14 to 0.17 of true nulls and this t 0.07 (simulated, nominal 0.05). Use "
        "the ratios for description and the MRMC analysis for tests."
    )
    yield _(
        "Times have Satterthwaite’s degrees of freedom; a dash (—) means a z-test, because readers differ too little."
    )
    yield _(
        "The session’s ratio of correct verdicts is about real images, the ratio of adversarial images about session "
        "%(before)s, the reference. Readers’ slopes are taken as independent, so the widths of these two intervals "
        "depend on the reference."
    ) % compared_sessions(plan)
    yield session_limit_sentence(record, plan)
