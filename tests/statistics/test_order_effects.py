"""Order and fatigue against R and scipy, by hand, and at the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from readerstudy.statistics.order_effects import accuracy_over_position, kendall, lag_one, trend
from readerstudy.statistics.reading_times import relative_position
from tests.statistics.simulated_study import figures, long_form

READERS = ("R1", "R2", "R3", "R4", "R5")


def fakes_in_session_three(reader: str) -> tuple[np.ndarray, np.ndarray]:
    """Credits and positions, in reading order."""
    study = long_form()
    place = relative_position(study.position, study.reader, study.session)
    chosen = (study.reader == reader) & (study.session == 3) & (study.truth == 1)
    order = np.argsort(place[chosen])
    return study.correct[chosen][order], place[chosen][order]


@pytest.mark.parametrize("reader", READERS)
def test_the_trend_agrees_with_rs_glm(reader: str) -> None:
    theirs = figures("simstudy_lme4_expected.json")["trend"][reader]
    result = trend(*fakes_in_session_three(reader))
    assert result is not None
    assert result.slope == pytest.approx(theirs["Estimate"], abs=1e-8)
    # R's glm takes the standard error of its last step but one.
    assert result.se == pytest.approx(theirs["Std. Error"], rel=5e-5)
    assert result.p == pytest.approx(theirs["Pr(>|z|)"], rel=5e-4)


@pytest.mark.parametrize("reader", READERS)
def test_kendalls_tau_agrees_with_scipy_and_its_p_with_the_normal_one(reader: str) -> None:
    correct, place = fakes_in_session_three(reader)
    result = kendall(correct, rng=np.random.default_rng(1), permutations=1999)
    theirs = stats.kendalltau(correct, place)
    assert result is not None
    assert result.value == pytest.approx(theirs.statistic, abs=1e-12)
    assert result.p == pytest.approx(theirs.pvalue, abs=0.04)
    assert result.low < result.value < result.high
    assert result.usual_low < 0 < result.usual_high


def test_tau_knows_half_credits() -> None:
    correct = np.random.default_rng(2).choice([0.0, 0.5, 1.0], 80)
    result = kendall(correct, rng=np.random.default_rng(1), permutations=99)
    assert result is not None
    assert result.value == pytest.approx(stats.kendalltau(correct, np.arange(80)).statistic, abs=1e-12)


def test_the_reader_who_learns_in_session_three_is_found() -> None:
    # R4 was drawn with a drift of .8 latent SDs over session 3.
    correct, _ = fakes_in_session_three("R4")
    result = kendall(correct, rng=np.random.default_rng(1), permutations=999)
    assert result is not None
    assert result.p < 0.01
    assert result.low > 0


def test_autocorrelation_agrees_with_pencil_and_paper() -> None:
    # Mean .5, deviations −½ −½ ½ ½ −½ ½: products ¼ −¼ ¼ −¼ −¼, over 6 · ¼.
    result = lag_one([0, 0, 1, 1, 0, 1], rng=np.random.default_rng(1), permutations=999)
    assert result is not None
    assert result.value == pytest.approx(-1 / 6)
    assert result.p > 0.5


def test_runs_of_right_and_wrong_are_found_and_alternation_too() -> None:
    runs = np.repeat([0, 1, 0, 1, 0, 1, 0, 1], 10)
    together = lag_one(runs, rng=np.random.default_rng(1), permutations=499)
    apart = lag_one(np.tile([0, 1], 40), rng=np.random.default_rng(1), permutations=499)
    assert together is not None
    assert apart is not None
    assert (together.value > 0.8, apart.value < -0.8) == (True, True)
    assert together.p == apart.p == 1 / 500


def test_shuffled_orders_are_rejected_as_often_as_they_should_be() -> None:
    rng = np.random.default_rng(6)
    small = [kendall(rng.random(40) < 0.7, rng=rng, permutations=99) for _ in range(300)]
    share = np.mean([trend.p <= 0.1 for trend in small if trend is not None])
    assert 0.05 < share < 0.15


@pytest.mark.parametrize("same", [[1, 1, 1, 1], [0, 0, 0], [], [1]])
def test_identical_readings_have_no_order_effect(same: list[float]) -> None:
    rng = np.random.default_rng(1)
    assert kendall(same, rng=rng) is None
    assert lag_one(same, rng=rng) is None
    assert trend(same, np.arange(len(same))) is None


@pytest.mark.parametrize("apart", [[0, 0, 1, 1], [1, 1, 0], [0, 1, 1]])
def test_separated_readings_have_no_finite_slope(apart: list[float]) -> None:
    assert trend(apart, np.linspace(-1, 1, len(apart))) is None


def test_blocks_leave_no_reading_out_and_are_as_equal_as_can_be() -> None:
    blocks = accuracy_over_position([1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0], blocks=3)
    assert [(block.first, block.last) for block in blocks] == [(1, 4), (5, 7), (8, 11)]
    assert [block.accuracy.hits for block in blocks] == [3, 2, 2]
    assert len(accuracy_over_position([1, 0], blocks=10)) == 2
    assert accuracy_over_position([]) == ()


@pytest.mark.parametrize("wrong", [[0.0, 2.0], [float("nan")], [[1.0]]])
def test_what_is_no_credit_is_named(wrong: list[float]) -> None:
    for statistic in (kendall, lag_one):
        with pytest.raises(ValueError, match="correct"):
            statistic(wrong, rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match="permutations"):
        kendall([0, 1, 1], rng=np.random.default_rng(1), permutations=10)


credits = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=3, max_size=60)


@given(credits)
def test_reading_backwards_turns_tau_and_leaves_the_autocorrelation(correct: list[float]) -> None:
    def both(order: list[float]) -> tuple[float | None, float | None]:
        result = [one(order, rng=np.random.default_rng(1), permutations=99) for one in (kendall, lag_one)]
        tau, lag = (None if one is None else one.value for one in result)
        return tau, lag

    (tau, lag), (backwards, same) = both(correct), both(correct[::-1])
    if tau is None or backwards is None:
        assert len(set(correct)) == 1
        return
    assert backwards == pytest.approx(-tau, abs=1e-12)
    assert same == pytest.approx(lag, abs=1e-12)
