"""A trained generator as an attack on full-size images."""

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from attacks.constraints.post_processing import NO_POST_PROCESSING, PostProcessing
from attacks.generative.gan import GanAttack, add_below
from models_ml.data.images import to_tensor
from models_ml.errors import WrongCheckpoint, WrongImages
from models_ml.runs.checkpoint import load_generator
from models_ml.runtime.progress import silent
from models_ml.training.classifier import train_classifier
from models_ml.training.gan import train_gan
from readerstudy.imaging.geometry import PLAIN
from readerstudy.imaging.grey_levels import bit_depth_levels, to_16_bit
from readerstudy.imaging.image import WHITE, Pixels
from readerstudy.imaging.png16 import encode_png
from readerstudy.modalities.mammography.breast_mask import breast_weight
from readerstudy.modalities.mammography.geometry import GEOMETRY
from readerstudy.modalities.mammography.phantom import render, sample_cohort
from tests.models_ml import tiny

SCALE = 4


def train(folder: Path, form: str) -> Path:
    images = tiny.images()
    classifier_folder = folder.parent / "classifier"
    train_classifier(images, tiny.classifier_config(), seed=1, folder=classifier_folder, report=silent)
    config = tiny.gan_config(form=form)
    train_gan(
        images, direction="remove", classifier=classifier_folder, config=config, seed=2, folder=folder, report=silent
    )
    return folder


@pytest.fixture(scope="module")
def residual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("residual") / "run", "residual")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("plain") / "run", "plain")


@pytest.fixture(scope="module")
def additive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("additive") / "run", "additive")


@pytest.fixture
def image() -> np.ndarray:
    """A grainy 128 × 96 picture with black air on the left and a white label."""
    pixels = np.random.default_rng(3).integers(9_000, 40_000, (32 * SCALE, 24 * SCALE)).astype(np.uint16)
    pixels[:, :20] = 0
    pixels[:8, -8:] = WHITE
    return pixels


def test_at_its_own_size_the_attack_is_the_generator(residual: Path) -> None:
    pixels = tiny.images().pixels[0]
    attack = GanAttack.load(residual)
    with torch.no_grad():
        adversarial = load_generator(residual)(to_tensor(pixels[None], torch.device("cpu")))[0, 0].numpy()
    np.testing.assert_allclose(attack(pixels), adversarial * WHITE, atol=0.51)


def test_an_additive_change_is_added_to_the_values(additive: Path, image: np.ndarray) -> None:
    pixels = tiny.images().pixels[0]
    attack = GanAttack.load(additive)
    with torch.no_grad():
        adversarial = load_generator(additive)(to_tensor(pixels[None], torch.device("cpu")))[0, 0].numpy()
    expected = np.where(pixels == 0, 0, adversarial * WHITE)
    np.testing.assert_allclose(attack(pixels), expected, atol=0.51)
    change = attack(image).astype(int) - image
    assert np.abs(change).max() > 0
    assert (change[:, :20] == 0).all()  # a pixel of 0 stays, as in every attack


def test_an_additive_change_stays_below_the_brightest_tissue() -> None:
    images, change = torch.tensor([0.2, 0.5, 0.9, 0.05]), torch.tensor([0.2, 0.3, 0.3, -0.2])
    # 0.9 is brighter than 0.7 already, as a label may be: it does not change.
    torch.testing.assert_close(add_below(images, change, white=0.7), torch.tensor([0.4, 0.7, 0.9, 0.0]))
    assert add_below(images, -change, white=0.7)[2].item() == pytest.approx(0.6)


def test_the_change_is_upsampled_smoothly_and_the_grain_stays(residual: Path, image: np.ndarray) -> None:
    adversarial = GanAttack.load(residual)(image)
    assert adversarial.shape == image.shape
    assert adversarial.dtype == np.uint16
    assert (adversarial != image).mean() > 0.5
    inside = np.s_[12:, 24:]
    real, altered = image[inside] / WHITE, adversarial[inside] / WHITE
    change = np.log(altered / (1 - altered)) - np.log(real / (1 - real))
    # Neighbours differ by up to 30,000 levels in the picture; the change of logit runs smoothly under them.
    assert np.abs(np.diff(change, axis=1)).max() < 0.05
    assert np.abs(np.diff(np.log(real / (1 - real)), axis=1)).max() > 1


def test_black_air_and_white_labels_stay_to_the_last_bit(residual: Path, image: np.ndarray) -> None:
    attack = GanAttack.load(residual)
    with torch.no_grad():
        strong = replace(attack, generator=load_generator(residual))
        strong.generator.last.bias.fill_(2.0)
    adversarial = strong(image)
    assert (adversarial[image == 0] == 0).all()
    assert (adversarial[image == WHITE] == WHITE).all()
    assert (adversarial != image)[(image > 0) & (image < WHITE)].all()


def test_the_faint_noise_of_the_air_stays_to_the_last_bit(residual: Path, image: np.ndarray) -> None:
    image[:, :20] = np.random.default_rng(1).integers(0, 12, (128, 20))
    attack = GanAttack.load(residual)
    with torch.no_grad():
        attack.generator.last.bias.fill_(-2.0)  # far darker than any trained generator makes it
    adversarial = attack(image)
    np.testing.assert_array_equal(adversarial[:, :20], image[:, :20])
    assert (adversarial[20:60, 24:] < image[20:60, 24:]).all()


def test_the_same_image_gives_the_same_adversarial_image(residual: Path, image: np.ndarray) -> None:
    attack = GanAttack.load(residual)
    np.testing.assert_array_equal(attack(image), attack(image))


def test_the_identity_baseline_is_another_attack(residual: Path, image: np.ndarray) -> None:
    attack = GanAttack.load(residual)
    baseline = GanAttack.load(residual, is_identity=True)
    assert (attack.is_identity, baseline.is_identity) == (False, True)
    assert attack.weights != baseline.weights
    assert np.abs(baseline(image).astype(int) - image).mean() < np.abs(attack(image).astype(int) - image).mean()


def test_an_attack_carries_its_provenance_and_cannot_be_changed(residual: Path) -> None:
    attack = GanAttack.load(residual)
    assert (attack.direction, attack.preset, attack.seed, attack.size) == ("remove", "tiny", 2, (32, 24))
    with pytest.raises(FrozenInstanceError):
        attack.seed = 3


def test_an_image_of_another_shape_is_an_error(residual: Path) -> None:
    attack = GanAttack.load(residual)
    with pytest.raises(WrongImages, match="64 × 64 does not have the shape of 32 × 24"):
        attack(np.zeros((64, 64), np.uint16))
    with pytest.raises(WrongImages, match="one 16-bit grey image"):
        attack(np.zeros((32, 24), np.uint8))


def test_a_plain_generator_works_at_its_own_size_only(plain: Path, image: np.ndarray) -> None:
    attack = GanAttack.load(plain)
    pixels = tiny.images().pixels[0]
    adversarial = attack(pixels)
    assert (adversarial[pixels == 0] == 0).all()
    assert (adversarial != pixels).mean() > 0.5
    with pytest.raises(WrongImages, match="plain generator of 32 × 24"):
        attack(image)


def test_a_classifiers_folder_is_not_an_attack(residual: Path) -> None:
    with pytest.raises(WrongCheckpoint, match="holds a classifier, not a generator"):
        GanAttack.load(residual.parent / "classifier")


KEPT = PostProcessing(GEOMETRY, keep_range=False)


@pytest.fixture(scope="module")
def breast() -> np.ndarray:
    """A phantom of 12 bits with a label in its air, on the levels that a 12-bit image has in 16 bits."""
    view = next(view for view in sample_cohort(3, seed=2) if (view.laterality, view.view_position) == ("L", "CC"))
    image = render(view, (256, 192)).values >> 4
    image[10:40, -50:-10] = 3500
    image[100:160, -20:-10] += 300  # a grey stain
    return to_16_bit(Pixels(image, 12))


def shifted(run: Path, by: float, post_processing: PostProcessing = NO_POST_PROCESSING) -> GanAttack:
    """An attack that changes every pixel's logit by the same amount: nothing to see, everything to measure."""
    attack = GanAttack.load(run, post_processing=post_processing)
    with torch.no_grad():
        attack.generator.last.weight.zero_()
        attack.generator.last.bias.fill_(by)
    return attack


@pytest.mark.parametrize("steps", [NO_POST_PROCESSING, KEPT, PostProcessing(GEOMETRY)], ids=["bare", "kept", "all"])
def test_without_a_change_the_file_is_that_of_the_source_image(
    residual: Path, breast: np.ndarray, steps: PostProcessing
) -> None:
    for picture in (breast, (breast | 7) + (breast >> 9), (breast >> 8) * np.uint16(257)):
        assert encode_png(shifted(residual, 0.0, steps)(picture)) == encode_png(picture)


def test_the_identity_baseline_leaves_no_trace(residual: Path, breast: np.ndarray) -> None:
    """Its generator has learnt the identity: whatever differed would come from the processing."""
    baseline = GanAttack.load(residual, is_identity=True, post_processing=KEPT)
    with torch.no_grad():
        change = baseline.generator.raw(to_tensor(GEOMETRY.resize(breast, (32, 24))[None], torch.device("cpu")))
    altered = baseline(breast)
    assert np.array_equal(altered, breast) == bool((change == 0).all())
    assert np.array_equal(altered[breast_weight(breast) == 0], breast[breast_weight(breast) == 0])


@pytest.mark.parametrize("by", [-1.0, 1.0])
def test_pixels_outside_the_breast_stay_to_the_last_bit(residual: Path, breast: np.ndarray, by: float) -> None:
    outside = breast_weight(breast) == 0
    bare, processed = (shifted(residual, by, steps)(breast) for steps in (NO_POST_PROCESSING, KEPT))
    assert (bare != breast)[10:40, -50:-10].all()
    assert np.array_equal(processed[outside], breast[outside])
    assert outside[12:38, -48:-12].all()
    inside = (breast_weight(breast) == 1) & (breast > 5000)
    assert ((processed > breast) == (by > 0))[inside].all()


def test_a_plain_generator_can_keep_the_background(plain: Path) -> None:
    pixels = tiny.images().pixels[0]
    left = np.zeros(pixels.shape, np.float32)
    left[:, :12] = 1
    geometry = replace(PLAIN, region=lambda pixels: left)
    steps = replace(NO_POST_PROCESSING, geometry=geometry, keep_background=True)
    attack = GanAttack.load(plain, post_processing=steps)
    adversarial = attack(pixels)
    assert np.array_equal(adversarial[:, 12:], pixels[:, 12:])
    assert np.array_equal(adversarial[:, :12], GanAttack.load(plain)(pixels)[:, :12])


def test_an_adversarial_image_keeps_to_12_bits(residual: Path, breast: np.ndarray) -> None:
    grid = bit_depth_levels(12)
    bare, processed = (shifted(residual, 0.3, steps)(breast) for steps in (NO_POST_PROCESSING, KEPT))
    assert np.isin(breast, grid).all()
    assert not np.isin(bare, grid).all()
    assert np.isin(processed, grid).all()
    assert np.array_equal(processed == 0, breast == 0)
    inside = breast_weight(breast) == 1
    assert np.abs(processed[inside].astype(int) - bare[inside]).max() <= 8  # half of a 12-bit step


def test_no_pixel_is_brighter_than_the_source_and_none_pile_up(residual: Path, breast: np.ndarray) -> None:
    ranged = PostProcessing(GEOMETRY, keep_grid=False)
    white = breast[breast_weight(breast) > 0].max()
    bare, processed = (shifted(residual, 2.0, steps)(breast) for steps in (NO_POST_PROCESSING, ranged))
    inside = (breast_weight(breast) == 1) & (breast > 5000) & (breast < white)
    assert bare[inside].max() > white
    assert processed[inside].max() < white
    assert (processed > breast)[inside].all()
    assert (processed[inside] == processed[inside].max()).mean() < 0.001


def test_darkening_is_the_same_with_and_without_the_range(residual: Path, breast: np.ndarray) -> None:
    only_range = replace(NO_POST_PROCESSING, keep_range=True)
    bare, processed = (shifted(residual, -1.0, steps)(breast) for steps in (NO_POST_PROCESSING, only_range))
    assert np.array_equal(bare, processed)


def test_a_black_image_stays_black(residual: Path) -> None:
    black = np.zeros((128, 96), np.uint16)
    assert not shifted(residual, 1.0, PostProcessing(GEOMETRY, keep_grid=False))(black).any()
