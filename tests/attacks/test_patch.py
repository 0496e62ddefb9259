"""The visible patch: where it lies, what it changes, and that its texture is train."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from attacks.constraints.post_processing import PostProcessing
from attacks.gradient.base import cross_entropy
from attacks.gradient.patch import PatchAttack, PatchSettings, diameter_in_pixels, disc, find_corner, train_texture
from models_ml.data.images import to_tensor
from models_ml.errors import LabError, WrongImages
from models_ml.runtime.progress import silent
from readerstudy.modalities.mammography.breast_mask import breast_weight
from readerstudy.modalities.mammography.geometry import GEOMETRY
from tests.attacks.small import small_classifier
from tests.attacks.test_gradient_attack import make_image
from tests.models_ml import tiny

ROWS, COLUMNS = 192, 144


@pytest.fixture
def real() -> np.ndarray:
    return make_image(1, rows=ROWS, columns=COLUMNS)


@pytest.fixture
def attack() -> PatchAttack:
    texture = np.random.default_rng(0).random((6, 6)).astype(np.float32)
    post_processing = PostProcessing(GEOMETRY, keep_grid=False)
    return PatchAttack(PatchSettings(diameter=0.15), texture, 4, post_processing)


@pytest.mark.parametrize("place", ["deepest", "random", (0.5, 0.2), (0.0, 1.0)])
def test_the_patch_lies_in_the_breast_and_nothing_else_changes(attack, real, place) -> None:
    attack_there = replace(attack, settings=replace(attack.settings, position=place))
    adversarial, (top, left), side = attack_there(real), attack_there.corner(real), diameter_in_pixels(0.15, ROWS)
    changed = adversarial != real
    assert changed.any()
    outside = np.ones(real.shape, dtype=bool)
    outside[top : top + side, left : left + side] = False
    assert not changed[outside].any()
    assert breast_weight(real)[top : top + side, left : left + side][disc(side) > 0].min() > 0
    assert adversarial.max() <= real.max()
    assert np.array_equal(adversarial, attack_there(real))


def test_the_patch_is_at_the_position_of_the_settings(attack, real) -> None:
    high, low = (
        replace(attack, settings=replace(attack.settings, position=place)).corner(real)
        for place in ((0.3, 0.2), (0.7, 0.2))
    )
    assert high[0] < low[0]
    assert abs(high[0] + diameter_in_pixels(0.15, ROWS) / 2 - 0.3 * ROWS) < 4


def test_a_random_position_depends_on_image_and_seed(attack, real) -> None:
    random = replace(attack, settings=replace(attack.settings, position="random"))
    places = {replace(random, seed=seed).corner(real) for seed in range(6)}
    assert len(places) > 1
    assert random.corner(real) == random.corner(real.copy())


def test_in_a_narrow_breast_the_patch_is_at_its_widest_part() -> None:
    weight = np.zeros((96, 72), np.float32)
    weight[40:48, 10:60] = 1
    top, left = find_corner(weight, 20, "random", np.random.default_rng(0))
    assert top <= 44 <= top + 20
    assert 0 <= left <= 52


def test_a_patch_at_the_border_stays_in_the_image() -> None:
    weight = np.ones((40, 30), np.float32)
    for place in ((0.0, 0.0), (1.0, 1.0)):
        top, left = find_corner(weight, 12, place, np.random.default_rng(0))
        assert 0 <= top <= 28
        assert 0 <= left <= 18


def test_training_raises_the_loss_of_other_images() -> None:
    classifier, images = small_classifier(), tiny.images()
    pixels = images.pixels[images.rows("train", 1)]
    weights = (pixels > 0).astype(np.float32)
    learning, other = slice(0, 5), slice(5, None)

    def train(steps: int) -> np.ndarray:
        settings = PatchSettings(diameter=0.3, steps=steps, images=4, jitter=0)
        tensors = to_tensor(pixels[learning], torch.device("cpu"))
        return train_texture(tensors, weights[learning], 1, classifier, settings, seed=1, white=0.6, report=silent)

    def loss(texture: np.ndarray) -> float:
        attack = PatchAttack(PatchSettings(diameter=0.3), texture, 1)
        adversarials = np.stack([attack(picture) for picture in pixels[other]])
        with torch.no_grad():
            logits = classifier(to_tensor(adversarials, torch.device("cpu")))
        return cross_entropy(logits, torch.ones(len(adversarials), dtype=torch.long)).mean().item()

    assert loss(train(40)) > loss(train(1)) + 0.01
    assert np.array_equal(train(5), train(5))


def test_a_patch_of_half_the_height_is_an_error() -> None:
    with pytest.raises(LabError, match="less than half"):
        PatchSettings(diameter=0.5)


def test_a_patch_on_eight_bits_is_an_error(attack) -> None:
    with pytest.raises(WrongImages):
        attack(np.zeros((ROWS, COLUMNS), np.uint8))
