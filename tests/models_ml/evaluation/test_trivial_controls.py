"""Trivial controls of Table 1 on made collections of known relations."""

import numpy as np
import pytest

from models_ml.evaluation.trivial_controls import (
    ControlImage,
    FileHeader,
    GreyLevels,
    directed_scores,
    header_scores,
    trivial_controls,
)
from readerstudy.results.evaluation import ControlName

HEADERS = (FileHeader(512, 512, 8), FileHeader(225, 225, 8), FileHeader(630, 630, 8), FileHeader(512, 512, 16))
# Shares of the headers among other and among positive images: the largest and the smallest files are rarely positive.
SHARES = ((0.1, 0.5, 0.2, 0.2), (0.6, 0.1, 0.1, 0.2))
TRUE_AREA = 0.8  # of the ratio of the shares, by hand: sum of shares below plus half of the ties


def collection(seed, images=800, shares=SHARES, brighter=0.0):
    """Training and test images, two of each patient, whose headers depend on the label by `shares`."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(images):
        label = int(rng.random() < 0.4)
        header = HEADERS[rng.choice(len(HEADERS), p=shares[label])]
        mean = rng.normal(20_000 + brighter * label, 1_000)
        levels = GreyLevels(65_535, mean, rng.normal(5_000, 500))
        made.append(ControlImage(label, f"P{number // 2}", header, levels))
    return made[: images // 2], made[images // 2 :]


def controls(training, test):
    return {control.name: control for control in trivial_controls(training, test, seed=1, replicates=200)}


def as_array(*headers):
    return np.array(headers, dtype=np.int64)


def test_an_informative_header_reaches_its_area():
    areas = [controls(*collection(seed))[ControlName.HEADER] for seed in range(8)]
    expected = sum(
        positive * (other / 2 + sum(below for below, above in zip(*SHARES, strict=True) if above / below < ratio))
        for other, positive, ratio in ((o, p, p / o) for o, p in zip(*SHARES, strict=True))
    )
    assert np.mean([control.auc.value for control in areas]) == pytest.approx(expected, abs=0.02)
    assert expected == pytest.approx(TRUE_AREA, abs=0.02)
    assert all(control.is_above_chance and control.values == 4 for control in areas)


def test_controls_without_a_relation_stay_at_chance():
    runs = [controls(*collection(seed, shares=(SHARES[0], SHARES[0]))) for seed in range(20)]
    for name in ControlName:
        areas = [run[name].auc for run in runs]
        assert np.mean([area.value for area in areas]) == pytest.approx(0.5, abs=0.02)
        assert sum(area.low > 0.5 for area in areas) <= 2  # each has a chance of 1 in 40


def test_a_single_header_has_an_area_of_exactly_one_half():
    control = controls(*collection(2, shares=((1, 0, 0, 0), (1, 0, 0, 0))))[ControlName.HEADER]
    assert (control.auc.value, control.auc.low, control.auc.high, control.values) == (0.5, 0.5, 0.5, 1)
    assert not control.is_above_chance


def test_headers_of_the_same_share_tie_in_spite_of_rounding():
    training, labels = as_array(*[(512, 512, 8)] * 7), np.array([1, 0, 0, 0, 0, 0, 0])
    known, unknown = header_scores(training, labels, as_array((512, 512, 8), (300, 300, 12)))
    assert known == unknown == pytest.approx(1 / 7)


def test_an_unknown_size_is_scored_by_its_neighbours():
    sizes = np.arange(200, 1000)
    labels = ((sizes > 400) & (sizes < 600)).astype(np.int64)  # positive in the middle only
    training = np.stack([sizes, sizes, np.full(len(sizes), 12)], axis=1)[::2]
    small, middle, large = header_scores(
        training, labels[::2], as_array((251, 251, 12), (501, 501, 12), (901, 901, 12))
    )
    assert (small, middle, large) == (0, 1, 0)


def test_a_frequent_header_is_not_blurred_by_its_neighbours():
    training = as_array(*[(500, 400, 12)] * 50, *[(501, 400, 12)] * 50)
    labels = np.array([1] * 40 + [0] * 10 + [0] * 40 + [1] * 10)
    first, second = header_scores(training, labels, as_array((500, 400, 12), (501, 400, 12)))
    assert first == pytest.approx(0.8, abs=0.01)
    assert second == pytest.approx(0.2, abs=0.01)


def test_the_direction_is_that_of_the_training_images():
    training, test = collection(3, brighter=2_000)
    bright = controls(training, test)[ControlName.MEAN].auc
    assert bright.value > 0.85
    _training, opposite = collection(3, brighter=-2_000)
    assert controls(training, opposite)[ControlName.MEAN].auc.value < 0.15
    dark, darker = collection(3, brighter=-2_000)
    assert controls(dark, darker)[ControlName.MEAN].auc.value > 0.85


def test_directed_scores_keep_or_reverse_the_order():
    labels, values = np.array([0, 0, 1, 1]), np.array([3.0, 7.0])
    assert directed_scores(np.array([1.0, 2.0, 3.0, 4.0]), labels, values).tolist() == [3, 7]
    assert directed_scores(np.array([4.0, 3.0, 2.0, 1.0]), labels, values).tolist() == [-3, -7]


def test_labels_of_test_images_change_no_score():
    training, test = collection(4)
    flipped = [ControlImage(1 - one.label, one.patient, one.header, one.levels) for one in test]
    own, other = controls(training, test), controls(training, flipped)
    for name in ControlName:
        assert own[name].auc.value == pytest.approx(1 - other[name].auc.value)


def test_the_interval_is_that_of_resampled_patients():
    training, test = collection(5)
    single = [ControlImage(one.label, f"Q{number}", one.header, one.levels) for number, one in enumerate(test)]
    doubled = [ControlImage(one.label, one.patient, one.header, one.levels) for one in single for _copy in range(2)]
    own, twice = (controls(training, images)[ControlName.MEAN].auc for images in (single, doubled))
    # The copies of a patient's image tell nothing new.
    assert (own.low, own.high) == pytest.approx((twice.low, twice.high))


def test_nothing_is_learnt_from_training_images_of_one_class():
    training, test = collection(6)
    assert trivial_controls([one for one in training if one.label], test, seed=1, replicates=200) == ()
    assert trivial_controls([], test, seed=1, replicates=200) == ()


def test_test_images_of_one_class_have_no_area():
    training, test = collection(7)
    assert {control.auc for control in controls(training, [one for one in test if one.label]).values()} == {None}


def test_grey_levels_are_those_of_the_pixels():
    levels = GreyLevels.of(np.array([[0, 65_535], [65_535, 0]], dtype=np.uint16))
    assert levels == GreyLevels(65_535, 32_767.5, 32_767.5)
