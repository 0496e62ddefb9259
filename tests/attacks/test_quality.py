"""Picture quality against scikit-image and against hand-made pictures."""

import numpy as np
import pytest

from attacks.quality import Box, energy_share, psnr, ssim
from models_ml.errors import WrongImages


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    real = np.cumsum(rng.normal(size=(48, 40)), axis=1)
    real = ((real - real.min()) / np.ptp(real) * 60_000).astype(np.uint16)
    altered = np.clip(real + rng.normal(scale=1500, size=real.shape), 0, 65_535).astype(np.uint16)
    return real, altered


def test_psnr_agrees_with_scikit_image(pair: tuple[np.ndarray, np.ndarray]) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    expected = metrics.peak_signal_noise_ratio(*pair, data_range=65_535)
    assert psnr(*pair) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("window", [7, 11])
def test_ssim_agrees_with_scikit_image(pair: tuple[np.ndarray, np.ndarray], window: int) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    expected = metrics.structural_similarity(*pair, data_range=65_535, win_size=window)
    assert ssim(*pair, window=window) == pytest.approx(expected, abs=1e-9)


def test_a_picture_is_its_own_perfect_twin(pair: tuple[np.ndarray, np.ndarray]) -> None:
    real, _ = pair
    assert psnr(real, real) == float("inf")
    assert ssim(real, real) == pytest.approx(1)
    assert energy_share(real, real, Box(0, 0, 5, 5)) == 0


def test_a_change_of_one_level_in_ten_thousand_is_eighty_decibels() -> None:
    real = np.full((10, 10), 30_000, np.uint16)
    altered = real.copy()
    altered[0, 0] += 65  # mean square 65² / 100; 10 log₁₀(65535² / 42.25) = 80.07
    assert psnr(real, altered) == pytest.approx(80.07, abs=0.005)


def test_the_energy_share_counts_squares_inside_the_box() -> None:
    real = np.full((6, 6), 1000, np.uint16)
    altered = real.copy()
    altered[2, 3] -= 30  # 900 inside
    altered[5, 5] += 10  # 100 outside
    assert energy_share(real, altered, Box(top=2, left=3, bottom=3, right=4)) == pytest.approx(0.9)


def test_pictures_of_two_sizes_cannot_be_compared() -> None:
    with pytest.raises(WrongImages, match="same size"):
        psnr(np.zeros((4, 4), np.uint16), np.zeros((4, 5), np.uint16))
    with pytest.raises(WrongImages, match="at least 7 × 7"):
        ssim(np.zeros((4, 4), np.uint16), np.zeros((4, 4), np.uint16))
