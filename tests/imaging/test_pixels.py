"""The pixel path: exact where it can be, never stretched, and nothing in the file but the picture."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from readerstudy.imaging.background import background_level
from readerstudy.imaging.difference import read_signed_difference, signed_difference
from readerstudy.imaging.grey_levels import to_16_bit
from readerstudy.imaging.image import Pixels, UnreadableImage, WrongPixels, quantise
from readerstudy.imaging.png16 import decode_png, encode_png
from readerstudy.imaging.resize import fit, resize
from readerstudy.modalities.mammography.geometry import GEOMETRY

grey16 = hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24))
sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))


def breast_at_left(height: int = 120, width: int = 60, background: int = 700) -> NDArray[np.uint16]:
    """A half disc of tissue at the left border, on air of the given level."""
    rows, columns = np.mgrid[:height, :width]
    inside = np.hypot(rows - height / 2, columns) < 0.8 * width
    return np.where(inside, 30000, background).astype(np.uint16)


def chunk_names(png: bytes) -> list[bytes]:
    names, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        names.append(png[at + 4 : at + 8])
        at += 12 + length
    return names


@given(bits=st.integers(1, 20), data=st.data())
def test_the_bits_set_the_scale_and_not_the_brightest_pixel(bits: int, data: st.DataObject) -> None:
    level = data.draw(st.integers(0, 2**bits - 1))
    (grey,) = to_16_bit(Pixels(np.array([[level]], dtype=np.uint32), bits))[0]
    assert abs(int(grey) - level * 65535 / (2**bits - 1)) <= 0.5


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_sixteen_bits_keep_every_level_of_the_source_apart(bits: int) -> None:
    levels = np.arange(2**bits, dtype=np.uint16).reshape(16, -1)
    grey = to_16_bit(Pixels(levels, bits)).ravel().astype(int)
    assert (grey[0], grey[-1]) == (0, 65535)
    assert (np.diff(grey) > 0).all()


def test_a_value_beyond_its_bits_is_an_error() -> None:
    with pytest.raises(WrongPixels, match="12 bits"):
        to_16_bit(Pixels(np.array([[4096]], dtype=np.uint16), 12))
    with pytest.raises(WrongPixels, match="from -1"):
        to_16_bit(Pixels(np.array([[-1]], dtype=np.int16), 12))


@given(values=grey16)
def test_an_image_survives_its_file_bit_for_bit(values: NDArray[np.uint16]) -> None:
    png = encode_png(values)
    assert np.array_equal(decode_png(png), values)
    assert png == encode_png(values)


def test_a_file_holds_header_pixels_and_end_and_nothing_else(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).integers(0, 65536, (300, 200), dtype=np.uint16)
    png = encode_png(noise)
    assert set(chunk_names(png)) == {b"IHDR", b"IDAT", b"IEND"}
    (tmp_path / "picture.png").write_bytes(png)
    assert np.array_equal(decode_png(tmp_path / "picture.png"), noise)


@pytest.mark.parametrize("damage", [lambda png: png[:-30], lambda png: b"GIF89a" + png, lambda png: b""])
def test_a_damaged_file_is_an_error(damage: object) -> None:
    noise = np.random.default_rng(5).integers(0, 65536, (30, 20), dtype=np.uint16)
    with pytest.raises(UnreadableImage):
        decode_png(damage(encode_png(noise)))


@given(values=grey16, size=sizes)
def test_resizing_gives_the_size_and_repeating_changes_nothing(
    values: NDArray[np.uint16], size: tuple[int, int]
) -> None:
    once = resize(values, size)
    assert once.shape == size
    assert np.array_equal(resize(once, size), once)


@given(level=st.integers(0, 65535), shape=sizes, size=sizes)
def test_an_even_grey_stays_that_grey_at_every_size(level: int, shape: tuple[int, int], size: tuple[int, int]) -> None:
    assert (resize(np.full(shape, level, dtype=np.uint16), size) == level).all()


@given(values=grey16, size=sizes)
def test_an_image_upside_down_is_resized_upside_down(values: NDArray[np.uint16], size: tuple[int, int]) -> None:
    upright, turned = fit(values, size), fit(values[::-1].copy(), size)
    assert np.abs(upright.astype(int) - turned[::-1].astype(int)).max() <= 1


@given(shape=st.tuples(st.integers(50, 400), st.integers(50, 400)))
@settings(max_examples=30)
def test_the_ratio_is_kept_to_half_a_pixel(shape: tuple[int, int]) -> None:
    height, width = fit(np.zeros(shape, dtype=np.uint16), (256, 208)).shape
    scale = min(256 / shape[0], 208 / shape[1])
    assert (height, width) == (256, round(shape[1] * scale)) or (height, width) == (
        round(shape[0] * scale),
        208,
    )


def test_halves_are_rounded_up() -> None:
    halves = np.array([[0.5, 1.5, 2.5, 32768.5, 65534.5, -0.5, -3.0, 70000.0]], dtype=np.float32)
    assert quantise(halves).tolist() == [[1, 2, 3, 32769, 65535, 0, 0, 65535]]
    assert quantise(np.array([[0.5 - 2**-20, 3, 7]])).tolist() == [[0, 3, 7]]


def test_a_resized_image_has_as_many_odd_values_as_even_ones() -> None:
    """Bicubic values in float32 lie exactly half way between two levels in one of several hundred cases."""
    noise = np.random.default_rng(0).normal(34000, 300, (900, 700)).astype(np.uint16)
    odd = np.concatenate([(fit(noise + np.uint16(level), (600, 600)) % 2).ravel() for level in range(8)])
    assert abs(odd.mean() - 0.5) < 4 * 0.5 / np.sqrt(odd.size)


def test_a_disc_stays_round() -> None:
    rows, columns = np.mgrid[:400, :250]
    disc = np.where(np.hypot(rows - 200, columns - 125) < 80, 50000, 1000).astype(np.uint16)
    bright = resize(disc, (256, 208)) > 25000
    assert abs(np.ptp(np.flatnonzero(bright.any(1))) - np.ptp(np.flatnonzero(bright.any(0)))) <= 1


def test_padding_takes_the_level_of_the_air_and_not_black() -> None:
    framed = GEOMETRY.resize(breast_at_left(background=700), (120, 100))
    assert (framed[:, 60:] == 700).all()


def test_the_chest_wall_stays_at_its_border() -> None:
    left = breast_at_left()
    right = left[:, ::-1].copy()
    assert np.array_equal(GEOMETRY.resize(left, (120, 100))[:, :60], left)
    assert np.array_equal(GEOMETRY.resize(right, (120, 100))[:, 40:], right)


def test_a_fogged_border_does_not_hide_the_chest_wall() -> None:
    right = breast_at_left(400, 240)[:, ::-1].copy()
    right[:, :4] = 20000
    right[:, -1] = 0
    assert np.array_equal(GEOMETRY.resize(right, (400, 300))[:, 60:], right)


def test_an_image_without_a_clear_chest_wall_is_centred() -> None:
    image = np.full((120, 60), 300, dtype=np.uint16)
    image[40:80, 20:40] = 30000
    framed = GEOMETRY.resize(image, (120, 100))
    assert np.array_equal(framed[:, 20:80], image)


def test_a_wide_image_is_centred_vertically() -> None:
    wide = breast_at_left(60, 100)
    assert np.array_equal(GEOMETRY.resize(wide, (120, 100))[30:90], wide)


@given(shape=sizes, size=sizes)
def test_a_box_around_the_image_is_its_place_in_the_frame(shape: tuple[int, int], size: tuple[int, int]) -> None:
    place = GEOMETRY.find_placement(np.zeros(shape, dtype=np.uint16), size)
    box = place.to_frame({"top": 0, "left": 0, "bottom": 1, "right": 1})
    assert (place.top, place.left) == (pytest.approx(box["top"] * size[0]), pytest.approx(box["left"] * size[1]))
    assert box["bottom"] * size[0] == pytest.approx(place.top + place.rows)
    assert box["right"] * size[1] == pytest.approx(place.left + place.columns)
    assert max(box.values()) <= 1


def test_the_background_forgives_a_label_and_a_bright_chest_wall() -> None:
    image = breast_at_left(300, 300, background=512)
    image[:40, 240:] = 65535
    assert background_level(image) == 512


def test_fine_stripes_are_averaged_and_do_not_beat() -> None:
    stripes = np.zeros((200, 200), dtype=np.uint16)
    stripes[:, ::2] = 40000
    small = resize(stripes, (50, 50))
    assert np.ptp(small[:, 5:-5].astype(int)) < 400


@given(pair=st.tuples(st.integers(0, 65535), st.integers(0, 65535)))
def test_a_difference_is_symmetric_and_grey_without_a_change(
    pair: tuple[int, int],
) -> None:
    real, adversarial = (np.array([[level]], dtype=np.uint16) for level in pair)
    forth = signed_difference(real, adversarial)
    back = signed_difference(adversarial, real)
    assert int(forth[0, 0]) + int(back[0, 0]) == 2 * 32768
    assert abs(int(read_signed_difference(forth)[0, 0]) - (pair[0] - pair[1])) <= 1
    assert (forth[0, 0] == 32768) == (pair[0] == pair[1])


def test_images_of_two_sizes_have_no_difference() -> None:
    with pytest.raises(WrongPixels, match="cannot be compared"):
        signed_difference(np.zeros((2, 2), np.uint16), np.zeros((2, 3), np.uint16))
