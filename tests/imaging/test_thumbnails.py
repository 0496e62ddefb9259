"""8-bit images for pages: windows, differences, triptychs and their files."""

import io

import numpy as np
import pytest
from PIL import Image

from readerstudy.imaging.image import UnreadableImage, WrongPixels
from readerstudy.imaging.png16 import encode_png
from readerstudy.imaging.thumbnails import (
    Window,
    choose_window,
    difference_image,
    encode_jpeg,
    read_small,
)
from readerstudy.modalities.mammography.breast_mask import breast_weight
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from tests.modalities.mammography.phantoms import left_breast

render_image, render_triptych = MAMMOGRAPHY.small_pictures.image, MAMMOGRAPHY.small_pictures.triptych


def with_lesion(real: np.ndarray, *, size: int, levels: int) -> np.ndarray:
    """Return the image with a brighter square of `size` pixels."""
    adversarial = real.copy()
    adversarial[100 : 100 + size, 20 : 20 + size] += np.uint16(levels)
    return adversarial


def test_a_window_spreads_its_levels_and_clips_the_others():
    values = np.array([[0, 1000, 1500, 2000, 65535]], np.uint16)
    assert Window(1000, 2000).apply(values).tolist() == [[0, 0, 128, 255, 255]]


def test_the_window_is_that_of_the_breast_and_ignores_the_air():
    real = left_breast()
    window = choose_window(real, breast_weight)
    inside = real[breast_weight(real) > 0.5]
    assert inside.min() <= window.low < window.high <= inside.max()
    brighter_air = np.where(breast_weight(real) == 0, 400, real).astype(np.uint16)
    assert choose_window(brighter_air, lambda _values: breast_weight(real)) == window
    # Brighter air moves the outline of the breast a little, and with it the darkest levels below the skin.
    shifted = choose_window(brighter_air, breast_weight)
    width = window.high - window.low
    assert (shifted.low, shifted.high) == pytest.approx((window.low, window.high), abs=0.01 * width)


def test_a_uniform_image_has_a_window_of_one_level():
    window = choose_window(np.full((40, 30), 5000, np.uint16), breast_weight)
    assert (window.low, window.high) == (5000, 5001)


@pytest.mark.parametrize("size", [4, 12, 40])
def test_a_small_lesion_has_the_scale_of_its_own_change(size):
    real = left_breast()
    difference = difference_image(real, with_lesion(real, size=size, levels=900))
    assert difference.scale == 900
    assert (difference.values == 0).sum() == size**2
    assert np.isin(difference.values, (0, 128)).all()


def test_equal_images_have_a_grey_difference():
    difference = difference_image(left_breast(), left_breast())
    assert difference.scale == 1
    assert (difference.values == 128).all()


def test_a_few_extreme_pixels_do_not_set_the_scale():
    real = left_breast()
    adversarial = with_lesion(real, size=40, levels=900)
    adversarial[120, 30] = 65535
    assert difference_image(real, adversarial).scale < 1000


def test_both_images_of_a_triptych_have_the_real_ones_window():
    real = left_breast()
    adversarial = with_lesion(real, size=40, levels=20_000)
    triptych = render_triptych(real, adversarial)
    unchanged = real == adversarial
    assert np.array_equal(triptych.real, render_image(real))
    assert np.array_equal(triptych.real[unchanged], triptych.adversarial[unchanged])
    assert not np.array_equal(triptych.adversarial, render_image(adversarial))


def test_mirroring_exchanges_left_and_right_of_all_panels():
    real = left_breast()
    adversarial = with_lesion(real, size=20, levels=900)
    shown, mirrored = (render_triptych(real, adversarial, is_mirrored=flag) for flag in (False, True))
    assert np.array_equal(mirrored.real, shown.real[:, ::-1])
    assert np.array_equal(mirrored.adversarial, shown.adversarial[:, ::-1])
    assert np.array_equal(mirrored.difference.values, shown.difference.values[:, ::-1])
    assert mirrored.difference.scale == shown.difference.scale
    assert np.array_equal(render_image(real, is_mirrored=True), shown.real[:, ::-1])


def test_images_of_two_sizes_have_no_triptych():
    with pytest.raises(WrongPixels, match="cannot be compared"):
        render_triptych(left_breast(), left_breast()[:-1])


def test_a_small_copy_keeps_its_shape_and_is_never_enlarged(tmp_path):
    real = left_breast()
    path = tmp_path / "image.png"
    path.write_bytes(encode_png(real))
    assert read_small(path, largest=64).shape == (64, round(64 * real.shape[1] / real.shape[0]))
    assert np.array_equal(read_small(path, largest=4000), real)


def test_a_damaged_file_has_no_small_copy(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(encode_png(left_breast())[:-40])
    with pytest.raises(UnreadableImage, match=r"image\.png"):
        read_small(path, largest=64)


def test_a_jpeg_shows_the_image_and_better_quality_is_closer():
    values = render_image(left_breast())
    errors = []
    for quality in (40, 90):
        with Image.open(io.BytesIO(encode_jpeg(values, quality=quality))) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "L", values.shape[::-1])
            errors.append(np.abs(np.asarray(image).astype(int) - values).mean())
    assert errors[1] < errors[0] < 10
