"""The control of the phantoms' benchmark: features without learning, and a logistic regression on them."""

import numpy as np
import pytest
from scipy.optimize import minimize

from readerstudy.statistics.roc import auc
from tests.bench.hand_made_features import FEATURES, hand_made_features, logistic_scores


def disc(*, radius: float, level: int) -> np.ndarray:
    rows, columns = np.mgrid[:256, :208]
    image = np.where(columns < 150, 12_000, 0).astype(np.uint16)
    image[np.hypot(rows - 128, columns - 70) < radius] = level
    return image


def test_there_are_twenty_features_and_blobs_answer_to_their_size() -> None:
    names = list(FEATURES)
    assert len(names) == len(set(names)) == 20
    plain, small, large = (hand_made_features(disc(radius=r, level=40_000)) for r in (0, 2, 7))
    assert plain.shape == (20,)
    assert np.isfinite(np.stack([plain, small, large])).all()
    assert small[names.index("brightest pixel")] == pytest.approx(40_000 / 65535)
    fine, coarse = names.index("largest blob, sigma 1.5"), names.index("largest blob, sigma 5")
    assert small[fine] > small[coarse] > plain[coarse]
    assert large[coarse] > large[fine]


def test_an_image_without_a_breast_has_finite_features() -> None:
    assert np.isfinite(hand_made_features(np.zeros((256, 208), np.uint16))).all()


def test_logistic_regression_minimises_the_penalised_loss() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(80, 3))
    labels = (rng.random(80) < 1 / (1 + np.exp(-(2 * rows[:, 0] - rows[:, 1])))).astype(np.int64)
    standard = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    weights = np.where(labels == 1, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))

    def loss(b: np.ndarray) -> float:
        odds = standard @ b[:3] + b[3]
        return float((weights * (np.logaddexp(0, odds) - labels * odds)).sum() + 0.5 * (b[:3] ** 2).sum())

    best = minimize(loss, np.zeros(4), tol=1e-12).x
    assert logistic_scores(rows, labels, rows) == pytest.approx(standard @ best[:3] + best[3], abs=1e-4)


def test_logistic_regression_learns_on_training_rows_only() -> None:
    rng = np.random.default_rng(2)
    rows, labels = rng.normal(size=(200, 20)), rng.integers(2, size=200)
    noise = logistic_scores(rows[:100], labels[:100], rows[100:])
    assert 0.3 < auc(noise, labels[100:]) < 0.7
    rows[:, 4] += 3 * labels
    assert auc(logistic_scores(rows[:100], labels[:100], rows[100:]), labels[100:]) > 0.9
