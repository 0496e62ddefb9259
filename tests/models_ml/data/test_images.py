"""Image sets, balanced batches and augmentation."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models_ml.config import Augmentation
from models_ml.data.augmentation import random_map, transform, warp
from models_ml.data.images import Pairing, to_tensor
from models_ml.errors import WrongImages
from models_ml.presets import PRESETS
from tests.models_ml import tiny

STILL = Augmentation(0.0, 0.0, 0.0, 0.0, 1.0, 1.0)


def test_a_subset_holds_the_images_of_its_split_and_no_others() -> None:
    images = tiny.images()
    tuning = images.subset("tuning")
    assert set(tuning.splits) == {"tuning"}
    assert len(tuning) == (images.splits == "tuning").sum()
    np.testing.assert_array_equal(tuning.pixels, images.pixels[images.splits == "tuning"])


def test_the_split_hash_knows_labels_and_splits_but_not_the_order() -> None:
    images = tiny.images()
    order = np.random.default_rng(1).permutation(len(images))
    columns = ("pixels", "labels", "patients", "splits", "keys")
    shuffled = replace(images, **{name: getattr(images, name)[order] for name in columns})
    relabelled = replace(images, labels=1 - images.labels)
    assert shuffled.split_hash() == images.split_hash()
    assert relabelled.split_hash() != images.split_hash()


def test_a_patient_in_two_splits_is_refused_by_name() -> None:
    images = tiny.images()
    splits = images.splits.copy()
    splits[0] = "test"
    with pytest.raises(WrongImages, match="Patient P000 has images in two splits"):
        replace(images, splits=splits)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pixels": np.zeros((40, 32, 24))}, "16-bit"),
        ({"labels": np.zeros(3, np.int64)}, "one label"),
        ({"labels": np.full(40, 2)}, "1 for positive"),
        ({"splits": np.full(40, "dev")}, "no split named dev"),
        ({"keys": np.full(40, "same")}, "same key"),
    ],
)
def test_columns_that_do_not_fit_are_refused(change, sentence) -> None:
    with pytest.raises(WrongImages, match=sentence):
        replace(tiny.images(), **change)


def test_a_tuning_split_without_positive_images_is_refused_before_training() -> None:
    images = tiny.images()
    healthy = replace(images, labels=np.where(images.splits == "tuning", 0, images.labels))
    with pytest.raises(WrongImages, match="tuning split holds no positive image"):
        healthy.require(tiny.ROWS, tiny.COLUMNS)
    with pytest.raises(WrongImages, match="32 × 24, but this preset needs 64 × 48"):
        images.require(64, 48)


def test_an_epoch_walks_the_larger_class_once_and_draws_from_the_other() -> None:
    pairing = Pairing(np.arange(3), np.arange(100, 111), per_class=4)
    batches = list(pairing.epoch(np.random.default_rng(0)))
    seen = np.concatenate([second for _, second in batches])
    assert len(batches) == pairing.steps == 3
    assert set(seen) == set(range(100, 111))
    assert len(set(seen[:11])) == 11  # nobody twice before everybody once
    assert all(len(first) == len(second) == 4 for first, second in batches)
    assert all(set(first) <= {0, 1, 2} for first, _ in batches)


def test_flips_alone_are_exact() -> None:
    images = to_tensor(tiny.images().pixels[:3], torch.device("cpu"))
    how = replace(STILL, vertical_flip=1.0, horizontal_flip=1.0)
    turned = transform(images, [random_map(how, np.random.default_rng(0))] * 3, how)
    assert torch.equal(turned, images.flip(2).flip(3))


def test_a_warp_by_nothing_is_nothing() -> None:
    images = torch.rand(2, 1, 12, 10)
    torch.testing.assert_close(warp(images, np.stack([np.eye(2)] * 2)), images, rtol=0, atol=1e-6)


def test_a_quarter_turn_moves_right_to_below_whatever_the_shape() -> None:
    # (x, y) → (−y, x): what lay 3 right of the centre then lies 3 below it, y pointing down.
    image = torch.zeros(1, 1, 21, 15)
    image[0, 0, 10, 7 + 3] = 1
    turned = warp(image, np.array([[[0.0, -1.0], [1.0, 0.0]]]))
    assert turned[0, 0, 10 + 3, 7].item() == pytest.approx(1, abs=1e-5)


def test_doubling_spreads_and_halving_leaves_zeros_around() -> None:
    image = torch.ones(1, 1, 16, 16)
    halved = warp(image, np.array([np.eye(2) / 2]))
    assert halved[0, 0, 8, 8] == 1
    assert halved[0, 0, :3].abs().max() == 0
    assert halved.sum().item() == pytest.approx(64, rel=0.15)
    assert warp(image, np.array([np.eye(2) * 2])).min() == 1


def test_the_random_map_stays_within_the_articles_ranges_and_uses_them() -> None:
    how, chance = PRESETS["zhou2021-high"].classifier.augmentation, np.random.default_rng(0)
    maps = np.stack([random_map(how, chance) for _ in range(2000)])
    scales = np.sqrt(np.abs(np.linalg.det(maps)))
    angles = np.rad2deg(np.arctan2(maps[:, 1, 0], maps[:, 0, 0]))
    assert 0.5 <= scales.min() < 0.52
    assert 1.9 < scales.max() <= 2
    assert -45 <= angles.min() < -43
    assert 43 < angles.max() <= 45
    assert np.mean(np.linalg.det(maps) < 0) == pytest.approx(0.5, abs=0.05)  # vertical flips
    assert scales.mean() == pytest.approx(1.25, abs=0.03)  # uniform


def test_a_log_uniform_scale_enlarges_as_often_as_it_reduces() -> None:
    how, chance = Augmentation(scale="log-uniform"), np.random.default_rng(0)
    areas = [abs(np.linalg.det(random_map(how, chance))) for _ in range(2000)]
    assert np.mean(np.array(areas) > 1) == pytest.approx(0.5, abs=0.04)


def test_the_gans_augmentation_never_scales() -> None:
    how, chance = PRESETS["zhou2021-high"].remove.augmentation, np.random.default_rng(0)
    areas = [abs(np.linalg.det(random_map(how, chance))) for _ in range(50)]
    np.testing.assert_allclose(areas, 1)
