"""Every loss term against numbers worked out independently, with numpy in float64."""

import numpy as np
import pytest
import torch

from models_ml.networks.losses import discriminator_loss, focal, generator_loss, identity_loss
from models_ml.training.passes import Penalty

LOGITS = [[0.3, -0.8], [1.2, 2.0], [-0.5, 0.1]]
LABELS = [1, 0, 1]


def softmax(row: list[float]) -> np.ndarray:
    powers = np.exp(np.array(row))
    return powers / powers.sum()


def expected_focal(logits: list[list[float]], labels: list[int]) -> float:
    p = [softmax(row)[label] for row, label in zip(logits, labels, strict=True)]
    return float(np.mean([-0.5 * (1 - x) ** 2 * np.log(x) for x in p]))


def test_focal_loss_is_half_the_mean_of_weighted_logs() -> None:
    value = focal(torch.tensor(LOGITS), torch.tensor(LABELS), gamma=2.0, class_weight=0.5).mean()
    assert value.item() == pytest.approx(expected_focal(LOGITS, LABELS), rel=1e-6)


def test_the_focal_factor_carries_no_gradient() -> None:
    logits = torch.tensor(LOGITS, requires_grad=True)
    focal(logits, torch.tensor(LABELS), gamma=2.0, class_weight=0.5).mean().backward()
    # d(−½ w log p_true)/dz = ½ w (p − onehot) / n when w is a constant.
    rows = []
    for row, label in zip(LOGITS, LABELS, strict=True):
        p = softmax(row)
        rows.append(0.5 * (1 - p[label]) ** 2 * (p - np.eye(2)[label]) / 3)
    np.testing.assert_allclose(logits.grad, np.array(rows), rtol=1e-5)


def test_the_gradient_penalty_is_a_power_of_each_image_s_slope() -> None:
    slopes = torch.tensor(np.random.default_rng(1).normal(size=(3, 1, 4, 5)), requires_grad=True)
    penalty = Penalty(weight=10.0, order=4.0, count=3)
    norms = np.sqrt((slopes.detach().numpy() ** 2).sum((1, 2, 3)))
    value, direction = penalty.of(slopes.detach())
    assert value.item() == pytest.approx(10 / 2 * (norms**4).mean(), rel=1e-10)
    # Its derivative, as autograd finds it.
    (5 * slopes.flatten(1).norm(2, dim=1).pow(4).mean()).backward()
    np.testing.assert_allclose(direction, slopes.grad, rtol=1e-10)


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
