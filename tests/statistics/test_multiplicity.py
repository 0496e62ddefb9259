"""Holm and Benjamini–Hochberg against R's p.adjust, and what a family may be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.statistics.multiplicity import (
    Correction,
    benjamini_hochberg,
    correct_family,
    decision_levels,
    holm,
)
from tests.statistics.simulated_study import figures


def test_both_corrections_agree_with_r() -> None:
    published = figures("r_misc_expected.json")["padjust"]
    np.testing.assert_allclose(holm(published["p"]), published["holm"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(published["p"]), published["bh"], rtol=0, atol=1e-12)


def test_an_undefined_test_does_not_affect_the_others() -> None:
    family = correct_family({"R1": 0.02, "R2": None, "R3": 0.04}, Correction.HOLM)
    assert family.tests == 2
    assert family.adjusted == {"R1": 0.04, "R2": None, "R3": 0.04}


def test_no_correction_leaves_every_p_alone() -> None:
    assert correct_family({3: 0.02, 5: 0.5}, Correction.NONE).adjusted == {3: 0.02, 5: 0.5}


@pytest.mark.parametrize("correction", list(Correction))
def test_an_empty_family_is_no_error(correction: Correction) -> None:
    assert correct_family({}, correction).adjusted == {}


@pytest.mark.parametrize("wrong", [[-0.1], [1.1], [float("nan")], [[0.5]]])
def test_what_is_no_p_is_refused(wrong: list[float]) -> None:
    for correct in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="p must be"):
            correct(wrong)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.randoms())
def test_order_does_not_matter_and_holm_is_stricter(p: list[float], chance: object) -> None:
    order = np.array(sorted(range(len(p)), key=lambda _: chance.random()))
    values = np.array(p)
    strict, loose = holm(values), benjamini_hochberg(values)
    np.testing.assert_allclose(holm(values[order]), strict[order])
    np.testing.assert_allclose(benjamini_hochberg(values[order]), loose[order])
    assert (values <= loose + 1e-15).all()
    assert (loose <= strict + 1e-15).all()
    assert (strict <= 1).all()


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1), st.floats(0, 0.02)), max_size=12),
    st.sampled_from(list(Correction)),
    st.sampled_from([0.01, 0.05, 0.2]),
)
def test_a_test_is_decided_at_its_level_as_by_its_adjusted_p(
    p: list[float | None], correction: Correction, alpha: float
) -> None:
    family = dict(enumerate(p))
    levels, adjusted = decision_levels(family, correction, alpha), correct_family(family, correction).adjusted
    for name, value in family.items():
        level, own = levels[name], adjusted[name]
        if value is None:
            assert level is own is None
            continue
        assert level is not None
        assert own is not None
        assert 0 < level <= alpha
        if abs(own - alpha) > 1e-12:  # products of floating-point numbers may round to either side
            assert (value < level) == (own < alpha)
