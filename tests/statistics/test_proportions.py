"""Intervals against scipy and against published examples; the rules for "unsure"."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from readerstudy.statistics.proportions import (
    Proportion,
    clopper_pearson,
    effective_trials,
    newcombe,
    newcombe_paired,
    wilson,
    wilson_by_cluster,
)
from readerstudy.statistics.unsure import Unsure


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts: tuple[int, int]) -> None:
    hits, trials = counts
    interval = stats.binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    result = wilson(hits, trials)
    assert result.share == hits / trials
    assert result.low == pytest.approx(interval.low, abs=1e-12)
    assert result.high == pytest.approx(interval.high, abs=1e-12)


# By R's binom package: Wilson's and the exact interval.
R_INTERVALS = [
    (133, 218, (0.543976203330263, 0.672394533930334), (0.541914272355724, 0.675231761406765)),
    (60, 100, (0.502002586791062, 0.690598713567541), (0.497209150422335, 0.696705231297122)),
    (40, 74, (0.427813456880306, 0.649266290736203), (0.420655672674823, 0.657080408293767)),
    (57, 145, (0.317345084106629, 0.474379612455604), (0.313095823558002, 0.477572449046142)),
]


@pytest.mark.parametrize(("hits", "trials", "score", "exact"), R_INTERVALS)
def test_both_intervals_agree_with_r(
    hits: int, trials: int, score: tuple[float, float], exact: tuple[float, float]
) -> None:
    one, other = wilson(hits, trials), clopper_pearson(hits, trials)
    assert (one.low, one.high) == pytest.approx(score, abs=1e-10)
    assert (other.low, other.high) == pytest.approx(exact, abs=1e-10)


def test_the_articles_42_of_44_fooled_has_wilsons_interval() -> None:
    fooled = wilson(42, 44)
    assert fooled.share == pytest.approx(0.955, abs=5e-4)
    assert (fooled.low, fooled.high) == (pytest.approx(0.8487, abs=1e-4), pytest.approx(0.9874, abs=1e-4))


def test_no_trials_give_no_share_and_no_interval() -> None:
    assert wilson(0, 0) == clopper_pearson(0, 0) == Proportion(0, 0, None, None, None)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, 2 * n), st.just(n))))
def test_half_hits_keep_the_share_inside_its_interval(counts: tuple[int, int]) -> None:
    doubled, trials = counts
    result = wilson(doubled / 2, trials)
    assert result.low is not None
    assert result.high is not None
    assert 0 <= result.low <= doubled / 2 / trials <= result.high <= 1


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_clopper_pearson_agrees_with_scipy(counts: tuple[int, int]) -> None:
    interval = stats.binomtest(*counts).proportion_ci(0.95, method="exact")
    result = clopper_pearson(*counts)
    assert (result.low, result.high) == (pytest.approx(interval.low, abs=1e-9), pytest.approx(interval.high, abs=1e-9))


def test_clopper_pearson_of_nothing_in_ten_is_the_textbook_one() -> None:
    result = clopper_pearson(0, 10)
    assert (result.low, result.high) == (0.0, pytest.approx(1 - 0.025**0.1))
    with pytest.raises(ValueError, match="whole hits"):
        clopper_pearson(2.5, 10)


def test_more_hits_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="11 hits are impossible in 10 trials"):
        wilson(11, 10)


# Newcombe (1998), table II, method 10; our difference is second − first, hence the order.
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((2, 7), (6, 7), 0.0582, 0.8062),
        ((0, 29), (5, 56), -0.0381, 0.1926),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((0, 10), (10, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_gives_the_published_intervals(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    result = newcombe(wilson(*first), wilson(*second))
    assert (result.low, result.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


# Newcombe (1998, paired differences), table II, method 10; again our difference is second − first.
def test_newcombes_paired_interval_is_the_published_one() -> None:
    result = newcombe_paired(36, 2, 12, 0)
    assert (result.low, result.high) == (pytest.approx(0.0569, abs=5e-5), pytest.approx(0.3404, abs=5e-5))


paired_counts = st.tuples(*[st.integers(0, 80)] * 4).filter(any)


@given(paired_counts)
def test_exchanged_readings_mirror_the_paired_interval(counts: tuple[int, ...]) -> None:
    both, first, second, neither = counts
    there, back = newcombe_paired(both, first, second, neither), newcombe_paired(both, second, first, neither)
    assert back.difference == -there.difference
    assert (back.low, back.high) == (pytest.approx(-there.high, abs=1e-12), pytest.approx(-there.low, abs=1e-12))
    assert there.low - 1e-12 <= there.difference <= there.high + 1e-12


def test_agreeing_pairs_have_a_narrower_interval() -> None:
    paired = newcombe_paired(50, 4, 10, 36)
    independent = newcombe(wilson(54, 100), wilson(60, 100))
    assert paired.difference == pytest.approx(independent.difference)
    assert paired.high - paired.low < 0.6 * (independent.high - independent.low)


def test_no_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="counts"):
        newcombe_paired(0, 0, 0, 0)


VERDICTS = ["real", "not_real", "unsure", "real", "not_real", "unsure"]
FAKE = [False, False, False, True, True, True]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Unsure.WRONG, [1, 0, 0, 0, 1, 0]),
        (Unsure.HALF, [1, 0, 0.5, 0, 1, 0.5]),
        (Unsure.EXCLUDED, [1, 0, math.nan, 0, 1, math.nan]),
    ],
)
def test_each_rule_gives_unsure_its_declared_credit(rule: Unsure, expected: list[float]) -> None:
    np.testing.assert_array_equal(rule.credits(VERDICTS, FAKE), expected)


def test_unsure_counts_as_wrong_unless_something_else_was_declared() -> None:
    assert next(iter(Unsure)) is Unsure.WRONG


def test_seen_cannot_be_right_or_wrong() -> None:
    with pytest.raises(ValueError, match="'seen'"):
        Unsure.WRONG.credits(["real", "seen"], [False, False])


def test_one_image_of_each_patient_gives_wilsons_interval() -> None:
    hit = np.arange(27) < 24
    assert wilson_by_cluster(hit, np.arange(27)) == wilson(24, 27)


def test_copies_of_an_image_add_nothing_to_the_interval() -> None:
    """Four equal images of each patient are worth one image: the design effect is the number of copies."""
    hit = np.arange(27) < 20
    copied = wilson_by_cluster(np.repeat(hit, 4), np.repeat(np.arange(27), 4))
    single = wilson(20, 27)
    # The two estimators of a variance divide by n - 1 of different n: 107 and 26.
    assert effective_trials(np.repeat(hit, 4), np.repeat(np.arange(27), 4)) == pytest.approx(27 * 26 * 4 / 107)
    assert (copied.hits, copied.trials) == (80, 108)
    assert (copied.low, copied.high) == pytest.approx((single.low, single.high), abs=0.01)
    assert copied.high - copied.low > 1.8 * (wilson(80, 108).high - wilson(80, 108).low)


def test_the_effective_number_is_that_of_pencil_and_paper() -> None:
    """Patients with 2 of 2, 0 of 2 and 1 of 1: share .6, residuals .8, -1.2 and .4."""
    hit = np.array([1, 1, 0, 0, 1], bool)
    between = 3 / 2 * (0.8**2 + 1.2**2 + 0.4**2) / 5**2
    assert effective_trials(hit, np.array(list("aabbc"))) == pytest.approx(5 / (between / (0.6 * 0.4 / 4)))


def test_if_all_images_are_right_each_patient_counts_once() -> None:
    of_all = wilson_by_cluster(np.ones(12, bool), np.repeat(np.arange(4), 3))
    assert (of_all.hits, of_all.trials, of_all.share, of_all.high) == (12, 12, 1, 1)
    assert of_all.low == pytest.approx(wilson(4, 4).low)
    assert wilson_by_cluster(np.zeros(0, bool), np.zeros(0, int)) == wilson(0, 0)
    with pytest.raises(ValueError, match="one per trial"):
        wilson_by_cluster(np.ones(3, bool), np.arange(2))


def test_patients_who_differ_never_narrow_the_interval() -> None:
    """Patients that are more alike than chance would make them have a design effect below 1, which is not used."""
    alike = np.tile([True, False], 20)
    assert effective_trials(alike, np.repeat(np.arange(20), 2)) == 40


def test_the_interval_by_patient_holds_the_share_where_wilsons_does_not() -> None:
    """400 samples of 60 patients with 1 to 4 images and a variance of patients like that of images (probit)."""
    rng = np.random.default_rng(5)
    patient = np.repeat(np.arange(60), np.tile([1, 2, 2, 4], 15))
    by_patient = by_image = 0
    for _ in range(400):
        hit = rng.normal(size=60)[patient] + rng.normal(size=patient.size) > 0  # the true share is .5
        clustered, plain = wilson_by_cluster(hit, patient), wilson(int(hit.sum()), hit.size)
        by_patient += clustered.low <= 0.5 <= clustered.high
        by_image += plain.low <= 0.5 <= plain.high
    assert by_patient >= 0.92 * 400
    assert by_image < 0.92 * 400
