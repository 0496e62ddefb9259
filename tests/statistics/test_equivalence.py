"""Two one-sided tests: by hand, against the interval that is printed beside them, and at their edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from readerstudy.statistics.equivalence import non_inferiority, tost, tost_proportions
from readerstudy.statistics.proportions import newcombe, wilson


def test_both_one_sided_ps_agree_with_pencil_and_paper() -> None:
    result = tost(0.02, 0.04, 0.1, df=12)
    assert result.p_below == pytest.approx(stats.t.sf(3, 12))
    assert result.p_above == pytest.approx(stats.t.sf(2, 12))
    assert result.p == result.p_above
    assert result.equivalent
    assert (result.low, result.high) == pytest.approx((0.02 - 0.04 * 1.782287556, 0.02 + 0.04 * 1.782287556))


def test_without_df_the_normal_distribution_is_taken() -> None:
    assert tost(0.0, 0.05, 0.1).p == pytest.approx(stats.norm.sf(2))


def test_only_precise_shares_are_equivalent() -> None:
    assert tost_proportions(wilson(500, 1000), wilson(505, 1000), 0.1).equivalent
    few = tost_proportions(wilson(5, 10), wilson(5, 10), 0.1)
    assert not few.equivalent
    assert few.difference == 0


def test_shares_of_nothing_need_no_special_case() -> None:
    result = tost_proportions(wilson(0, 100), wilson(0, 100), 0.1)
    assert result.equivalent
    assert result.p_below == pytest.approx(result.p_above)


def test_for_many_readings_the_p_is_that_of_the_plain_z_test() -> None:
    n, first, second = 20_000, 12_000, 12_300
    se = (0.6 * 0.4 / n + 0.615 * 0.385 / n) ** 0.5
    result = tost_proportions(wilson(first, n), wilson(second, n), 0.025)
    assert result.p == pytest.approx(stats.norm.sf((0.025 - 0.015) / se), rel=0.02)


shares = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(shares, shares, st.floats(0.01, 0.9), st.sampled_from([0.01, 0.025, 0.05, 0.1]))
def test_p_is_below_alpha_exactly_if_the_interval_is_in_the_margin(
    first: tuple[int, int], second: tuple[int, int], margin: float, alpha: float
) -> None:
    one, two = wilson(*first), wilson(*second)
    interval = newcombe(one, two, confidence=1 - 2 * alpha)
    if min(abs(interval.low + margin), abs(interval.high - margin)) < 1e-9:
        return  # on the edge itself rounding decides
    result = tost_proportions(one, two, margin, alpha=alpha)
    assert result.equivalent == (-margin < interval.low and interval.high < margin)


@given(shares, shares, st.floats(0.01, 0.9))
def test_exchanging_the_sessions_exchanges_the_two_sides(
    first: tuple[int, int], second: tuple[int, int], margin: float
) -> None:
    there = tost_proportions(wilson(*first), wilson(*second), margin)
    back = tost_proportions(wilson(*second), wilson(*first), margin)
    assert back.difference == -there.difference
    assert (back.p_below, back.p_above) == (there.p_above, there.p_below)
    assert back.p == there.p


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"margin": 0.0}, "margin"), ({"se": 0.0}, "se"), ({"df": 0.0}, "df"), ({"alpha": 0.6}, "alpha")],
)
def test_bad_input_is_named(wrong: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        tost(**{"difference": 0.0, "se": 0.1, "margin": 0.1, **wrong})


def test_non_inferiority_is_one_side_of_the_test_of_equivalence() -> None:
    result = non_inferiority(-0.01, 0.02, 0.05, df=12)
    assert result.p == pytest.approx(stats.t.sf(2, 12))
    assert result.low == pytest.approx(-0.01 - 0.02 * stats.t.ppf(0.975, 12))
    assert not result.shown
    assert non_inferiority(0.2, 0.02, 0.05, df=12).shown  # much better is not inferior
    assert not non_inferiority(-0.2, 0.02, 0.05, df=12).shown


@given(st.floats(-0.3, 0.3), st.floats(0.001, 0.2), st.floats(0.01, 0.3), st.floats(0.001, 0.4))
def test_non_inferiority_is_shown_exactly_if_the_bound_is_above_the_margin(
    difference: float, se: float, margin: float, alpha: float
) -> None:
    result = non_inferiority(difference, se, margin, alpha=alpha)
    if abs(result.p - alpha) > 1e-9:
        assert result.shown == (result.low > -margin)
