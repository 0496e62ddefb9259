"""ROC curves and areas against hand-made and independent answers."""

import itertools

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from readerstudy.statistics.roc import auc, auc_by_patient, roc_curve


def test_auc_is_the_mann_whitney_statistic_with_ties_counted_half() -> None:
    rng = np.random.default_rng(0)
    score, labels = rng.integers(0, 6, 60) / 6, rng.integers(0, 2, 60)
    expected = mannwhitneyu(score[labels == 1], score[labels == 0]).statistic / (
        (labels == 1).sum() * (labels == 0).sum()
    )
    assert auc(score, labels) == pytest.approx(expected, abs=1e-12)


def test_auc_of_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="positive and other"):
        auc(np.array([0.1, 0.2]), np.array([1, 1]))


def test_the_interval_draws_patients_not_images() -> None:
    """With three patients all 27 draws can be listed; the bootstrap must see exactly their AUCs."""
    score, labels = np.array([0.9, 0.2, 0.5, 0.4, 0.8, 0.1]), np.array([1, 1, 0, 0, 1, 0])
    patients = np.array(["a", "a", "b", "b", "c", "c"])
    possible = set()
    for draw in itertools.product("abc", repeat=3):
        rows = np.concatenate([np.flatnonzero(patients == name) for name in draw])
        if len(set(labels[rows])) == 2:
            possible.add(round(auc(score[rows], labels[rows]), 9))
    result = auc_by_patient(score, labels, patients, np.random.default_rng(0), replicates=5000)
    assert round(result.low, 9) in possible
    assert round(result.high, 9) in possible
    assert (round(result.low, 9), round(result.high, 9)) == (min(possible), max(possible))


def test_the_interval_widens_when_images_come_from_fewer_patients() -> None:
    rng = np.random.default_rng(5)
    labels = np.repeat([1, 0], 40)
    level = np.repeat(rng.normal(size=20), 4)  # four alike images per patient
    score = labels + level + 0.1 * rng.normal(size=80)
    together = auc_by_patient(score, labels, np.repeat(np.arange(20).astype(str), 4), rng, replicates=2000)
    apart = auc_by_patient(score, labels, np.arange(80).astype(str), rng, replicates=2000)
    assert together.high - together.low > 1.3 * (apart.high - apart.low)


def test_the_interval_of_one_class_is_none() -> None:
    assert auc_by_patient(np.array([0.1, 0.2]), np.array([1, 1]), np.array(["a", "b"]), None, replicates=1) is None


def test_the_curve_has_the_corners_of_the_counts() -> None:
    score = np.array([0.9, 0.8, 0.8, 0.8, 0.3, 0.2, 0.1])
    labels = np.array([1, 1, 0, 1, 1, 0, 0])
    curve = roc_curve(score, labels)
    assert (curve.positives, curve.negatives) == (4, 3)
    # (0, 1) → (1, 3) is one diagonal step of equal scores; (2, 4) lies on a straight line and is left out.
    assert curve.points == ((0, 0), (0, 1), (1, 3), (1, 4), (3, 4))


def test_the_area_below_the_curve_is_the_auc() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        score, labels = rng.integers(0, 9, 40) / 9, rng.integers(0, 2, 40)
        curve = roc_curve(score, labels)
        false, true = np.array(curve.points).T
        area = np.trapezoid(true / curve.positives, false / curve.negatives)
        assert area == pytest.approx(auc(score, labels))


def test_one_class_has_no_curve() -> None:
    assert roc_curve(np.array([0.1, 0.2]), np.array([0, 0])) is None
