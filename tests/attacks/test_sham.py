"""The sham: the steps of an attack with a change that nobody can see."""

import numpy as np
import pytest

from attacks.constraints.post_processing import NO_POST_PROCESSING, PostProcessing
from attacks.constraints.sham import LARGEST_CHANGE, Sham
from readerstudy.imaging.grey_levels import bit_depth_levels, to_16_bit
from readerstudy.imaging.image import Pixels
from readerstudy.modalities.mammography.breast_mask import breast_weight
from readerstudy.modalities.mammography.geometry import GEOMETRY
from tests import make

KEPT = PostProcessing(GEOMETRY)
GRID = (48, 39)


@pytest.fixture(scope="module")
def smooth() -> np.ndarray:
    """A breast of 16 bits on black."""
    noise = np.random.default_rng(0).integers(-7, 8, (192, 156))
    real = to_16_bit(Pixels(make.drawn(1, size=(192, 156)).values, 12)).astype(np.int64)
    return np.where(real > 2000, real + noise, 0).astype(np.uint16)


def changed(real: np.ndarray, sham: np.ndarray) -> np.ndarray:
    return np.abs(sham.astype(np.int64) - real)


def test_a_sham_changes_the_breast_by_a_few_levels(smooth: np.ndarray) -> None:
    sham = Sham(GRID, KEPT)(smooth)
    change, weight = changed(smooth, sham), breast_weight(smooth)
    assert sham.dtype == np.uint16
    assert sham.shape == smooth.shape
    assert change.max() <= LARGEST_CHANGE
    assert (change[weight == 1] > 0).mean() > 0.7
    assert not change[(weight == 0) | (smooth == 0)].any()
    assert sham.max() <= smooth.max()


def test_a_sham_depends_on_the_image(smooth: np.ndarray) -> None:
    sham = Sham(GRID, KEPT)
    assert np.array_equal(sham(smooth), sham(smooth))
    other = np.roll(smooth, 1, axis=0)
    difference = sham(smooth).astype(int) - smooth, np.roll(sham(other).astype(int) - other, -1, axis=0)
    assert not np.array_equal(*difference)


@pytest.mark.parametrize("bits", [8, 12])
def test_a_sham_changes_a_coarse_grid_by_one_level(bits: int) -> None:
    values = make.drawn(1, size=(192, 156)).values
    real = to_16_bit(Pixels((values >> (12 - bits)).astype(np.uint16), bits))
    levels = bit_depth_levels(bits).astype(np.int64)
    sham = Sham(GRID, KEPT)(real)
    assert np.isin(sham, levels).all()
    assert 0 < changed(real, sham).max() <= np.diff(levels).max()


def test_the_change_is_smooth_on_the_network_s_grid(smooth: np.ndarray) -> None:
    bare = Sham((6, 5), NO_POST_PROCESSING)(smooth).astype(int) - smooth
    inside = bare[smooth > 2000]
    assert abs(inside).max() <= LARGEST_CHANGE
    rows = np.diff(np.where(smooth > 2000, bare, 0), axis=0)
    assert np.abs(rows[(smooth[1:] > 2000) & (smooth[:-1] > 2000)]).max() <= 3
