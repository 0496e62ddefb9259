"""Gradient attacks on full-size images: the budget of the written pixels and the gradient through resampling."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks.constraints.budget import clip_to_budget, format_budget, parse_budget
from attacks.constraints.post_processing import NO_POST_PROCESSING, PostProcessing
from attacks.constraints.resampling import DifferentiableResize, Frame
from attacks.gradient import APGD, FGSM, PGD, CarliniWagner
from attacks.gradient.full_size import GradientAttack
from models_ml.data.images import to_tensor
from models_ml.errors import LabError, WrongImages
from readerstudy.imaging.grey_levels import bit_depth_levels
from readerstudy.imaging.image import WHITE
from readerstudy.imaging.png16 import decode_png, encode_png
from readerstudy.modalities.mammography.breast_mask import breast_weight
from readerstudy.modalities.mammography.geometry import GEOMETRY
from tests.attacks.small import EPSILON, small_classifier

CPU = torch.device("cpu")
KEPT = PostProcessing(GEOMETRY)
SIZE = (32, 24)


def make_image(seed: int, *, rows: int = 96, columns: int = 72, bits: int = 16) -> np.ndarray:
    """Return a bright breast at the left border with dark air on the right, on the levels of this bit depth."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    inside = (x / (0.7 * columns)) ** 2 + ((y - rows / 2) / (0.45 * rows)) ** 2 < 1
    share = np.where(inside, 0.3 + 0.3 * rng.random((rows, columns)), 0.002 * rng.random((rows, columns)))
    share[: rows // 8, -columns // 6 :] = 0
    numbers = np.rint(share * (2**bits - 1)).astype(np.int64)
    return bit_depth_levels(bits)[numbers]


@pytest.fixture(scope="module")
def attack() -> GradientAttack:
    classifier = small_classifier()
    return GradientAttack(PGD(EPSILON, steps=5), 1, classifier, "", 3)


@pytest.mark.parametrize("gradient", ["full_resolution", "upsampled"])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("epsilon", [300, 1028])
@pytest.mark.parametrize("post_processing", [NO_POST_PROCESSING, KEPT], ids=["bare", "kept"])
def test_the_written_file_keeps_to_the_budget(attack, gradient, bits, epsilon, post_processing) -> None:
    real = make_image(bits, bits=bits)
    attacked = replace(attack, method=PGD(epsilon, steps=3), gradient=gradient, post_processing=post_processing)(real)
    written = decode_png(encode_png(attacked))
    change = np.abs(written.astype(int) - real)
    assert 0 < change.max() <= epsilon
    assert (written[real == 0] == 0).all()
    if post_processing is KEPT:
        assert np.isin(written, bit_depth_levels(bits)).all()
        assert not change[breast_weight(real) == 0].any()
        assert written.max() <= real.max()


@given(
    st.integers(1, 65535),
    st.sampled_from([8, 12, 16]),
    st.integers(0, 2**32),
)
@settings(max_examples=60)
def test_no_level_leaves_the_budget_or_the_grid(epsilon: int, bits: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = bit_depth_levels(bits)
    real = rng.choice(grid, (9, 11)).astype(np.uint16)
    wild = rng.choice(grid, (9, 11)).astype(np.uint16)
    held = clip_to_budget(real, wild, epsilon=epsilon, levels=grid)
    assert (np.abs(held.astype(int) - real) <= epsilon).all()
    assert np.isin(held, grid).all()
    assert (held[np.abs(wild.astype(int) - real) <= epsilon] == wild[np.abs(wild.astype(int) - real) <= epsilon]).all()
    assert np.array_equal(held, clip_to_budget(real, held, epsilon=epsilon, levels=grid))


def test_a_pixel_beyond_the_budget_gets_the_last_level_within() -> None:
    grid = bit_depth_levels(8)  # 257 apart
    real = np.array([[2570, 2570, 2570]], np.uint16)
    settled = np.array([[2570 + 1028, 2570 - 1028, 2570 + 771]], np.uint16)
    held = clip_to_budget(real, settled, epsilon=1000, levels=grid)
    assert held.tolist() == [[2570 + 771, 2570 - 771, 2570 + 771]]


@pytest.mark.parametrize("method", [FGSM(600), PGD(600, steps=3), APGD(600, steps=4), CarliniWagner(6, 2)], ids=repr)
def test_an_adversarial_image_does_not_depend_on_its_batch(attack, method) -> None:
    pictures = [make_image(seed) for seed in (1, 2, 3)]
    attacked = replace(attack, method=method)
    together = attacked.attack_batch(pictures)
    for real, adversarial in zip(pictures, together, strict=True):
        assert np.abs(attacked(real).astype(int) - adversarial).max() <= (1 if isinstance(method, CarliniWagner) else 0)
        assert np.array_equal(attacked(real), attacked(real))


def test_a_run_with_another_seed_writes_another_file(attack) -> None:
    real = make_image(1)
    assert not np.array_equal(attack(real), replace(attack, seed=4)(real))


@pytest.mark.parametrize("label", [0, 1])
def test_the_attack_moves_the_score_of_the_written_file(attack, label) -> None:
    real = make_image(4)
    adversarial = decode_png(encode_png(replace(attack, label=label)(real)))
    scores = [_score(attack, picture) for picture in (real, adversarial)]
    assert (scores[1] < scores[0]) == (label == 1)
    assert abs(scores[1] - scores[0]) > 0.05


def test_the_full_resolution_gradient_is_the_stronger_one(attack) -> None:
    real = make_image(5)
    attack = replace(attack, method=PGD(EPSILON, steps=10))
    upsampled = replace(attack, gradient="upsampled")(real)
    assert _score(attack, attack(real)) < _score(attack, upsampled) < _score(attack, real)


def test_the_threshold_is_the_decision_that_is_attacked(attack) -> None:
    """The least change that crosses 0.3 goes further than the one that crosses a score just below its own."""
    real = make_image(6)
    score = _score(attack, real)
    adversarials = [
        replace(attack, method=CarliniWagner(40, 4, confidence=0.0), threshold=threshold)(real)
        for threshold in (score - 0.02, score - 0.1)
    ]
    changes = [np.square(adversarial.astype(float) - real).sum() for adversarial in adversarials]
    assert 0 < changes[0] < changes[1]
    assert _score(attack, adversarials[1]) < score - 0.09


@pytest.mark.parametrize("shape", [(96, 72), (173, 141), (100, 60), (64, 70)])
def test_the_differentiable_resize_equals_that_of_the_study(shape) -> None:
    """Torch's antialiased bicubic filter is Pillow's: all that differs is the path's rounding to 16 bits."""
    real = make_image(7, rows=shape[0], columns=shape[1])
    resizing = DifferentiableResize.of([real], SIZE, CPU, GEOMETRY)
    changed = np.clip(real.astype(int) + np.random.default_rng(1).integers(-900, 900, shape), 0, WHITE)
    seen = resizing(to_tensor(changed.astype(np.uint16)[None], CPU))[0, 0].numpy() * WHITE
    path = GEOMETRY.resize(changed.astype(np.uint16), SIZE)
    place = resizing.frames[0].placement
    inside = np.s_[place.top : place.top + place.rows, place.left : place.left + place.columns]
    # Where the path cuts an undershoot off at black, beside a sharp border, the two part: nothing is attacked there.
    grey = path[inside] > 2000
    assert grey.mean() > 0.3
    assert np.abs(seen[inside] - path[inside])[grey].max() < 1.5
    unchanged = resizing(resizing.full)[0, 0].numpy() * WHITE
    np.testing.assert_allclose(unchanged, GEOMETRY.resize(real, SIZE), atol=0.01)


def test_the_frame_has_its_padding_away_from_the_chest_wall() -> None:
    """A narrow picture with its chest wall at the right keeps it there; the filling is at the left."""
    left = make_image(8, rows=100, columns=60)
    right = np.ascontiguousarray(left[:, ::-1])
    places = [Frame.of(pixels, SIZE, GEOMETRY).placement for pixels in (left, right)]
    assert [place.left for place in places] == [0, SIZE[1] - places[1].columns]


@pytest.mark.parametrize(
    ("text", "levels"), [("4/255", 1028), ("1/255", 257), (1028, 1028), ("514", 514), ("1/3", 21845)]
)
def test_a_budget_may_be_said_in_levels_or_as_a_share(text, levels) -> None:
    assert parse_budget(text) == levels


def test_a_budget_is_written_as_articles_do() -> None:
    assert format_budget(1028) == "4/255"
    assert format_budget(1000) == "3.89/255"


@pytest.mark.parametrize("text", ["", "much", 0, -3, 70000, "3/0", 1.5])
def test_an_invalid_budget_is_an_error(text) -> None:
    with pytest.raises(LabError, match="budget"):
        parse_budget(text)


def test_an_image_of_eight_bits_is_an_error(attack) -> None:
    with pytest.raises(WrongImages, match="16-bit"):
        attack(np.zeros((96, 72), np.uint8))


def _score(attack: GradientAttack, pixels: np.ndarray) -> float:
    with torch.no_grad():
        small = to_tensor(GEOMETRY.resize(pixels, SIZE)[None], CPU)
        return attack.classifier(small).softmax(1)[0, 1].item()
