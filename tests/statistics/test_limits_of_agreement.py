"""Limits of agreement against Bland and Altman's printed figures, tolerance factors, and by simulation."""

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from readerstudy.statistics.limits_of_agreement import limits_of_agreement
from tests.statistics.simulated_study import figures

# Peak expiratory flow (l/min) of 17 people by two meters, first readings (Bland and Altman, 1986, table 1).
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI_WRIGHT = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_the_printed_example_is_found() -> None:
    limits = limits_of_agreement(MINI_WRIGHT, WRIGHT)
    assert limits.pairs == 17
    assert round(limits.bias.value, 1) == -2.1
    assert round(limits.sd, 1) == 38.8
    # The article prints -22.0 and 17.8 from rounded figures.
    assert limits.bias.low == pytest.approx(-22.0, abs=0.1)
    assert limits.bias.high == pytest.approx(17.8, abs=0.1)
    # It takes 2 SDs, -79.7 and 75.5.
    assert limits.lower.value == pytest.approx(-2.1 - 1.96 * 38.8, abs=0.1)
    assert limits.upper.value == pytest.approx(-2.1 + 1.96 * 38.8, abs=0.1)


def test_bounds_of_a_limit_are_one_sided_tolerance_factors() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 10))
    # A limit that 95 % of differences stay below, with confidence .95 on one side, n = 10: k = 2.911 (printed tables).
    limits = limits_of_agreement(first, second, coverage=0.9, confidence=0.9)
    assert (limits.upper.high - limits.bias.value) / limits.sd == pytest.approx(2.911, abs=5e-4)


def test_r_finds_the_same_in_readers_shares() -> None:
    theirs = figures("r_behaviour_expected.json")["limits"]
    limits = limits_of_agreement(theirs["first"], theirs["second"])
    assert limits.bias.value == pytest.approx(theirs["bias"], abs=1e-12)
    assert limits.sd == pytest.approx(theirs["sd"], abs=1e-12)
    assert limits.upper.value == pytest.approx(theirs["upper"], abs=1e-12)


@pytest.mark.parametrize("pairs", [4, 10, 40])
def test_intervals_hold_the_true_limits(pairs: int) -> None:
    rng = np.random.default_rng(2)
    studies, sd, bias = 600, 3.0, 1.0
    true = bias + stats.norm.ppf(0.975) * sd
    exact = approximate = means = 0
    for _ in range(studies):
        limits = limits_of_agreement(np.zeros(pairs), rng.normal(bias, sd, pairs))
        exact += limits.upper.low <= true <= limits.upper.high
        means += limits.bias.low <= bias <= limits.bias.high
        half = stats.t.ppf(0.975, pairs - 1) * limits.sd * sqrt(3 / pairs)  # Bland and Altman's own
        approximate += abs(limits.upper.value - true) <= half
    assert exact / studies == pytest.approx(0.95, abs=0.03)
    assert means / studies == pytest.approx(0.95, abs=0.03)
    if pairs == 4:
        assert approximate / studies < 0.93


def test_sessions_turned_around_give_the_limits_with_turned_signs() -> None:
    there, back = limits_of_agreement(WRIGHT, MINI_WRIGHT), limits_of_agreement(MINI_WRIGHT, WRIGHT)
    assert there.lower.value == pytest.approx(-back.upper.value)
    assert (there.lower.low, there.lower.high) == pytest.approx((-back.upper.high, -back.upper.low))
    assert there.lower.high - there.lower.value < there.lower.value - there.lower.low  # uncertain outwards


def test_what_has_no_limits_says_why() -> None:
    with pytest.raises(ValueError, match="three pairs, not 2"):
        limits_of_agreement([1, 2], [2, 2])
    with pytest.raises(ValueError, match="equal"):
        limits_of_agreement([1, 2, 3], [2, 3, 4])
    with pytest.raises(ValueError, match="equal"):
        limits_of_agreement([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])
    with pytest.raises(ValueError, match="same length"):
        limits_of_agreement([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="coverage"):
        limits_of_agreement([1, 2, 3], [1, 2, 4], coverage=1)
