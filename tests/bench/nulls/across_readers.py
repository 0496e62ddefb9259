"""Tests over readers, on simulated studies without a change."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import stdtr

from readerstudy.statistics import bootstrap, mixed, mrmc, reading_times
from readerstudy.statistics.equivalence import tost
from readerstudy.statistics.linear_mixed import linear
from tests.bench.nulls.truths import READERS, Study, long_form
from tests.bench.nulls.within_reader import ALPHA, Outcome

FIGURES = ("auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy")
THRESHOLD = 1.5  # of the levels: only "not real" is a call
REPLICATES = 499
MARGIN = 0.05


def multi_reader(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """Every figure and covariance, with other images in each session and with the same images twice."""
    designs = {
        "cases_in_condition": long_form(study.sessions[3], study.sessions[5], shared=False),
        "crossed": long_form(study.sessions[3], study.again, shared=True),
    }
    for design, data in designs.items():
        for figure in FIGURES:
            options: dict[str, Any] = {"figure": figure, "threshold": THRESHOLD, "design": design}
            for covariance in ("delong", "jackknife", "unbiased"):
                result = mrmc.obuchowski_rockette(**data, **options, covariance=covariance)
                yield f"OR/Hillis {covariance}, {figure}, {design}", None if result.p is None else result.p <= ALPHA
            for random, name in (("cases", "fixed readers"), ("readers", "fixed cases")):
                fixed = mrmc.obuchowski_rockette(**data, **options, random=random)
                yield f"OR {name}, {figure}, {design}", None if fixed.p is None else fixed.p <= ALPHA
            second = mrmc.u_statistic(**data, **options)
            for column in ("p_normal", "p_bdg"):
                p = getattr(second, column)
                yield f"U-statistic {column}, {figure}, {design}", None if p is None else p <= ALPHA
            p = second.comparisons[0].v.p_bdg
            yield f"V-statistic p_bdg, {figure}, {design}", None if p is None else p <= ALPHA
        yield from _equivalent(data, design)


def _equivalent(data: dict[str, Any], design: str) -> Iterator[Outcome]:
    """Test equivalence at the margin: the true difference is 0, shifted by the margin."""
    result = mrmc.obuchowski_rockette(**data, design=design)
    if not result.differences or result.df2 is None:
        yield f"TOST of OR difference at its margin, auc, {design}", None
        return
    difference, df = result.differences[0], None if np.isinf(result.df2) else result.df2
    moved = tost(difference.estimate + MARGIN, difference.se, MARGIN, df=df)
    yield f"TOST of OR difference at its margin, auc, {design}", moved.p < ALPHA


def resampled(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """The bootstrap's p, readers and cases drawn."""
    data = long_form(study.sessions[3], study.sessions[5], shared=False)
    for figure in ("auc", "sensitivity", "accuracy"):
        result = bootstrap.reader_by_case(**data, rng=rng, figure=figure, threshold=THRESHOLD, replicates=REPLICATES)
        yield f"bootstrap reader × case, {figure}, cases_in_condition", result.differences[0].p <= ALPHA


def log_time(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """The session's effect in the mixed model of log seconds."""
    data = long_form(study.sessions[3], study.sessions[5], shared=False)
    seconds = np.exp(np.concatenate([study.sessions[n].log_seconds.ravel() for n in (3, 5)]))
    position = np.concatenate([np.argsort(study.sessions[n].order, axis=1).ravel() for n in (3, 5)])
    result = reading_times.log_time_model(
        seconds, data["condition"], position, data["truth"], data["reader"], data["case"]
    )
    for ratio in result.ratios:
        yield f"log-time mixed model, {ratio.name.replace('session 1', 'session 5')}", ratio.p <= ALPHA
    later = {"session 5": data["condition"] == 1}
    sloped = linear(np.log(seconds), later, data["reader"], data["case"], slopes=later)
    yield "log seconds by `linear` with readers' slopes, session 5", sloped.fixed[1].p <= ALPHA


def logistic(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """The session's effect in the mixed logistic model, with and without readers' slopes."""
    data = long_form(study.sessions[3], study.sessions[5], shared=False)
    correct = np.concatenate([study.sessions[n].correct.ravel() for n in (3, 5)])
    session, adversarial = data["condition"] * 2 + 3, data["truth"]
    result = mixed.session_by_truth(correct, session, adversarial, data["reader"], data["case"])
    for effect in result.fixed[1:]:
        if "session" in effect.name:
            yield f"mixed logistic with readers' slopes, {effect.name}", effect.p <= ALPHA
            careful = 2 * stdtr(READERS - 1, -abs(effect.statistic))
            yield f"mixed logistic with readers' slopes, t with readers − 1 df, {effect.name}", bool(careful <= ALPHA)
    fixed = {"adversarial": adversarial == 1}
    slopes = {"adversarial": adversarial == 1}
    smaller = mixed.logistic(correct, fixed, data["reader"], data["case"], slopes=slopes)
    larger = mixed.logistic(correct, {**fixed, "later": session == 5}, data["reader"], data["case"], slopes=slopes)
    p = mixed.likelihood_ratio(smaller, larger).p
    yield "likelihood ratio of the session, no slope for it", p <= ALPHA
