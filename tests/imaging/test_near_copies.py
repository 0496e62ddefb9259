"""Near-copies: copies are found whatever was done to them, and pictures of one standard view are distinguished."""

import io
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from readerstudy.imaging import near_copies
from readerstudy.imaging.hash_index import FARTHEST, MOST_CANDIDATES, HashIndex
from readerstudy.imaging.near_copies import MIRRORED, distance, is_near_copy, sign, words_of
from readerstudy.modalities.mammography.phantom import render, sample_cohort

SIZE = (512, 416)


@cache
def pictures() -> tuple[np.ndarray, ...]:
    """Return all views of four phantom patients."""
    return tuple(render(view, SIZE).values for view in sample_cohort(4, seed=3))


def slice_of_a_head(number: int, side: int = 256) -> np.ndarray:
    """Draw a round picture whose outline is nearly the same for every number; they differ in texture."""
    rng = np.random.default_rng(number)
    y, x = (np.mgrid[0:side, 0:side] - side / 2) / side
    radius = np.hypot(x / (0.36 * rng.normal(1, 0.02)), y / (0.44 * rng.normal(1, 0.02)))
    picture = 0.9 * np.exp(-(((radius - 1) / 0.04) ** 2)) + 0.45 * (radius < 0.95)
    picture -= 0.25 * np.exp(-(((np.abs(x) - 0.06) / 0.03) ** 2 + (y / 0.12) ** 2))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side) * side, np.fft.fftfreq(side) * side))
    noise = np.fft.fft2(rng.normal(size=(side, side))) / np.maximum(frequency, 3) ** 1.5
    texture = np.fft.ifft2(noise).real
    picture += 0.03 * texture / texture.std() * (radius < 0.95) + 0.01 * rng.normal(size=picture.shape)
    return np.clip(picture * 45000 + 1000, 0, 65535).astype(np.uint16)


def jpeg(values: np.ndarray) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray((values >> 8).astype(np.uint8)).save(stream, "JPEG", quality=80)
    return np.asarray(Image.open(stream)).astype(np.uint16) * 257


def scaled(values: np.ndarray) -> np.ndarray:
    size = (round(0.9 * values.shape[1]), round(0.9 * values.shape[0]))
    resized = Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(resized), 0, 65535).astype(np.uint16)


def noisy(values: np.ndarray) -> np.ndarray:
    noise = 0.01 * 65535 * np.random.default_rng(1).standard_normal(values.shape)
    return np.clip(values + noise, 0, 65535).astype(np.uint16)


CHANGES = {
    "8 bits": lambda values: (values >> 8) * np.uint16(257),
    "scaled": scaled,
    "left cropped": lambda values: values[:, round(0.02 * values.shape[1]) :],
    "right cropped": lambda values: values[:, : -round(0.02 * values.shape[1])],
    "top cropped": lambda values: values[round(0.02 * values.shape[0]) :],
    "bottom cropped": lambda values: values[: -round(0.02 * values.shape[0])],
    "darker": lambda values: (65535 * (values / 65535) ** 1.4).astype(np.uint16),
    "more contrast": lambda values: (65535 * np.clip(1.3 * values / 65535 - 0.05, 0, 1)).astype(np.uint16),
    "JPEG": jpeg,
    "noise": noisy,
    "mirrored": lambda values: values[:, ::-1],
    "mirrored, cropped, JPEG": lambda values: jpeg(values[5:, 5:][:, ::-1]),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("draw", [lambda: pictures()[0], lambda: slice_of_a_head(1)], ids=["phantom", "head"])
def test_a_changed_copy_is_a_candidate_and_a_near_copy(draw, change):
    original = draw()
    copy = sign(CHANGES[change](original))
    index = HashIndex()
    for other in (*pictures()[1:], original, *map(slice_of_a_head, range(2, 8))):
        number = index.add(sign(other).words)
        if other is original:
            wanted = number
    assert wanted in index.candidates(copy.words)
    assert is_near_copy(sign(original), copy)


def test_views_of_one_person_and_of_others_are_no_copies():
    signatures = [sign(values) for values in pictures()]
    assert max(one.correlation(other) for one, other in combinations(signatures, 2)) < 0.6


def test_pictures_of_the_same_outline_are_distinguished_by_texture():
    signatures = [sign(slice_of_a_head(number)) for number in range(8)]
    assert max(one.correlation(other) for one, other in combinations(signatures, 2)) < near_copies.NEAR


def test_correlation_does_not_depend_on_which_is_first():
    one, other = sign(pictures()[0]), sign(CHANGES["top cropped"](pictures()[0]))
    assert one.correlation(other) == pytest.approx(other.correlation(one), abs=0.01)


@pytest.mark.parametrize("level", [0, 30000])
def test_a_picture_without_contrast_has_no_signature(level):
    assert sign(np.full((64, 52), level, dtype=np.uint16)) is None


def test_the_hash_of_a_mirrored_picture_differs_by_a_fixed_mask():
    original = sign(pictures()[0])
    mirrored = sign(pictures()[0][:, ::-1])
    assert distance(original.words, mirrored.words) > 100
    assert distance(original.words, mirrored.words ^ MIRRORED) <= 4


def test_a_hash_survives_being_written_as_text():
    signature = sign(pictures()[0])
    assert len(signature.text) == 64
    assert (words_of(signature.text) == signature.words).all()
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        words_of("00ff")


def test_a_search_returns_the_nearest_first_and_nothing_too_far():
    index = HashIndex()
    hashes = [np.array([(1 << bits) - 1, 0, 0, 0], dtype=np.uint64) for bits in (40, 3, 0, 20)]
    far = np.array([2**64 - 1, 255, 0, 0], dtype=np.uint64)
    for words in (*hashes, far):
        index.add(words)
    assert distance(far, hashes[2]) > FARTHEST
    assert index.candidates(hashes[2])[:4] == [2, 1, 3, 0]
    assert 4 not in index.candidates(hashes[2])


def test_a_search_returns_a_bounded_number_however_alike_all_are():
    index = HashIndex()
    for number in range(3000):
        assert index.add(np.array([number % 7, 0, 0, 0], dtype=np.uint64)) == number
    assert len(index) == 3000
    assert len(index.candidates(np.zeros(4, dtype=np.uint64))) == MOST_CANDIDATES
