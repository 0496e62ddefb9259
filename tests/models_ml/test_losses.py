"""Every loss term against numbers worked out independently, with numpy in float64."""

import numpy as np
import pytest
import torch
from torch import nn

from models_ml.losses import (
    balanced_focal,
    discriminator_loss,
    focal,
    generator_loss,
    gradient_penalty,
    identity_loss,
)

LOGITS = [[0.3, -0.8], [1.2, 2.0], [-0.5, 0.1]]
LABELS = [1, 0, 1]


def softmax(row: list[float]) -> np.ndarray:
    powers = np.exp(np.array(row))
    return powers / powers.sum()


def expected_focal(logits: list[list[float]], labels: list[int]) -> float:
    p = [softmax(row)[label] for row, label in zip(logits, labels, strict=True)]
    return float(np.mean([-0.5 * (1 - x) ** 2 * np.log(x) for x in p]))


def test_focal_loss_is_half_the_mean_of_weighted_logs() -> None:
    value = focal(torch.tensor(LOGITS), torch.tensor(LABELS), gamma=2.0, class_weight=0.5)
    assert value.item() == pytest.approx(expected_focal(LOGITS, LABELS), rel=1e-6)


def test_the_focal_factor_carries_no_gradient() -> None:
    logits = torch.tensor(LOGITS, requires_grad=True)
    focal(logits, torch.tensor(LABELS), gamma=2.0, class_weight=0.5).backward()
    # d(−½ w log p_true)/dz = ½ w (p − onehot) / n when w is a constant.
    rows = []
    for row, label in zip(LOGITS, LABELS, strict=True):
        p = softmax(row)
        rows.append(0.5 * (1 - p[label]) ** 2 * (p - np.eye(2)[label]) / 3)
    np.testing.assert_allclose(logits.grad, np.array(rows), rtol=1e-5)


def test_both_classes_count_equally_whatever_their_number() -> None:
    value = balanced_focal(torch.tensor(LOGITS), torch.tensor(LABELS), gamma=2.0, class_weight=0.5)
    positives, negatives = [LOGITS[0], LOGITS[2]], [LOGITS[1]]
    assert value.item() == pytest.approx(expected_focal(positives, [1, 1]) + expected_focal(negatives, [0]), rel=1e-6)


def test_the_gradient_penalty_is_that_of_the_summed_outputs() -> None:
    weights = np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.7]])
    layer = nn.Linear(3, 2, bias=False)
    layer.weight.data = torch.tensor(weights, dtype=torch.float32)
    penalty, scores = gradient_penalty(layer, torch.randn(4, 3), weight=10.0, order=4.0)
    norm = np.sqrt(((weights[0] + weights[1]) ** 2).sum())  # the same for every image of a linear map
    assert penalty.item() == pytest.approx(10 / 2 * norm**4, rel=1e-5)
    assert scores.shape == (4, 2)


def test_the_gradient_penalty_teaches_the_weights() -> None:
    layer = nn.Linear(3, 1, bias=False)
    penalty, _ = gradient_penalty(layer, torch.randn(2, 3), weight=10.0, order=4.0)
    penalty.backward()
    w = layer.weight.detach().numpy()[0].astype(np.float64)
    # d(5 ‖w‖⁴)/dw = 20 ‖w‖² w
    np.testing.assert_allclose(layer.weight.grad[0], 20 * (w @ w) * w, rtol=1e-4)


def test_the_identity_loss_is_a_relative_squared_distance_per_image() -> None:
    rng = np.random.default_rng(0)
    y, g = rng.normal(size=(2, 1, 3, 4)), rng.normal(size=(2, 1, 3, 4))
    expected = np.mean([((g[i] - y[i]) ** 2).sum() / (y[i] ** 2).sum() for i in range(2)])
    assert identity_loss(torch.tensor(g), torch.tensor(y)).item() == pytest.approx(expected, rel=1e-6)


def log_sigmoid(values: list[float]) -> np.ndarray:
    return -np.log1p(np.exp(-np.array(values)))


def test_the_generator_loss_is_the_mean_negative_log_sigmoid_of_its_scores() -> None:
    assert generator_loss(torch.tensor([0.4, -1.1])).item() == pytest.approx(-log_sigmoid([0.4, -1.1]).mean(), rel=1e-6)


@pytest.mark.parametrize("real", [[2.0, 0.5], [-1.5, -2.5]])  # the stabiliser below and above its kink
def test_the_discriminator_loss_has_its_three_terms(real: list[float]) -> None:
    fake = [0.3, -0.9]
    a, b = -log_sigmoid(real).mean(), log_sigmoid(fake).mean()
    value = discriminator_loss(torch.tensor(real), torch.tensor(fake))
    assert value.item() == pytest.approx(a + b + abs(a - 1), rel=1e-6)
