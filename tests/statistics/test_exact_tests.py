"""Boschloo's test and McNemar's against R and scipy, and at their edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from readerstudy.statistics.exact_tests import boschloo, mcnemar
from readerstudy.statistics.proportions import wilson
from tests.statistics.simulated_study import figures


@pytest.mark.parametrize(("only_first", "only_second"), [(12, 25), (8, 9), (30, 14)])
def test_mcnemar_agrees_with_r(only_first: int, only_second: int) -> None:
    r = figures("r_misc_expected.json")[f"mcnemar_b{only_first}_c{only_second}"]
    result = mcnemar(only_first, only_second)
    assert result.p == pytest.approx(r["exact_two"], abs=1e-10)
    assert result.mid_p == pytest.approx(r["midp_two"], abs=1e-10)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemars_p_is_binomial_and_the_mid_p_never_larger(only_first: int, only_second: int) -> None:
    result = mcnemar(only_first, only_second)
    turned = mcnemar(only_second, only_first)
    assert (turned.p, turned.mid_p) == (result.p, result.mid_p)
    assert 0 < result.mid_p <= result.p <= 1
    if only_first + only_second:
        assert result.p == pytest.approx(stats.binomtest(only_first, only_first + only_second).pvalue, abs=1e-12)


def test_readings_that_never_differ_give_no_reason_to_doubt() -> None:
    assert (mcnemar(0, 0).p, mcnemar(0, 0).mid_p) == (1.0, 1.0)
    # As often this way as that: half of the middle's probability, C(4, 2) / 2⁴, is taken off.
    assert mcnemar(2, 2).mid_p == pytest.approx(1 - 0.375 / 2)


@pytest.mark.parametrize("wrong", [-1, 2.5])
def test_what_is_no_count_is_named(wrong: float) -> None:
    with pytest.raises(ValueError, match="only_second"):
        mcnemar(3, wrong)


def test_boschloo_lies_between_fishers_p_and_the_plain_z_tests() -> None:
    for (a, n), (b, m) in [
        ((133, 218), (143, 220)),
        ((60, 100), (205, 218)),
        ((40, 74), (53, 74)),
        ((57, 145), (47, 146)),
    ]:
        r = figures("r_misc_expected.json")[f"t2x2_{a}_{n}_{b}_{m}"]
        p = boschloo(wilson(a, n), wilson(b, m))
        assert p is not None
        assert p <= r["fisher_two"]
        assert p == pytest.approx(r["prop_two_nocc"], rel=0.25)


@pytest.mark.parametrize(("first", "second"), [((0, 0), (3, 10)), ((2.5, 10), (3, 10))])
def test_boschloo_is_undefined_for_empty_sessions_and_half_credits(
    first: tuple[float, int], second: tuple[float, int]
) -> None:
    assert boschloo(wilson(*first), wilson(*second)) is None


def test_two_sessions_without_an_error_are_alike() -> None:
    assert boschloo(wilson(10, 10), wilson(12, 12)) == 1.0
