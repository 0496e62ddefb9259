"""Gradient attacks on a classifier of another family than the VGG."""

import pytest
import torch

from attacks.gradient import APGD, FAB, FGSM, PGD, BinaryAutoAttack, CarliniWagner, Square
from models_ml.networks import build
from readerstudy.imaging.image import WHITE
from tests.attacks.small import EPSILON, small_batch
from tests.models_ml import tiny

BUDGETED = [FGSM(EPSILON), PGD(EPSILON, steps=8), APGD(EPSILON, steps=8), FAB(EPSILON, steps=8)]
BUDGETED += [Square(EPSILON, queries=30), BinaryAutoAttack(EPSILON, steps=8, queries=20)]
EVERY = [*BUDGETED, CarliniWagner(steps=8, searches=3, rate=0.1)]


@pytest.fixture(scope="module")
def classifier():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return build(tiny.compact_config()).eval().requires_grad_(False)


@pytest.mark.parametrize(
    "method", [*BUDGETED, CarliniWagner(steps=8, searches=3, rate=0.1)], ids=lambda m: type(m).__name__
)
def test_every_method_lowers_the_score_of_the_true_class(classifier, method) -> None:
    batch = small_batch(classifier)
    attacked = method(classifier, batch)
    own = batch.labels[:, None]
    before, after = (classifier(images).softmax(1).gather(1, own).mean() for images in (batch.images, attacked))
    assert after < before
    assert (attacked[batch.images == 0] == 0).all()
    if method in BUDGETED:
        assert 0 < (attacked - batch.images).abs().max() * WHITE <= EPSILON + 0.01
