"""Pictures keep to the grey levels of their source, real and adversarial alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.cohort.prepare import prepare
from readerstudy.imaging.grey_levels import bit_depth_levels, find_levels, snap_to_levels, snap_to_source, to_16_bit
from readerstudy.imaging.image import Pixels
from readerstudy.imaging.png16 import decode_png
from tests import make


def grain(bits: int, seed: int = 1, size: tuple[int, int] = (256, 208)) -> np.ndarray:
    """Smooth grain over the middle of the range, in the source's own numbers."""
    values = np.random.default_rng(seed).normal(0.5, 0.1, size) * 2**bits
    return np.clip(values, 0, 2**bits - 1).astype(np.uint16)


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_the_levels_of_an_image_are_those_of_its_bits(bits: int) -> None:
    levels = find_levels(to_16_bit(Pixels(grain(bits), bits)))
    # A image of more bits that happens to use coarse levels only is a coarser image.
    assert levels.size == 2**bits
    assert np.array_equal(levels, bit_depth_levels(bits))


def test_a_smooth_image_may_use_all_levels() -> None:
    assert find_levels(grain(16)).size == 65536
    assert find_levels(grain(16, size=(40, 30))).size == 65536


def test_a_comb_of_another_kind_is_kept_as_it_is() -> None:
    shifted = grain(12) << 4  # 12 bits moved up, without a word of it in the file
    levels = find_levels(shifted)
    assert np.array_equal(levels, np.unique(shifted))


@settings(max_examples=30)
@given(bits=st.integers(1, 16), level=st.integers(0, 65535))
def test_a_pixel_goes_to_the_nearest_level(bits: int, level: int) -> None:
    levels = bit_depth_levels(bits)
    (snapped,) = snap_to_levels(np.array([[level]], np.uint16), levels)[0]
    assert snapped in levels
    assert abs(int(snapped) - level) == np.abs(levels.astype(int) - level).min()


def test_an_adversarial_image_has_the_levels_of_its_source() -> None:
    real = to_16_bit(Pixels(grain(12), 12))
    real[:20], real[-20:] = 0, 65535
    adversarial = np.clip(real * 1.3 + 37, 0, 65535).astype(np.uint16)
    adversarial[100:110] = 3
    snapped_image = snap_to_source(real, adversarial)
    assert np.isin(snapped_image, bit_depth_levels(12)).all()
    assert np.array_equal(snapped_image == 0, real == 0)
    assert np.array_equal(snapped_image == 65535, real == 65535)
    # Half of the step, and the last level below white.
    assert np.abs(snapped_image.astype(int) - adversarial)[25:90].max() <= 16
    assert np.array_equal(snap_to_source(real, real), real)


@pytest.mark.parametrize(("bits", "levels"), [(None, 256), (16, 65536)])
def test_a_resized_image_keeps_to_the_levels_of_its_source_or_of_the_bits_asked_for(bits: int, levels: int) -> None:
    source = make.source(3, "patient", "benign")
    image = Pixels(grain(8, size=(300, 200)), 8)
    object.__setattr__(source, "load", lambda: image)
    stored = decode_png(prepare(source, modality="MG", sizes={"low": (1024, 832)}, bits=bits).pngs["low"])
    assert stored.shape == (1024, 832)
    assert find_levels(stored).size == levels
