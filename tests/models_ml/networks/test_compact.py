"""The local contrast of compact networks: against its definition, its symmetries and its derivatives."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from models_ml.networks import build
from models_ml.networks.compact import subtract_surround
from models_ml.presets import PRESETS

SIZES = pytest.mark.parametrize("size", [3, 9])


def picture(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def literal(image: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Each pixel of an image (H, W) minus the mean of those pixels of its window that lie inside the image."""
    half = size // 2
    contrast = np.empty_like(image)
    for row, column in np.ndindex(image.shape):
        window = image[max(0, row - half) : row + half + 1, max(0, column - half) : column + half + 1]
        contrast[row, column] = image[row, column] - window.mean()
    return contrast


@SIZES
def test_local_contrast_is_a_pixel_minus_the_mean_of_its_window(size) -> None:
    images = picture(2, 3, 14, 11)
    contrast = subtract_surround(images, size).numpy()
    for image, channel in np.ndindex(2, 3):
        expected = literal(images[image, channel].numpy(), size)
        np.testing.assert_allclose(contrast[image, channel], expected, rtol=0, atol=1e-12)


def test_away_from_the_border_it_is_scipy_s_uniform_filter() -> None:
    image = picture(1, 1, 40, 30)
    expected = image[0, 0].numpy() - uniform_filter(image[0, 0].numpy(), 9)
    contrast = subtract_surround(image, 9)[0, 0].numpy()
    np.testing.assert_allclose(contrast[4:-4, 4:-4], expected[4:-4, 4:-4], rtol=0, atol=1e-12)


@SIZES
def test_an_added_constant_changes_no_pixel_even_at_the_border(size) -> None:
    images = picture(2, 1, 16, 12)
    torch.testing.assert_close(subtract_surround(images + 3.7, size), subtract_surround(images, size))
    assert subtract_surround(torch.full((1, 1, 16, 12), 0.4), size).abs().max() < 1e-6


@SIZES
def test_an_added_slope_changes_pixels_near_the_border_only(size) -> None:
    images, half = picture(1, 1, 30, 26), size // 2
    rows, columns = np.mgrid[:30, :26]
    slope = torch.from_numpy(0.3 * rows - 0.2 * columns)
    change = subtract_surround(images + slope, size) - subtract_surround(images, size)
    assert change[..., half:-half, half:-half].abs().max() < 1e-12
    assert change[..., 0, half:-half].abs().min() > 0.1


def test_contrast_grows_with_the_range_of_grey_levels_and_moves_with_the_image() -> None:
    images = picture(1, 1, 40, 40)
    contrast = subtract_surround(images, 9)
    torch.testing.assert_close(subtract_surround(-2.5 * images, 9), -2.5 * contrast)
    moved = subtract_surround(images.roll((3, 5), dims=(2, 3)), 9).roll((-3, -5), dims=(2, 3))
    torch.testing.assert_close(moved[..., 8:-8, 9:-9], contrast[..., 8:-8, 9:-9])


def test_its_derivatives_of_both_orders_are_those_of_finite_differences() -> None:
    images = picture(1, 2, 7, 6).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: subtract_surround(values, 5), images)
    assert torch.autograd.gradgradcheck(lambda values: subtract_surround(values, 5) ** 2, images)


def test_a_surround_of_zero_leaves_the_image_as_it_is() -> None:
    images = picture(1, 1, 5, 5)
    assert subtract_surround(images, 0) is images


def test_the_compact_preset_scores_images_without_regard_to_their_brightness() -> None:
    config = PRESETS["compact"].classifier
    assert config.compact.surround == 9
    images = picture(2, 1, 128, 128).float()
    net = build(config).eval()
    plain = build(replace(config, compact=replace(config.compact, surround=0))).eval()
    plain.load_state_dict(net.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(net.score(images + 0.5), net.score(images), rtol=0, atol=1e-4)
        assert (plain.score(images + 0.5) - plain.score(images)).abs().max() > 1e-2
