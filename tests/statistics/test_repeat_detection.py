"""d′ of images read twice: the same as of two readings, with an interval that knows that the images are the same."""

import numpy as np
import pytest
from scipy import stats

from readerstudy.statistics.proportions import wilson
from readerstudy.statistics.signal_detection import d_prime_shift, detection, repeat_detection

REAL, ADVERSARIAL = [[30, 5], [4, 6]], [[9, 6], [2, 28]]


def test_each_reading_has_the_d_prime_of_its_own_counts() -> None:
    twice = repeat_detection(REAL, ADVERSARIAL)
    assert twice is not None
    assert twice.first == detection(30, 45, 10, 45)
    assert twice.second == detection(34, 45, 11, 45)
    assert twice.change.difference == twice.second.d_prime - twice.first.d_prime
    assert twice.found_again == wilson(28, 30)
    assert twice.found_later == wilson(6, 15)


def test_readings_that_agree_by_chance_alone_are_as_independent_ones() -> None:
    # (30, 15) by (27, 18) and (20, 25) by (27, 18), products of the margins over 45.
    tables = [[[18, 12], [9, 6]], [[12, 8], [15, 10]]]
    twice = repeat_detection(*tables)
    assert twice is not None
    assert twice.change.se == pytest.approx(d_prime_shift(twice.first, twice.second).se, rel=0.02)


def latent(rng: np.random.Generator, images: int, mean: float, threshold: float, rho: float) -> np.ndarray:
    evidence = mean + rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], images)
    called = (evidence > threshold).astype(int)
    table = np.zeros((2, 2), dtype=int)
    np.add.at(table, (called[:, 0], called[:, 1]), 1)
    return table


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_the_interval_of_the_change_holds_the_truth_without_being_too_wide(rho: float) -> None:
    rng = np.random.default_rng(3)
    covered = independent = 0
    studies = 400
    for _ in range(studies):
        twice = repeat_detection(latent(rng, 60, 0, 0.6, rho), latent(rng, 60, 1.2, 0.6, rho))
        assert twice is not None
        covered += twice.change.low <= 0 <= twice.change.high
        independent += (
            abs(twice.change.difference) <= stats.norm.ppf(0.975) * d_prime_shift(twice.first, twice.second).se
        )
    assert 0.93 < covered / studies < 0.985
    if rho == 0.9:
        assert independent / studies > 0.99


def test_a_reader_without_errors_or_changes_has_a_finite_change() -> None:
    twice = repeat_detection([[20, 0], [0, 0]], [[0, 0], [0, 20]])
    assert twice is not None
    assert (twice.change.difference, twice.change.p) == (0.0, 1.0)
    assert twice.change.se > 0
    assert twice.found_later.share is None


def test_without_one_kind_there_is_no_d_prime_and_bad_tables_are_refused() -> None:
    assert repeat_detection([[0, 0], [0, 0]], ADVERSARIAL) is None
    assert repeat_detection(REAL, [[0, 0], [0, 0]]) is None
    for wrong in ([[1, 2, 3]], [[1, -1], [0, 0]]):
        with pytest.raises(ValueError, match="tables"):
            repeat_detection(REAL, wrong)
