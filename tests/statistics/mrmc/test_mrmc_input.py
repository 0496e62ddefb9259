"""Readings that cannot be analysed: a sentence that names the argument, or a result that says why."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from readerstudy.statistics import mrmc
from readerstudy.statistics.mrmc import readings
from tests.statistics.mrmc.data import Study, crossed, near


@pytest.fixture
def study() -> Study:
    return crossed(np.random.default_rng(1))


def both(study: Study, **options: Any) -> list[Any]:
    return [lambda: mrmc.obuchowski_rockette(*study, **options), lambda: mrmc.u_statistic(*study, **options)]


def changed(study: Study, name: str, place: int, value: Any) -> Study:
    column = getattr(study, name).astype(float)
    column[place] = value
    return replace(study, **{name: column})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("truth", 2, "truth must be 1 for the signal class"),
        ("score", np.nan, "score contains NaN"),
        ("case", 1, "two readings of the same case"),
        ("truth", 1, "case 0 is given as 0 and as 1"),
    ],
)
def test_a_wrong_value_is_reported(study: Study, name: str, value: Any, sentence: str) -> None:
    for analysis in both(changed(study, name, 0, value)):
        with pytest.raises(ValueError, match=sentence):
            analysis()


def test_columns_of_different_lengths_are_reported(study: Study) -> None:
    for analysis in both(replace(study, reader=study.reader[1:])):
        with pytest.raises(ValueError, match="reader has 135 elements, score has 136"):
            analysis()


@pytest.mark.parametrize("name", ["score", "reader", "condition"])
def test_empty_and_mixed_entries_are_reported(study: Study, name: str) -> None:
    column = getattr(study, name).astype(object)
    column[3] = None
    for analysis in both(replace(study, **{name: column})):
        with pytest.raises(ValueError, match=name):
            analysis()


def test_an_empty_table_is_reported() -> None:
    with pytest.raises(ValueError, match="score must be"):
        mrmc.u_statistic([], [], [], [], [])


@pytest.mark.parametrize("option", ["figure", "design"])
def test_an_unknown_option_is_reported(study: Study, option: str) -> None:
    for analysis in both(study, **{option: "other"}):
        with pytest.raises(ValueError, match=f"{option} must be one of"):
            analysis()


@pytest.mark.parametrize("option", ["covariance", "random"])
def test_an_unknown_method_is_reported(study: Study, option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} must be one of"):
        mrmc.obuchowski_rockette(*study, **{option: "other"})


def test_a_figure_of_calls_needs_a_threshold(study: Study) -> None:
    for analysis in both(study, figure="sensitivity"):
        with pytest.raises(ValueError, match="threshold is needed"):
            analysis()


def test_a_session_without_adversarial_images_has_no_area_and_is_named(study: Study) -> None:
    without = study.only((study.truth == 0) | (study.condition == 0))
    with pytest.raises(ValueError, match=r"condition 1 has fewer than two cases with truth 1"):
        mrmc.obuchowski_rockette(*without)
    with pytest.raises(ValueError, match=r"auc needs two readers with sufficient readings in condition 1"):
        mrmc.u_statistic(*without)
    assert mrmc.obuchowski_rockette(*without, figure="specificity", threshold=1).p is not None


def test_a_reader_who_missed_a_condition_is_named(study: Study) -> None:
    missed = study.only((study.reader != 2) | (study.condition != 1))
    with pytest.raises(ValueError, match="no readings of reader 2 in condition 1"):
        mrmc.obuchowski_rockette(*missed)
    assert mrmc.u_statistic(*missed).estimable


def test_one_reader_is_reported_and_may_be_analysed_as_fixed(study: Study) -> None:
    alone = study.only(study.reader == 0)
    with pytest.raises(ValueError, match="only one reader"):
        mrmc.obuchowski_rockette(*alone)
    with pytest.raises(ValueError, match="needs two readers"):
        mrmc.u_statistic(*alone)
    result = mrmc.obuchowski_rockette(*alone, random="cases")
    assert result.differences[0].p == near(result.reader_differences[0].p)
    assert result.p == near(result.differences[0].p)


@pytest.mark.parametrize("random", ["both", "readers", "cases"])
def test_ties_everywhere_leave_nothing_to_test_and_say_so(study: Study, random: Any) -> None:
    flat = replace(study, score=np.ones_like(study.score))
    result = mrmc.obuchowski_rockette(*flat, random=random)
    assert (result.f, result.p, result.differences[0].p) == (None, None, None)
    assert result.undefined is not None
    assert result.means == {0: 0.5, 1: 0.5}


def test_ties_everywhere_are_not_estimable_by_the_u_statistic(study: Study) -> None:
    result = mrmc.u_statistic(*replace(study, score=np.ones_like(study.score)))
    assert not result.estimable
    assert result.p_bdg is None


def test_a_single_condition_has_intervals_and_no_test(study: Study) -> None:
    result = mrmc.obuchowski_rockette(*study.only(study.condition == 0))
    assert result.intervals[0].low < result.means[0] < result.intervals[0].high
    assert (result.f, result.p, result.differences) == (None, None, [])
    assert result.undefined is not None


@pytest.mark.parametrize("letters", ["ab", "abcdefghijklmnopqrstuvwxyz0123456789", "aä€😀"])
def test_strings_are_put_in_the_order_that_sorting_gives(letters: str) -> None:
    rng = np.random.default_rng(0)
    labels = np.array(["".join(rng.choice(list(letters), rng.integers(0, 14))) for _ in range(300)])
    codes, names = readings.code_labels(labels)
    assert names == sorted(set(labels.tolist()))
    assert [names[code] for code in codes] == labels.tolist()


def test_cases_nested_in_conditions_have_covariances_of_zero(study: Study) -> None:
    for covariance in ("delong", "jackknife"):
        result = mrmc.obuchowski_rockette(*study, design="cases_in_condition", covariance=covariance)
        assert (result.cov1, result.cov3) == (0.0, 0.0)


def test_labels_may_be_strings_numbers_or_a_data_frames_objects(study: Study) -> None:
    plain = mrmc.obuchowski_rockette(*study)
    condition = np.array(["session 3", "session 5"], dtype=object)[study.condition]
    named = mrmc.obuchowski_rockette(
        study.score.tolist(), study.truth.astype(bool), study.reader.astype(str), study.case.astype(float), condition
    )
    assert named.p == plain.p
    assert named.means == {"session 3": plain.means[0], "session 5": plain.means[1]}
    assert named.estimates["session 5", "2"] == plain.estimates[1, 2]


def test_identical_conditions_leave_nothing_to_test(study: Study) -> None:
    first = study.only(study.condition == 0)
    twice = Study(*(np.concatenate([column, column]) for column in first))
    twice.condition[first.score.size :] = 1
    result = mrmc.obuchowski_rockette(*twice)
    assert (result.f, result.p, result.denominator) == (None, None, 0.0)
    assert {row.p for row in result.reader_differences} == {None}
    assert result.undefined is not None
    assert not mrmc.u_statistic(*twice).estimable
