"""What must hold for any readings."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.statistics import mrmc
from tests.statistics.mrmc.data import Study, crossed, near

studies = st.builds(
    crossed,
    st.integers(0, 2**32 - 1).map(np.random.default_rng),
    conditions=st.just(2),
    readers=st.integers(2, 4),
    negatives=st.integers(4, 8),
    positives=st.integers(4, 8),
    levels=st.sampled_from([2, 3, 6, None]),
)
methods = st.sampled_from(["delong", "jackknife", "unbiased"])
few = settings(max_examples=40)


def close(one: float | None, other: float | None) -> bool:
    return one == near(other)


@few
@given(studies, methods, st.randoms())
def test_order_of_readings_and_names_change_nothing(study: Study, method: Any, random: Any) -> None:
    order = np.array(random.sample(range(study.score.size), study.score.size))
    names = np.array([f"reader {name}" for name in random.sample(range(99), 4)])
    cases = np.array(random.sample(range(10_000), 16))
    renamed = Study(study.score, study.truth, names[study.reader], cases[study.case], study.condition).only(order)
    before, after = (mrmc.obuchowski_rockette(*s, covariance=method) for s in (study, renamed))
    assert (after.f, after.p, after.df2, after.cov2) == tuple(map(near, (before.f, before.p, before.df2, before.cov2)))
    one, other = mrmc.u_statistic(*study), mrmc.u_statistic(*renamed)
    assert other.difference_variance == near(one.difference_variance)
    assert other.means == {label: near(mean) for label, mean in one.means.items()}


@few
@given(studies, methods)
def test_swapping_the_conditions_flips_signs_and_nothing_else(study: Study, method: Any) -> None:
    swapped = replace(study, condition=1 - study.condition)
    before, after = (mrmc.obuchowski_rockette(*s, covariance=method).differences[0] for s in (study, swapped))
    assert (after.estimate, after.se, after.p) == (near(-before.estimate), near(before.se), near(before.p))
    if before.low is not None and before.high is not None:
        assert (after.low, after.high) == (near(-before.high), near(-before.low))
    one, other = mrmc.u_statistic(*study), mrmc.u_statistic(*swapped)
    assert other.difference == near(-one.difference)
    assert other.difference_variance == near(one.difference_variance)


@few
@given(studies)
def test_turning_the_scale_and_the_truth_round_changes_nothing(study: Study) -> None:
    turned = replace(study, score=-study.score, truth=1 - study.truth)
    before, after = (mrmc.obuchowski_rockette(*s) for s in (study, turned))
    assert (after.f, after.cov3) == (near(before.f), near(before.cov3))
    assert mrmc.u_statistic(*turned).difference_variance == near(mrmc.u_statistic(*study).difference_variance)


@few
@given(studies)
def test_a_score_through_any_rising_function_gives_the_same_areas(study: Study) -> None:
    bent = replace(study, score=np.exp(study.score) * 7)
    assert mrmc.obuchowski_rockette(*bent).f == near(mrmc.obuchowski_rockette(*study).f)


@few
@given(studies)
def test_duplicated_readers_report_a_negative_reader_variance(study: Study) -> None:
    doubled = Study(*(np.concatenate([column, column]) for column in study))
    doubled.reader[study.score.size :] += 10
    result = mrmc.u_statistic(*doubled)
    for estimate in (*result.conditions.values(), result.comparisons[0].u):
        assert estimate.estimable == (estimate.p_bdg is not None)
        assert estimate.variance > 0 or not estimate.estimable
    analysis = mrmc.obuchowski_rockette(*doubled)
    assert analysis.var_tr is not None  # as it came out, negative or not
    assert analysis.constrained == (analysis.cov3 - analysis.cov2 > 1e-12 * analysis.var)
    assert analysis.means == {label: near(mean) for label, mean in mrmc.obuchowski_rockette(*study).means.items()}


@few
@given(studies)
def test_the_v_statistic_of_a_condition_is_never_negative(study: Study) -> None:
    result = mrmc.u_statistic(*study)
    assert all(estimate.variance > -1e-12 for estimate in result.v_conditions.values())
    assert result.comparisons[0].v.variance > -1e-12


@few
@given(studies)
def test_a_mean_of_proportions_is_the_same_by_both_analyses(study: Study) -> None:
    for figure in ("sensitivity", "specificity", "accuracy", "balanced_accuracy"):
        one = mrmc.obuchowski_rockette(*study, figure=figure, threshold=1)
        other = mrmc.u_statistic(*study, figure=figure, threshold=1)
        assert other.means == {label: near(mean) for label, mean in one.means.items()}


@few
@given(studies)
def test_with_the_unbiased_covariance_both_analyses_have_one_variance(study: Study) -> None:
    """Hillis' denominator without its constraints and the U-statistic estimate the same thing, in the same way."""
    result = mrmc.obuchowski_rockette(*study, covariance="unbiased")
    readers = len(result.readers)
    unconstrained = result.ms_tr + readers * (result.cov2 - result.cov3)
    assert mrmc.u_statistic(*study).difference_variance == near(2 * unconstrained / readers)
