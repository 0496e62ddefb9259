"""Picture quality against scikit-image and against hand-made pictures."""

import json

import numpy as np
import pytest
from skimage import metrics

from readerstudy.imaging.difference import read_signed_difference, signed_difference
from readerstudy.imaging.image import WrongPixels
from readerstudy.imaging.quality import (
    MS_SSIM_WEIGHTS,
    Box,
    changed_boxes,
    changed_regions,
    changed_share,
    energy_share,
    enrichment,
    euclidean,
    greatest_change,
    lesion_boxes,
    measure_quality,
    ms_ssim,
    psnr,
    rms_change,
    ssim,
)


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    real = np.cumsum(rng.normal(size=(48, 40)), axis=1)
    real = ((real - real.min()) / np.ptp(real) * 60_000).astype(np.uint16)
    adversarial = np.clip(real + rng.normal(scale=1500, size=real.shape), 0, 65_535).astype(np.uint16)
    return real, adversarial


def test_psnr_agrees_with_scikit_image(pair: tuple[np.ndarray, np.ndarray]) -> None:
    expected = metrics.peak_signal_noise_ratio(*pair, data_range=65_535)
    assert psnr(*pair) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("window", [7, 11])
def test_ssim_agrees_with_scikit_image(pair: tuple[np.ndarray, np.ndarray], window: int) -> None:
    expected = metrics.structural_similarity(*pair, data_range=65_535, win_size=window)
    assert ssim(*pair, window=window) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("region", [np.s_[:3, :2], np.s_[-1:, -4:], np.s_[20:31, 14:40], np.s_[9:10, 9:10]])
def test_a_change_in_one_place_counts_as_among_all_windows(pair: tuple[np.ndarray, np.ndarray], region: slice) -> None:
    """Windows without a change are not computed: a corner, an edge, the middle, a single pixel."""
    real, adversarial = pair[0], pair[0].copy()
    adversarial[region] = 60_000 - adversarial[region] // 2
    expected = metrics.structural_similarity(real, adversarial, data_range=65_535, win_size=7)
    assert expected < 0.9995
    assert ssim(real, adversarial) == pytest.approx(expected, abs=1e-9)


def test_equal_images_have_perfect_similarity(pair: tuple[np.ndarray, np.ndarray]) -> None:
    real, _ = pair
    assert psnr(real, real) == float("inf")
    assert ssim(real, real) == pytest.approx(1)
    assert energy_share(real, real, Box(0, 0, 5, 5)) == 0


def test_a_change_of_a_ten_thousandth_is_eighty_decibels() -> None:
    real = np.full((10, 10), 30_000, np.uint16)
    adversarial = real.copy()
    adversarial[0, 0] += 65  # mean square 65² / 100; 10 log₁₀(65535² / 42.25) = 80.07
    assert psnr(real, adversarial) == pytest.approx(80.07, abs=0.005)


def test_the_energy_share_counts_squares_inside_the_box() -> None:
    real = np.full((6, 6), 1000, np.uint16)
    adversarial = real.copy()
    adversarial[2, 3] -= 30  # 900 inside
    adversarial[5, 5] += 10  # 100 outside
    assert energy_share(real, adversarial, Box(top=2, left=3, bottom=3, right=4)) == pytest.approx(0.9)


def test_images_of_two_sizes_cannot_be_compared() -> None:
    with pytest.raises(WrongPixels, match="same size"):
        psnr(np.zeros((4, 4), np.uint16), np.zeros((4, 5), np.uint16))
    with pytest.raises(WrongPixels, match="at least 7 × 7"):
        ssim(np.zeros((4, 4), np.uint16), np.zeros((4, 4), np.uint16))


@pytest.fixture
def large() -> tuple[np.ndarray, np.ndarray]:
    """Large enough for five scales, odd on one side."""
    rng = np.random.default_rng(1)
    real = np.cumsum(np.cumsum(rng.normal(size=(193, 180)), axis=1), axis=0)
    real = ((real - real.min()) / np.ptp(real) * 60_000).astype(np.uint16)
    adversarial = np.clip(real + rng.normal(scale=2500, size=real.shape), 0, 65_535).astype(np.uint16)
    return real, adversarial


@pytest.mark.parametrize("region", [np.s_[:, :], np.s_[:9, 170:], np.s_[90:120, 60:90]])
def test_multi_scale_similarity_is_scikit_image_s_at_five_scales(
    large: tuple[np.ndarray, np.ndarray], region: slice
) -> None:
    """Its definition, put together from another implementation's single scales.

    A very large K1 holds the luminance term at 1 and leaves contrast and structure.
    """
    similarity = metrics.structural_similarity
    real, adversarial = large[0], large[0].copy()
    adversarial[region] = large[1][region]
    x, y = real / 65_535, adversarial / 65_535
    how = {"data_range": 1.0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = 1.0
    for number, weight in enumerate(MS_SSIM_WEIGHTS):
        expected *= similarity(x, y, K1=0.01 if number == 4 else 1e6, **how) ** weight
        rows, columns = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
        x, y = (p[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2).mean((1, 3)) for p in (x, y))
    assert 0.2 < expected < 0.99999
    assert ms_ssim(real, adversarial) == pytest.approx(expected, abs=1e-3 * (1 - expected))


def test_equal_images_have_similarity_one_at_all_scales(large: tuple[np.ndarray, np.ndarray]) -> None:
    assert ms_ssim(large[0], large[0]) == pytest.approx(1)
    with pytest.raises(WrongPixels, match="at least 176"):
        ms_ssim(large[0][:100], large[1][:100])


def test_norms_and_changed_area_by_hand() -> None:
    real = np.full((10, 10), 20_000, np.uint16)
    adversarial = real.copy()
    adversarial[0, :4] = [20_001, 19_998, 20_656, 19_000]
    assert greatest_change(real, adversarial) == 1000
    assert euclidean(real, adversarial) == pytest.approx(np.sqrt(1 + 4 + 656**2 + 1000**2) / 65_535)
    assert changed_share(real, adversarial) == 0.03
    assert changed_share(real, adversarial, above=655) == 0.02


def test_the_change_in_the_region_by_hand() -> None:
    real = np.full((8, 8), 20_000, np.uint16)
    adversarial = real.copy()
    adversarial[0, :2] += 3000
    adversarial[7] += 9000  # outside
    region = np.zeros((8, 8), dtype=bool)
    region[:4] = True
    assert rms_change(real, adversarial, region) == pytest.approx(np.sqrt(2 * 3000**2 / 32) / 65_535)
    assert rms_change(real, adversarial, np.zeros((8, 8), dtype=bool)) == 0


def test_regions_are_connected_areas_without_their_grain() -> None:
    real = np.full((64, 48), 20_000, np.uint16)
    adversarial = real.copy()
    adversarial[4:16, 4:16] += 2000
    adversarial[40:56, 20:28] -= 2000
    assert changed_regions(real, adversarial) == 2
    adversarial[30:34, 42:46] += 2000  # the size of one block, across four of them
    assert changed_regions(real, adversarial) == 2
    grain = np.random.default_rng(1).integers(-600, 600, real.shape)
    assert changed_regions(real, (real + grain).astype(np.uint16)) == 0
    adversarial[16:40, 10:22] += 2000
    assert changed_regions(real, adversarial) == 1  # brighter and darker areas that touch
    assert changed_regions(real, real) == 0


def test_boxes_enclose_the_changed_areas_the_largest_first() -> None:
    change = np.zeros((64, 48), dtype=np.int32)
    change[8:16, 4:12] = 3000  # 2 × 2 blocks
    change[32:44, 20:40] = -3000  # 3 × 5 blocks, darker
    change[60:64, 0:4] = 3000  # a single block
    change[0:4, 44:48] = 100  # below a hundredth
    assert changed_boxes(change) == (Box(32, 20, 44, 40), Box(8, 4, 16, 12))
    assert changed_boxes(np.zeros((64, 48), dtype=np.int32)) == ()
    assert changed_boxes(np.full((3, 3), 3000, dtype=np.int32)) == ()  # one block: no area


def test_the_box_of_a_slanting_area_encloses_all_of_it() -> None:
    change = np.zeros((64, 64), dtype=np.int32)
    for step in range(4):
        change[8 + 4 * step : 16 + 4 * step, 8 + 4 * step : 16 + 4 * step] = 3000
    assert changed_boxes(change) == (Box(8, 8, 28, 28),)


def test_a_stored_difference_has_the_boxes_of_its_images() -> None:
    rng = np.random.default_rng(4)
    real = rng.integers(10_000, 40_000, (64, 48)).astype(np.uint16)
    adversarial = real.copy()
    adversarial[8:20, 8:24] += 2001
    adversarial[40:52, 4:12] -= 1999
    change = adversarial.astype(np.int32) - real
    assert changed_boxes(-read_signed_difference(signed_difference(real, adversarial))) == changed_boxes(change)
    assert len(changed_boxes(change)) == changed_regions(real, adversarial) == 2


def test_a_change_of_the_lesion_alone_is_enriched_by_its_size() -> None:
    real = np.full((20, 20), 20_000, np.uint16)
    adversarial = real.copy()
    box = Box(2, 2, 6, 6)
    adversarial[2:6, 2:6] += 500
    breast = np.zeros((20, 20), dtype=bool)
    breast[:10] = True
    assert enrichment(real, adversarial, box) == pytest.approx(400 / 16)
    assert enrichment(real, adversarial, box, region=breast) == pytest.approx(200 / 16)
    adversarial[:10] = 20_500
    assert enrichment(real, adversarial, box, region=breast) == pytest.approx(1)


def test_two_boxes_that_overlap_are_counted_once() -> None:
    real = np.full((8, 8), 1000, np.uint16)
    adversarial = real + np.uint16(10)
    assert energy_share(real, adversarial, Box(0, 0, 4, 4), Box(0, 0, 4, 4)) == pytest.approx(16 / 64)


def test_a_lesion_s_shares_become_pixels_of_any_resolution() -> None:
    lesion = {"top": 0.25, "left": 0.5, "bottom": 0.5, "right": 0.75}
    assert lesion_boxes([lesion], (1728, 1408)) == (Box(432, 704, 864, 1056),)
    assert lesion_boxes([lesion], (1024, 832)) == (Box(256, 416, 512, 624),)
    assert lesion_boxes([{"top": 1.0, "left": 0.0, "bottom": 1.0, "right": 0.0}], (10, 10)) == (Box(9, 0, 10, 1),)


def test_quality_measures_can_be_written_as_json(large: tuple[np.ndarray, np.ndarray]) -> None:
    real, adversarial = large
    lesion = {"top": 0.2, "left": 0.2, "bottom": 0.4, "right": 0.4}
    breast = np.ones(real.shape, dtype=bool)
    breast[0] = False
    figures = measure_quality(real, adversarial, lesions=[lesion], region=breast)
    assert figures["psnr_db"] == pytest.approx(psnr(real, adversarial))
    assert figures["rms_in_region_share"] == pytest.approx(rms_change(real, adversarial, breast))
    assert figures["changed_regions"] == changed_regions(real, adversarial)
    assert figures["changed_outside_share"] == pytest.approx((real[0] != adversarial[0]).sum() / real.size)
    assert 0.5 < figures["lesion_enrichment"] < 2
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    equal = measure_quality(real, real)
    assert "psnr_db" not in equal
    assert "lesion_energy_share" not in equal
    assert equal["linf_levels"] == equal["changed_share"] == 0
