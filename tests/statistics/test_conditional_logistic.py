"""Conditional logistic regression against R's survival, all choices written out, McNemar's test, and at its edges."""

from itertools import combinations
from math import comb, exp, inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from readerstudy.statistics.conditional_logistic import (
    NOT_FINITE,
    NOT_INFORMATIVE,
    ConditionalModel,
    conditional_logistic,
    paired_odds,
    pooled_odds,
)
from readerstudy.statistics.exact_tests import mcnemar
from tests.statistics.mrmc.data import Study, published, van_dyke
from tests.statistics.simulated_study import figures, long_form

R = figures("r_behaviour_expected.json")
FIGURES = ("sensitivity", "specificity")


def dummies(labels: np.ndarray) -> dict[str, np.ndarray]:
    return {f"is {label}": labels == label for label in np.unique(labels)[1:]}


def van_dyke_of(figure: str) -> tuple[Study, np.ndarray]:
    """Return the readings of the figure's cases, and whether they are correct at a threshold of 3."""
    truth = int(figure == "sensitivity")
    study = van_dyke().only(van_dyke().truth == truth)
    return study, (study.score >= 3) == truth


def both_labels(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.char.add(np.char.add(first, " "), second)


def agrees(model: ConditionalModel, theirs: dict) -> None:
    listed = [np.atleast_1d(theirs[name]) for name in ("estimate", "se", "p")]
    for effect, estimate, se, p in zip(model.fixed, *listed, strict=True):
        assert effect.estimate == pytest.approx(estimate, abs=1e-8)
        assert effect.se == pytest.approx(se, rel=1e-6)
        assert effect.p == pytest.approx(p, rel=1e-6)
    assert model.likelihood_ratio.chi2 == pytest.approx(theirs["likelihood_ratio"], rel=1e-9)
    assert model.score.chi2 == pytest.approx(theirs["score"], rel=1e-9)
    assert model.log_likelihood == pytest.approx(theirs["log_likelihood"], rel=1e-9)


@published
@pytest.mark.parametrize("figure", FIGURES)
def test_modalities_agree_with_the_call_in_mrmcbinarys_example(figure: str) -> None:
    study, correct = van_dyke_of(figure)
    model = conditional_logistic(correct, dummies(study.condition), both_labels(study.case, study.reader))
    agrees(model, R[f"vandyke_{figure}_modality"])
    # The score test is McNemar's without continuity correction (Lee, Jang and Lee, 2026).
    assert model.score.chi2 == pytest.approx(R[f"vandyke_{figure}_mcnemar"]["chi2"], rel=1e-9)
    assert model.score.p == pytest.approx(R[f"vandyke_{figure}_mcnemar"]["p"], rel=1e-6)


@published
@pytest.mark.parametrize("figure", FIGURES)
def test_readers_and_both_effects_agree_with_the_calls_in_mrmcbinarys_example(figure: str) -> None:
    study, correct = van_dyke_of(figure)
    readers = dummies(study.reader)
    within_modality = both_labels(study.case, study.condition)
    agrees(conditional_logistic(correct, readers, within_modality), R[f"vandyke_{figure}_reader"])
    both = {"modality": study.condition == "2", **readers}
    agrees(conditional_logistic(correct, both, study.case), R[f"vandyke_{figure}_both"])


@published
@pytest.mark.parametrize("figure", FIGURES)
def test_robust_errors_agree_with_rs_but_are_not_below_the_others(figure: str) -> None:
    study, correct = van_dyke_of(figure)
    stratum = both_labels(study.case, study.reader)
    model = conditional_logistic(correct, dummies(study.condition), stratum, cluster=study.reader)
    theirs = R[f"vandyke_{figure}_cluster"]
    assert model.clusters == 5
    assert model.fixed[0].df == 4
    assert model.fixed[0].se == pytest.approx(max(theirs["naive"], theirs["robust"] * (5 / 4) ** 0.5), rel=1e-6)


def test_readers_of_the_same_cases_agree_with_r() -> None:
    study = long_form().where(session=3, truth=1)
    agrees(conditional_logistic(study.correct, dummies(study.reader), study.case), R["simstudy_readers"])
    study = long_form().where(session=5, truth=0)
    effects = {**dummies(study.reader), "log2 seconds": np.log2(study.seconds)}
    agrees(conditional_logistic(study.correct, effects, study.case), R["simstudy_readers_seconds"])


def test_the_likelihood_is_the_share_of_the_choice_among_all_choices() -> None:
    rng = np.random.default_rng(4)
    sizes = [2, 3, 5, 5, 6, 4, 1, 3] * 4
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    x, z = rng.normal(size=(2, stratum.size))
    correct = rng.random(stratum.size) < 0.5
    model = conditional_logistic(correct, {"x": x, "z": z}, stratum)

    def log_likelihood(beta: np.ndarray) -> float:
        total = 0.0
        for number in np.unique(stratum):
            own = stratum == number
            odds = np.exp(np.stack([x, z], axis=1)[own] @ beta)
            chosen = int(correct[own].sum())
            ways = sum(odds[list(choice)].prod() for choice in combinations(range(own.sum()), chosen))
            total += log(odds[correct[own]].prod() / ways)
        return total

    best = np.array([effect.estimate for effect in model.fixed])
    assert model.log_likelihood == pytest.approx(log_likelihood(best), abs=1e-9)
    for step in np.eye(2) * 1e-3:
        assert log_likelihood(best + step) < model.log_likelihood > log_likelihood(best - step)
    steps = np.eye(2) * 1e-4
    hessian = [
        [
            (log_likelihood(best + a + b) - log_likelihood(best + a) - log_likelihood(best + b) + model.log_likelihood)
            / 1e-8
            for b in steps
        ]
        for a in steps
    ]
    ses = np.sqrt(np.diag(np.linalg.inv(-np.array(hessian))))
    assert [effect.se for effect in model.fixed] == pytest.approx(ses, rel=1e-3)


@given(st.integers(1, 40), st.integers(1, 40))
def test_two_conditions_give_the_ratio_of_the_discordant_pairs(only_first: int, only_second: int) -> None:
    pairs = only_first + only_second
    correct = np.array([1, 0] * only_first + [0, 1] * only_second + [1, 1, 0, 0])
    stratum, second = np.repeat(np.arange(pairs + 2), 2), np.array([0, 1] * (pairs + 2))
    (effect,) = (model := conditional_logistic(correct, {"second": second}, stratum)).fixed
    odds = paired_odds(only_first, only_second)
    assert model.strata == pairs
    assert exp(effect.estimate) == pytest.approx(only_second / only_first) == pytest.approx(odds.odds_ratio)
    assert effect.se == pytest.approx((1 / only_first + 1 / only_second) ** 0.5)
    assert model.score.chi2 == pytest.approx((only_first - only_second) ** 2 / pairs)
    assert odds.p == mcnemar(only_first, only_second).p
    assert odds.low < odds.odds_ratio < odds.high
    turned = paired_odds(only_second, only_first)
    assert (1 / turned.high, 1 / turned.low) == (pytest.approx(odds.low), pytest.approx(odds.high))
    # By definition each bound makes the observed or more extreme counts as likely as 2.5 %.
    for bound, tail in (
        (odds.low, stats.binom.sf(only_second - 1, pairs, odds.low / (1 + odds.low))),
        (odds.high, stats.binom.cdf(only_second, pairs, odds.high / (1 + odds.high))),
    ):
        assert tail == pytest.approx(0.025), bound


def test_without_pairs_in_one_direction_one_bound_remains() -> None:
    never, always, nothing = paired_odds(7, 0), paired_odds(0, 7), paired_odds(0, 0)
    assert (never.odds_ratio, never.low) == (0.0, 0.0)
    assert never.high == pytest.approx(1 / always.low)
    assert (always.odds_ratio, always.high) == (inf, inf)
    assert always.low == pytest.approx(0.025 ** (1 / 7) / (1 - 0.025 ** (1 / 7)))
    assert (nothing.odds_ratio, nothing.low, nothing.high, nothing.p) == (None, 0.0, inf, 1.0)


@pytest.mark.parametrize("odds", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("pairs", [3, 12, 40])
def test_exact_intervals_hold_the_true_ratio_often_enough(odds: float, pairs: int) -> None:
    share = odds / (1 + odds)
    covered = sum(
        comb(pairs, second) * share**second * (1 - share) ** (pairs - second)
        for second in range(pairs + 1)
        if (interval := paired_odds(pairs - second, second)).low <= odds <= interval.high
    )
    assert covered >= 0.95


def test_pooled_odds_are_the_model_with_readers_as_clusters() -> None:
    first, second = [1, 8, 3, 0], [6, 9, 11, 0]
    correct = np.concatenate([np.array([1, 0] * a + [0, 1] * b) for a, b in zip(first, second, strict=True)])
    pairs = np.array(first) + np.array(second)
    stratum, reader = np.repeat(np.arange(pairs.sum()), 2), np.repeat(np.repeat(np.arange(4), pairs), 2)
    condition = np.tile([0, 1], pairs.sum())
    model = conditional_logistic(correct, {"second": condition}, stratum, cluster=reader)
    pooled = pooled_odds(first, second)
    for name in ("estimate", "se", "df", "p", "low", "high"):
        assert getattr(pooled, name) == pytest.approx(getattr(model.fixed[0], name), rel=1e-9), name


@pytest.mark.parametrize("readers", [5, 12])
@pytest.mark.parametrize("spread", [0.0, 0.7])
def test_readers_who_differ_do_not_make_a_true_null_significant(readers: int, spread: float) -> None:
    rng = np.random.default_rng(5)
    rejected = {"pooled": 0, "strata": 0}
    studies = 600
    for _ in range(studies):
        pairs = rng.poisson(30, readers)
        second = rng.binomial(pairs, 1 / (1 + np.exp(-rng.normal(0, spread, readers))))
        rejected["pooled"] += pooled_odds(pairs - second, second).p < 0.05
        total, favoured = pairs.sum(), second.sum()
        rejected["strata"] += stats.norm.sf(abs(2 * favoured - total) / total**0.5) < 0.025
    assert rejected["pooled"] / studies < 0.085
    if spread:  # taking strata as independent counts the readers' differences as evidence
        assert rejected["strata"] / studies > 0.2


def test_what_cannot_be_estimated_says_why() -> None:
    ordered = [0, 1] * 4
    with pytest.raises(ValueError, match="no stratum has a correct and a wrong verdict") as error:
        conditional_logistic([1, 1, 0, 0], {"x": [0, 1, 0, 1]}, [1, 1, 2, 2])
    assert str(error.value) == NOT_INFORMATIVE
    with pytest.raises(ValueError, match="separate correct from wrong") as error:
        conditional_logistic(ordered, {"x": ordered}, np.repeat(range(4), 2))
    assert str(error.value) == NOT_FINITE
    with pytest.raises(ValueError, match="do not vary within strata"):
        conditional_logistic(ordered, {"reader": np.repeat(range(4), 2)}, np.repeat(range(4), 2))
    mixed = [0, 1, 1, 0, 0, 1, 0, 1]
    with pytest.raises(ValueError, match="repeats the others"):
        conditional_logistic(mixed, {"x": ordered, "y": ordered}, np.repeat(range(4), 2))
    with pytest.raises(ValueError, match="belongs to two clusters"):
        conditional_logistic([0, 1, 1, 0], {"x": [0, 1, 0, 1]}, [1, 1, 2, 2], cluster=[1, 2, 1, 1])
    with pytest.raises(ValueError, match="two clusters with"):
        conditional_logistic([0, 1, 1, 0], {"x": [0, 1, 0, 1]}, [1, 1, 2, 2], cluster=[1, 1, 1, 1])
    for first, second, words in (([0], [3], "one reader"), ([0, 0], [3, 2], "not finite"), ([0], [0], "no stratum")):
        with pytest.raises(ValueError, match=words):
            pooled_odds(first, second)
    with pytest.raises(ValueError, match="only_first"):
        paired_odds(-1, 2)
    with pytest.raises(ValueError, match="x must contain a finite number"):
        conditional_logistic([0, 1], {"x": [0, np.nan]}, [1, 1])


def test_one_separating_effect_among_others_is_found() -> None:
    rng = np.random.default_rng(3)
    stratum = np.repeat(np.arange(60), 3)
    x = rng.normal(size=stratum.size)
    correct = (rng.random(stratum.size) < 0.5).astype(int)
    good = np.zeros(stratum.size)
    # A rare label that all correct and no wrong verdicts carry.
    good[np.flatnonzero(correct)[:6]] = 1
    with pytest.raises(ValueError, match="not finite"):
        conditional_logistic(correct, {"x": x, "good": good}, stratum)
