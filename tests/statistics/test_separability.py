"""Telling two kinds apart: certain where they differ, at chance where they do not, and as the slow way computes it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.statistics.separability import (
    FOLDS,
    RIDGE,
    _cross_validation,
    feature_auc,
    separability,
    strongest_feature,
)

LABELS = np.array([0, 1] * 30)


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_kinds_that_differ_in_one_fact_are_reported_apart():
    facts = chance().normal(size=(60, 4))
    facts[:, 2] += 6 * LABELS
    told = separability(facts, LABELS, rng=chance(1), permutations=199)
    assert told.auc > 0.95
    assert told.p == 1 / 200


def test_one_telling_fact_is_found_among_hundreds():
    facts = chance().normal(size=(28, 400))
    facts[:, 250] -= 9 * LABELS[:28]
    told = strongest_feature(facts, LABELS[:28], rng=chance(1), permutations=999)
    assert (told.auc, told.p, told.features) == (1.0, 1 / 1000, 400)


def test_the_strongest_of_many_facts_of_noise_is_at_chance():
    ps = [
        strongest_feature(chance(n).normal(size=(40, 50)), LABELS[:40], rng=chance(n), permutations=99).p
        for n in range(40)
    ]
    assert sum(p <= 0.05 for p in ps) <= 6
    assert 0.3 < np.mean(ps) < 0.7


def test_the_strongest_fact_has_the_largest_of_the_areas():
    facts = chance(5).integers(0, 4, size=(30, 6)).astype(float)
    areas = [feature_auc(facts[:, column], LABELS[:30]) for column in range(6)]
    assert strongest_feature(facts, LABELS[:30], rng=chance()).auc == pytest.approx(max(max(a, 1 - a) for a in areas))
    assert strongest_feature(np.ones((30, 2)), LABELS[:30], rng=chance()).p == 1


def test_noise_is_at_chance():
    ps = [separability(chance(n).normal(size=(60, 4)), LABELS, rng=chance(n), permutations=99).p for n in range(40)]
    # Uniform under the null: 40 draws fall below .05 about twice.
    assert sum(p <= 0.05 for p in ps) <= 6
    assert 0.3 < np.mean(ps) < 0.7


def test_what_is_the_same_for_all_tells_nothing():
    told = separability(np.ones((60, 3)), LABELS, rng=chance())
    assert (told.auc, told.p, told.features) == (0.5, 1.0, 0)


def test_held_out_scores_are_those_of_ridge_regression_by_fold():
    facts, target = chance(3).normal(size=(60, 3)), 2.0 * LABELS - 1
    fold = chance(4).permutation(np.arange(60) % FOLDS)
    expected = np.zeros(60)
    for number in range(FOLDS):
        train, held_out = fold != number, fold == number
        mean, sd = facts[train].mean(axis=0), facts[train].std(axis=0)
        x, y = (facts - mean) / sd, target[train] - target[train].mean()
        weights = np.linalg.inv(x[train].T @ x[train] + RIDGE * np.eye(3)) @ x[train].T @ y
        expected[held_out] = x[held_out] @ weights
    np.testing.assert_allclose(_cross_validation(facts, chance(4)) @ target, expected, atol=1e-10)


@given(st.lists(st.integers(0, 5), min_size=12, max_size=30))
def test_the_area_counts_pairs_and_ties_half(values):
    fact = np.array(values, dtype=float)
    labels = np.arange(len(fact)) % 2
    pairs = [(p > n) + (p == n) / 2 for p in fact[labels == 1] for n in fact[labels == 0]]
    assert feature_auc(fact, labels) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("labels", [np.zeros(20, int), np.array([0, 1] * 3), np.array([1] + [0] * 19)])
def test_too_few_of_a_kind_are_refused(labels):
    with pytest.raises(ValueError, match="two classes"):
        separability(np.ones((len(labels), 1)), labels, rng=chance())
