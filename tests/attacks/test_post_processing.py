"""The steps after the network, each alone."""

from dataclasses import replace

import numpy as np
import pytest

from attacks.constraints.post_processing import NO_POST_PROCESSING, STEPS, PostProcessing
from readerstudy.imaging.geometry import PLAIN
from readerstudy.imaging.grey_levels import bit_depth_levels, find_levels
from readerstudy.modalities.mammography.breast_mask import breast_weight
from readerstudy.modalities.mammography.geometry import GEOMETRY
from tests.attacks.test_gradient_attack import make_image


@pytest.fixture
def real() -> np.ndarray:
    return make_image(3, bits=12)


def only(step: str) -> PostProcessing:
    return replace(NO_POST_PROCESSING, geometry=GEOMETRY, **{step: True})


def test_a_step_that_is_not_named_is_on():
    assert (
        PostProcessing.from_settings({}, GEOMETRY)
        == PostProcessing(GEOMETRY)
        == PostProcessing(GEOMETRY, True, True, True)
    )
    assert PostProcessing.from_settings({"keep_grid": False, "seed": 3}, GEOMETRY) == PostProcessing(
        GEOMETRY, keep_grid=False
    )
    assert PostProcessing.from_settings(dict.fromkeys(STEPS, False), PLAIN) == NO_POST_PROCESSING


def test_without_steps_the_result_is_rounded_and_black_stays(real):
    drawn = real + 0.6
    assert (real == 0).any()
    processed = NO_POST_PROCESSING(real, drawn, NO_POST_PROCESSING.weight(real))
    assert np.array_equal(processed, np.where(real == 0, 0, real + 1))


@pytest.mark.parametrize("steps", [NO_POST_PROCESSING, PostProcessing(GEOMETRY), *map(only, STEPS)], ids=str)
def test_an_unchanged_image_comes_back_bit_for_bit(real, steps):
    assert np.array_equal(steps(real, real.astype(np.float64), steps.weight(real)), real)


def test_the_weight_is_that_of_the_breast_or_one(real):
    assert np.array_equal(only("keep_background").weight(real), breast_weight(real))
    assert (only("keep_grid").weight(real) == 1).all()


def test_kept_levels_are_those_of_the_source_image(real):
    steps = only("keep_grid")
    assert np.array_equal(steps.grey_levels(real), find_levels(real))
    assert only("keep_range").grey_levels(real) is None
    processed = steps(real, real * 1.01 + 7, steps.weight(real))
    assert np.isin(processed, bit_depth_levels(12)).all()
    assert (processed != real).any()


def test_white_is_the_brightest_tissue_if_the_range_is_kept(real):
    labelled = real.copy()
    labelled[:6, -10:] = 65535
    weight = breast_weight(real)
    assert only("keep_range").white(labelled, weight) == real[weight > 0].max() / 65535
    assert NO_POST_PROCESSING.white(labelled, weight) == 1
    assert only("keep_range").white(np.zeros((4, 4), np.uint16), np.ones((4, 4), np.float32)) == 1 / 65535
