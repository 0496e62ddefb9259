"""Calibration against hand-made answers and a plain search for the same maximum."""

import numpy as np
import pytest
from scipy.special import expit, logit

from models_ml.errors import LabError
from models_ml.evaluation.calibration import Recalibration, calibration, recalibrate, reliability
from readerstudy.results.evaluation import Recalibrated
from readerstudy.statistics.roc import auc


def drawn(slope: float, intercept: float, seed: int = 0, count: int = 4000):
    """Scores whose true probability is σ(slope · logit + intercept)."""
    chance = np.random.default_rng(seed)
    score = expit(chance.normal(0, 1.5, count))
    labels = (chance.random(count) < expit(slope * logit(score) + intercept)).astype(int)
    return score, labels


def test_platt_finds_the_slope_and_the_intercept_that_made_the_labels():
    found = recalibrate(*drawn(2.0, -1.0), Recalibrated.PLATT)
    assert found.slope == pytest.approx(2.0, abs=0.15)
    assert found.intercept == pytest.approx(-1.0, abs=0.1)


def test_temperature_moves_nothing_but_the_slope():
    found = recalibrate(*drawn(0.5, 0.0), Recalibrated.TEMPERATURE)
    assert found.slope == pytest.approx(0.5, abs=0.06)
    assert found.intercept == 0
    assert found(np.array([0.5]))[0] == pytest.approx(0.5)


def test_no_other_slope_and_intercept_are_likelier():
    score, labels = drawn(1.6, 0.4, count=300)
    found = recalibrate(score, labels, Recalibrated.PLATT)

    def loss(slope, intercept):
        p = expit(slope * logit(score) + intercept)
        return -np.mean(np.where(labels == 1, np.log(p), np.log(1 - p)))

    best = loss(found.slope, found.intercept)
    for away in (-0.1, 0.1):
        assert best < loss(found.slope + away, found.intercept)
        assert best < loss(found.slope, found.intercept + away)


def test_classes_that_are_wholly_apart_keep_a_finite_slope():
    found = recalibrate(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]), Recalibrated.PLATT)
    assert np.isfinite([found.slope, found.intercept]).all()


def test_recalibration_keeps_the_order_and_takes_zero_and_one():
    score, labels = drawn(2.0, -1.0, count=200)
    found = recalibrate(score, labels, Recalibrated.PLATT)
    assert auc(found(score), labels) == auc(score, labels)
    assert np.isfinite(found(np.array([0.0, 1.0]))).all()
    assert Recalibration()(score) is score


def test_one_class_alone_cannot_be_recalibrated_but_needs_none():
    with pytest.raises(LabError, match="positive and other"):
        recalibrate(np.array([0.2, 0.4]), np.array([0, 0]), Recalibrated.PLATT)
    assert recalibrate(np.array([0.2, 0.4]), np.array([0, 0]), Recalibrated.NONE) == Recalibration()


def test_the_curve_by_hand():
    score = np.array([0.1, 0.2, 0.3, 0.6, 0.8, 0.9])
    labels = np.array([0, 0, 1, 1, 0, 1])
    first, second = reliability(score, labels, bins=2)
    assert (first.images, first.mean, first.share) == (3, pytest.approx(0.2), pytest.approx(1 / 3))
    assert (second.images, second.mean, second.share) == (3, pytest.approx(2.3 / 3), pytest.approx(2 / 3))
    found = calibration(score, labels, Recalibration(), bins=2)
    assert found.ece == pytest.approx((abs(0.2 - 1 / 3) + abs(2.3 / 3 - 2 / 3)) / 2)
    assert found.brier == pytest.approx(np.mean((score - labels) ** 2))


def test_equal_scores_stay_in_one_bin_and_the_order_of_the_images_means_nothing():
    score, labels = np.array([0.5] * 6 + [0.9] * 2), np.array([0, 1, 0, 1, 0, 1, 1, 1])
    found = reliability(score, labels, bins=4)
    assert [part.images for part in found] == [6, 2]
    turned = reliability(score[::-1], labels[::-1], bins=4)
    assert turned == found


def test_calibrated_scores_have_small_errors_and_recalibration_shrinks_large_ones():
    score, labels = drawn(1.0, 0.0, count=20_000)
    assert calibration(score, labels, Recalibration()).ece < 0.02
    of_tuning, tuning_labels = drawn(2.5, -1.5, seed=1)
    of_test, test_labels = drawn(2.5, -1.5, seed=2)
    raw = calibration(of_test, test_labels, Recalibration())
    platt = calibration(of_test, test_labels, recalibrate(of_tuning, tuning_labels, Recalibrated.PLATT))
    assert platt.ece < raw.ece / 3
    assert platt.brier < raw.brier
