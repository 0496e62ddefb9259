"""The body in phantoms, in damaged phantoms, and in images without air."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from readerstudy.modalities.chest_radiography.phantom import render, sample_patients
from readerstudy.modalities.chest_radiography.region import body_weight

Grey16 = NDArray[np.uint16]
SIDE = 384
CROP = np.s_[80:300, 90:300]  # inside the body: lungs, heart and spine reach the borders


@cache
def phantoms() -> list[Grey16]:
    return [render(view, (SIDE, SIDE)).values for view in sample_patients(6, seed=5)]


def framed(image: Grey16, level: int, width: int = 40) -> Grey16:
    return np.pad(image, width, constant_values=level)


def test_the_weight_is_one_in_the_body_and_zero_in_air() -> None:
    for image in phantoms():
        weight = body_weight(image)
        assert weight.dtype == np.float32
        assert weight.shape == image.shape
        assert (weight.min(), weight.max()) == (0, 1)
        assert weight[image < 1200].mean() < 0.03
        assert (weight[CROP] == 1).all()
        assert (weight[-1, 150:230] == 1).all()  # where the border cuts the body off


def test_the_seam_is_soft() -> None:
    for image in phantoms():
        weight = body_weight(image)
        assert np.abs(np.diff(weight, axis=0)).max() < 0.3
        assert np.abs(np.diff(weight, axis=1)).max() < 0.3


def test_a_label_in_the_air_is_not_body() -> None:
    for image in phantoms():
        labelled = image.copy()
        labelled[8:26, 6:20] = 60000
        assert (body_weight(labelled)[8:26, 6:20] == 0).all()
        assert np.abs(body_weight(labelled) - body_weight(image)).mean() < 0.01


@pytest.mark.parametrize("level", [0, 65535], ids=["black", "white"])
def test_a_collimated_border_is_not_body(level: int) -> None:
    for image in phantoms():
        weight = body_weight(framed(image, level))
        inner = weight[40:-40, 40:-40]
        assert weight[:36].max() == weight[-36:].max() == weight[:, :36].max() == weight[:, -36:].max() == 0
        assert (inner[CROP] == 1).all()
        assert inner[image < 1200].mean() < 0.03


@pytest.mark.parametrize("level", [0, 65535], ids=["black", "white"])
def test_a_border_around_an_image_without_air_is_not_body(level: int) -> None:
    for image in phantoms():
        weight = body_weight(framed(image[CROP], level))
        assert weight[:36].max() == weight[:, -36:].max() == 0
        assert (weight[52:-52, 52:-52] == 1).all()


def test_a_border_on_one_side_and_a_border_of_a_border_are_not_body() -> None:
    for image in phantoms():
        one_side = np.pad(image[CROP], ((0, 0), (30, 0)))
        nested = framed(framed(image[CROP], 65535, 14), 0, 14)
        assert body_weight(one_side)[:, :27].max() == 0
        assert (body_weight(one_side)[:, 45:] == 1).all()
        assert body_weight(nested)[:25].max() == 0
        assert (body_weight(nested)[42:-42, 42:-42] == 1).all()


def test_an_inverted_image_has_the_same_body() -> None:
    for image in phantoms():
        assert np.abs(body_weight(65535 - image) - body_weight(image)).mean() < 0.01


def test_a_noisy_image_has_the_same_body() -> None:
    for number, image in enumerate(phantoms()):
        noise = np.random.default_rng(number).normal(0, 1500, image.shape)
        noisy = np.clip(image + noise, 0, 65535).astype(np.uint16)
        assert np.abs(body_weight(noisy) - body_weight(image)).mean() < 0.03


def test_a_body_that_fills_the_image_has_weight_one() -> None:
    for image in phantoms():
        assert (body_weight(image[CROP]) == 1).all()
        assert (body_weight(65535 - image[CROP]) == 1).all()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((SIDE, SIDE), np.uint16),
        np.full((SIDE, SIDE), 30000, np.uint16),
        np.full((1, 1), 7, np.uint16),
        np.arange(2, dtype=np.uint16)[None] * 60000,
    ],
    ids=["black", "grey", "one pixel", "two pixels"],
)
def test_an_image_without_a_body_has_weight_one(image: Grey16) -> None:
    assert (body_weight(image) == 1).all()


def test_images_of_other_shapes_have_a_weight_of_their_shape() -> None:
    for image in phantoms()[:2]:
        wide = np.hstack([image[:200], image[:200, ::-1]])
        assert body_weight(wide).shape == wide.shape
