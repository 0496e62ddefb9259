"""Adversarial training's attack on a batch: its budget, its strength, and what it leaves alone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from models_ml.config import AdversarialTraining
from models_ml.data.images import to_tensor
from models_ml.networks import build
from models_ml.training.adversarial_training import attack_batch, attacked_rows
from readerstudy.imaging.image import WHITE
from tests.models_ml import tiny

BUDGET = AdversarialTraining(epsilon=1000, steps=4, attacked_share=1)


@pytest.fixture
def batch():
    images = tiny.images()
    torch.manual_seed(3)
    pixels = to_tensor(images.pixels[:6], torch.device("cpu"))
    return build(tiny.classifier_config()).train(), pixels, torch.from_numpy(images.labels[:6])


def losses(classifier, images, labels):
    with torch.no_grad():
        return F.cross_entropy(classifier.eval()(images), labels, reduction="none")


def test_no_pixel_moves_further_than_the_budget_nor_out_of_range_and_the_background_stays(batch):
    classifier, images, labels = batch
    attacked = attack_batch(classifier, images, labels, BUDGET, np.random.default_rng(0))
    change = (attacked - images).abs() * WHITE
    assert 900 < change.max() <= 1000 + 0.01
    assert (attacked[images == 0] == 0).all()
    assert attacked.min() >= 0
    assert attacked.max() <= 1


def test_every_attacked_image_is_harder_than_it_was(batch):
    classifier, images, labels = batch
    attacked = attack_batch(classifier, images, labels, BUDGET, np.random.default_rng(0))
    assert (losses(classifier, attacked, labels) > losses(classifier, images, labels)).all()


def test_more_steps_find_more_than_a_random_change_of_the_same_size(batch):
    classifier, images, labels = batch
    attacked = attack_batch(classifier, images, labels, BUDGET, np.random.default_rng(0))
    noise = torch.from_numpy(np.random.default_rng(1).choice([-1.0, 1.0], images.shape).astype(np.float32))
    shaken = torch.where(images > 0, images + noise * 1000 / WHITE, images)
    assert losses(classifier, attacked, labels).sum() > losses(classifier, shaken, labels).sum()


def test_half_of_each_class_is_attacked_and_the_others_come_back_as_they_were(batch):
    classifier, images, labels = batch
    settings = AdversarialTraining(epsilon=1000, steps=1, attacked_share=0.5)
    attacked = attack_batch(classifier, images, labels, settings, np.random.default_rng(0))
    moved = {row for row in range(6) if not torch.equal(attacked[row], images[row])}
    assert moved == set(attacked_rows(labels.numpy(), 0.5).tolist())
    assert {labels[row].item() for row in moved} == {0, 1}
    assert len(moved) == 3


def test_the_parts_of_each_class_are_rounded_up():
    labels = np.array([1, 1, 1, 0, 0, 0])
    assert attacked_rows(labels, 0.5).tolist() == [0, 1, 3, 4]
    assert attacked_rows(labels, 1).tolist() == [0, 1, 2, 3, 4, 5]
    assert attacked_rows(labels, 0).tolist() == []


def test_the_same_chance_gives_the_same_batch_and_the_classifier_is_left_as_it_was(batch):
    classifier, images, labels = batch
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    first, again = (attack_batch(classifier, images, labels, BUDGET, np.random.default_rng(5)) for _ in range(2))
    other = attack_batch(classifier, images, labels, BUDGET, np.random.default_rng(6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert classifier.training
    assert all(parameter.grad is None for parameter in classifier.parameters())
    assert all(torch.equal(value, before[name]) for name, value in classifier.state_dict().items())


def test_without_a_budget_nothing_changes(batch):
    classifier, images, labels = batch
    assert torch.equal(
        attack_batch(classifier, images, labels, AdversarialTraining(epsilon=0), np.random.default_rng(0)), images
    )
    untouched = attack_batch(
        classifier, images, labels, AdversarialTraining(attacked_share=0), np.random.default_rng(0)
    )
    assert torch.equal(untouched, images)


def test_the_budget_grows_while_the_network_learns_what_a_cancer_is():
    settings = AdversarialTraining(epsilon=1000, step_size=500, growth_start=0.2, growth_end=0.7)
    assert [settings.at(share).epsilon for share in (0, 0.2, 0.45, 0.7, 1)] == [0, 0, pytest.approx(500), 1000, 1000]
    assert settings.at(0.45).step == pytest.approx(250)
    at_once = AdversarialTraining(epsilon=1000, growth_start=0, growth_end=0)
    assert at_once.at(0) == at_once


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": -1},
        {"steps": 0},
        {"attacked_share": 1.5},
        {"step_size": -1},
        {"growth_start": 0.8},
        {"growth_end": 1.2},
    ],
)
def test_settings_without_a_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match="dversarial training"):
        AdversarialTraining(**wrong)
