"""Planted artefacts of processing are found by the facts of the pixels, and named; clean pictures are at chance."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from readerstudy.imaging.grey_levels import to_16_bit
from readerstudy.imaging.image import Pixels
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.statistics.separability import feature_auc, separability
from tests import make

pixel_facts = MAMMOGRAPHY.pixel_facts

Film = NDArray[np.uint16]
COUNT = 24
LABELS = np.arange(COUNT) % 2


def film(number: int) -> Film:
    """A synthetic breast of 12 bits on exact black, with a few levels of dust."""
    values = make.drawn(number, size=(192, 156)).values.copy()
    values[values < 600] = 0
    dust = np.random.default_rng(number).random(values.shape) < 0.01
    values[dust & (values == 0)] = 3
    return to_16_bit(Pixels(values, 12))


def as_it_is(picture: Film) -> Film:
    return picture


def grey_background(picture: Film) -> Film:
    return np.maximum(picture, 48)


def without_comb(picture: Film) -> Film:
    """The gaps between the levels filled, as by a network or by resizing."""
    blur = np.random.default_rng(0).integers(-8, 9, picture.shape)
    return np.where(picture > 2000, np.clip(picture + blur, 0, 65535), picture).astype(np.uint16)


def bright_border(picture: Film) -> Film:
    """A line of grey as wide as the picture, as a network with zero padding leaves it."""
    framed = picture.copy()
    framed[:, -1] = 20000
    return framed


def smoothed(picture: Film) -> Film:
    mean = (picture[:, 1:].astype(np.int64) + picture[:, :-1]) // 2
    return np.hstack([mean, picture[:, -1:]]).astype(np.uint16)


def saturated(picture: Film) -> Film:
    return np.where(picture > 45000, 65535, picture).astype(np.uint16)


def rounded_to_even(picture: Film) -> Film:
    """Every fifth odd value made even, as rounding of halves to even does to a few."""
    chosen = np.random.default_rng(0).random(picture.shape) < 0.2
    return np.where(chosen & (picture > 2000), picture - picture % 2, picture).astype(np.uint16)


def facts_with(plant: Callable[[Film], Film]) -> dict[str, NDArray[np.float64]]:
    rows = [pixel_facts(plant(film(number)) if LABELS[number] else film(number)) for number in range(COUNT)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize(
    ("plant", "telling"),
    [
        (grey_background, {"minimum", "exact zeros", "exact zeros in the air", "background level", "grey of the air"}),
        (without_comb, {"comb in the histogram", "distinct values", "levels of its grid"}),
        (bright_border, {"border step"}),
        (smoothed, {"noise in the tissue"}),
        (saturated, {"maximum", "full white"}),
        (rounded_to_even, {"odd values in the tissue"}),
    ],
)
def test_a_planted_artefact_is_found_and_named(plant: Callable[[Film], Film], telling: set[str]) -> None:
    facts = facts_with(plant)
    told = separability(np.stack(list(facts.values()), axis=1), LABELS, rng=np.random.default_rng(1), permutations=199)
    assert told.auc > 0.95
    assert told.p < 0.02
    certain = {name for name, values in facts.items() if abs(feature_auc(values, LABELS) - 0.5) > 0.45}
    assert telling <= certain


def test_images_of_one_kind_cannot_be_distinguished() -> None:
    facts = facts_with(as_it_is)
    told = separability(np.stack(list(facts.values()), axis=1), LABELS, rng=np.random.default_rng(1), permutations=199)
    assert told.p > 0.05


def test_last_bits_are_even_where_all_are_as_likely_and_uneven_on_a_coarse_grid() -> None:
    smooth = np.random.default_rng(3).normal(30000, 1000, (400, 300)).astype(np.uint16)
    assert pixel_facts(smooth)["odd values in the tissue"] == pytest.approx(0.5, abs=0.01)
    assert pixel_facts(smooth)["unevenness of the last three bits"] < 0.001
    coarse = pixel_facts(smooth // 8 * 8)
    assert coarse["odd values in the tissue"] == 0
    assert coarse["unevenness of the last three bits"] == pytest.approx(7)


def test_every_fact_that_the_audit_promises_is_there() -> None:
    named = {"minimum", "maximum", "distinct values", "comb in the histogram", "exact zeros", "border step", "entropy"}
    assert named | {"noise in the tissue", "noise in the air"} <= set(pixel_facts(film(1)))


def test_facts_of_flat_and_of_tiny_pictures_are_numbers() -> None:
    for picture in (np.zeros((64, 52), np.uint16), np.full((8, 8), 65535, np.uint16)):
        assert np.isfinite(list(pixel_facts(picture).values())).all()


def test_comb_is_zero_if_all_levels_are_equally_likely() -> None:
    smooth = np.random.default_rng(3).normal(30000, 1000, (1000, 500)).astype(np.uint16)
    combed = (smooth // 16 * 16).astype(np.uint16)
    assert pixel_facts(smooth)["comb in the histogram"] < 0.15
    assert pixel_facts(combed)["comb in the histogram"] > 1.5
