"""Readings that no published table holds, against the definitions written out in loops, one product at a time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from readerstudy.statistics import mrmc
from readerstudy.statistics.linear_mixed import linear
from readerstudy.statistics.mixed import logistic
from tests.statistics.literal import THRESHOLD, analysis_of, cells_of, estimate, literal_moments, matrix_of
from tests.statistics.mrmc.data import Study, crossed, near

FIGURES = ("auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy")
COVARIANCES = ("delong", "jackknife", "unbiased")
DESIGNS = ("crossed", "cases_in_condition", "cases_in_reader")
RANDOM = ("both", "readers", "cases")


def partially_paired() -> Study:
    """Every reader reads two thirds of the cases in each condition, other ones each time."""
    study = crossed(np.random.default_rng(11), readers=3, negatives=9, positives=9, conditions=2)
    return study.only((study.case + study.reader + 2 * study.condition) % 3 > 0)


def unpaired_between_readers() -> Study:
    """Every reader has cases of their own, under labels of their own; the conditions share them."""
    study = crossed(np.random.default_rng(12), readers=3, negatives=6, positives=5)
    return replace(study, case=study.case + 100 * study.reader)


def unpaired_altogether() -> Study:
    """No case is read twice by anybody."""
    study = crossed(np.random.default_rng(13), readers=3, negatives=5, positives=4)
    return replace(study, case=study.case + 100 * study.reader + 1000 * study.condition)


def with_gaps(seed: int = 14, **sizes: int) -> Study:
    """A quarter of the readings are missing, at random."""
    study = crossed(np.random.default_rng(seed), **{"readers": 4, "negatives": 8, "positives": 8, **sizes})
    return study.only(np.random.default_rng(seed).random(study.score.size) > 0.25)


def with_a_case_of_one_reader() -> Study:
    """The last case was read by one reader in one condition, nobody else."""
    study = crossed(np.random.default_rng(15), readers=3, negatives=6, positives=6)
    return study.only((study.case < 11) | ((study.reader == 1) & (study.condition == 0)))


def with_a_reader_who_always_says_the_same(conditions: tuple[int, ...] = (0, 1)) -> Study:
    study = crossed(np.random.default_rng(16), readers=3, negatives=6, positives=6)
    same = (study.reader == 0) & np.isin(study.condition, conditions)
    return replace(study, score=np.where(same, 1.0, study.score))


def with_ties_nearly_everywhere() -> Study:
    """All say the same of all cases, but for one reader's one case."""
    study = crossed(np.random.default_rng(17), readers=3, negatives=6, positives=6)
    score = np.ones_like(study.score)
    score[[3, 20]] = (0.0, 2.0)
    return replace(study, score=score)


def with_cov2_below_cov3() -> Study:
    """Readers who err on the same cases in different conditions only."""
    rng = np.random.default_rng(18)
    base = rng.normal(size=(3, 14))
    truth = np.arange(14) % 2
    score = np.stack([base, np.roll(base, 1, axis=0)]) + truth + 0.2 * rng.normal(size=(2, 3, 14))
    condition, reader, case = (axis.ravel() for axis in np.indices(score.shape))
    return Study(np.round(2 * score.ravel()) / 2, truth[case], reader, case, condition)


def three(**sizes: int) -> Study:
    return crossed(
        np.random.default_rng(19), **{"conditions": 3, "readers": 4, "negatives": 6, "positives": 5, **sizes}
    )


SHAPES: dict[str, Callable[[], Study]] = {
    "three conditions, four readers": three,
    "four conditions, two readers": lambda: three(conditions=4, readers=2),
    "partially paired": partially_paired,
    "unpaired between readers": unpaired_between_readers,
    "unpaired altogether": unpaired_altogether,
    "gaps at random": with_gaps,
    "gaps at random, three conditions": lambda: with_gaps(20, conditions=3),
    "a case of one reader": with_a_case_of_one_reader,
    "a reader who always says the same": with_a_reader_who_always_says_the_same,
    "a reader who says the same in one condition": lambda: with_a_reader_who_always_says_the_same((1,)),
    "ties nearly everywhere": with_ties_nearly_everywhere,
    "Cov2 below Cov3": with_cov2_below_cov3,
    "no two scores alike": lambda: crossed(np.random.default_rng(21), readers=3, levels=None),
    "cases of one truth far apart in number": lambda: crossed(np.random.default_rng(22), negatives=20, positives=2),
}


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("shape", SHAPES)
def test_areas_of_hard_readings_come_out_as_the_loops_have_them(shape: str, covariance: str) -> None:
    for random in RANDOM:
        agree(SHAPES[shape](), "auc", covariance, "crossed", random)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("figure", FIGURES)
def test_every_analysis_agrees_with_literal_loops(figure: str, covariance: str, design: str) -> None:
    for study in (three(readers=3), with_gaps(23, readers=3)):
        for random in RANDOM:
            agree(study, figure, covariance, design, random)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("shape", ["partially paired", "gaps at random", "a case of one reader", "Cov2 below Cov3"])
def test_u_statistics_of_hard_readings_agree_with_literal_loops(shape: str, figure: Any) -> None:
    study = SHAPES[shape]()
    result = mrmc.u_statistic(*study, figure=figure, threshold=THRESHOLD)
    literal = {pair: literal_moments(study, figure, *pair) for pair in ((0, 0), (1, 1), (0, 1))}
    for part, comparison, conditions in (
        (0, result.comparisons[0].u, result.conditions),
        (1, result.comparisons[0].v, result.v_conditions),
    ):
        variance = literal[0, 0][part] + literal[1, 1][part] - 2 * literal[0, 1][part]
        assert comparison.variance == near(variance)
        assert comparison.estimable == (variance > 1e-9)
        assert (comparison.p_bdg is None) == (not comparison.estimable)
        assert [conditions[t].variance for t in (0, 1)] == [near(literal[t, t][part]) for t in (0, 1)]


@pytest.mark.parametrize("figure", FIGURES)
def test_a_negative_variance_is_reported_with_the_v_statistic(figure: Any) -> None:
    result = next(result for result in many(figure) if result.difference_variance < -1e-6)
    assert not result.estimable
    assert (result.p_normal, result.p_bdg, result.df_bdg) == (None, None, None)
    assert result.comparisons[0].v.variance > result.comparisons[0].u.variance


def many(figure: Any) -> Iterator[Any]:
    for seed in range(500):
        study = crossed(np.random.default_rng(seed), readers=2, negatives=4, positives=4, levels=3)
        yield mrmc.u_statistic(*study, figure=figure, threshold=THRESHOLD)


@pytest.mark.parametrize("figure", FIGURES)
def test_one_positive_affects_only_what_needs_two(figure: Any) -> None:
    study = crossed(np.random.default_rng(24), negatives=9, positives=1)
    options = {"figure": figure, "threshold": THRESHOLD}
    if figure in ("specificity", "accuracy"):
        agree(study, figure, "delong", "crossed", "both")
        assert mrmc.u_statistic(*study, **options).variance[0] == near(literal_moments(study, figure, 0, 0)[0])
        return
    for analysis in (mrmc.obuchowski_rockette, mrmc.u_statistic):
        with pytest.raises(ValueError, match=r"truth: .* has fewer than two cases"):
            analysis(*study, **options)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_one_reader_alone_comes_out_as_the_loops_have_it(covariance: str) -> None:
    study = with_gaps(25, conditions=3, readers=1, negatives=12, positives=12)
    agree(study, "auc", covariance, "crossed", "cases")


def test_a_study_with_identical_verdicts_gives_a_reason_for_no_test() -> None:
    study = crossed(np.random.default_rng(26))
    for figure, random in product(FIGURES, RANDOM):
        same = replace(study, score=np.full_like(study.score, 2.0))
        result = mrmc.obuchowski_rockette(*same, figure=figure, threshold=THRESHOLD, random=random)
        assert result.p is None
        assert result.undefined is not None
        assert result.undefined.endswith(".")
        assert not mrmc.u_statistic(*same, figure=figure, threshold=THRESHOLD).estimable


def test_where_cov2_lies_below_cov3_more_than_one_table_says_so() -> None:
    constrained = [mrmc.obuchowski_rockette(*crossed(np.random.default_rng(seed), readers=2)) for seed in range(20)]
    assert {result.constrained for result in constrained} == {True, False}
    for result in constrained:
        assert result.constrained == (result.cov2 < result.cov3)
        assert result.denominator == near(result.ms_tr + 2 * max(result.cov2 - result.cov3, 0.0))


@pytest.mark.parametrize("always", [0.0, 1.0])
@pytest.mark.parametrize("kind", [0, 1])
def test_an_effect_whose_one_side_is_all_right_or_all_wrong_is_named(kind: int, always: float) -> None:
    study = crossed(np.random.default_rng(27), conditions=1, readers=3)
    correct = np.where(study.truth == kind, always, study.score > 0)
    with pytest.raises(
        ValueError, match=f"every reading with adversarial = {kind} is {'correct' if always else 'wrong'}"
    ):
        logistic(correct, {"adversarial": study.truth}, study.reader, study.case)


def test_too_few_readings_for_a_logistic_model_are_reported() -> None:
    """Right from the middle of a session on: the slope has no end, though no two readings are of one kind."""
    place = np.linspace(-1, 1, 12)
    reader, case = np.arange(12) % 2, np.arange(12) // 2
    with pytest.raises(ValueError, match="correct does not determine the effects in fixed"):
        logistic(place > 0, {"place": place}, reader, case)


def test_the_logistic_model_converges_despite_a_perfect_reader() -> None:
    study = with_gaps(28, readers=4, negatives=20, positives=20)
    correct = np.where(study.reader == 0, 1.0, study.score > 1)
    result = logistic(correct, {"later": study.condition}, study.reader, study.case)
    assert result.converged
    assert all(np.isfinite([effect.se, effect.p]).all() for effect in result.fixed)


def test_an_outcome_without_a_rest_is_reported() -> None:
    study = crossed(np.random.default_rng(29), conditions=1, readers=3)
    with pytest.raises(ValueError, match="outcome is explained completely by the effects"):
        linear(5.0 * study.truth, {"adversarial": study.truth}, study.reader, study.case)


@pytest.mark.parametrize("covariance", ["delong", "jackknife"])
def test_with_fixed_readers_the_error_is_that_of_their_contrast(
    covariance: Any,
) -> None:
    """Two conditions: nothing else than the variance of the mean difference, from the covariances of all cells."""
    for study in (with_cov2_below_cov3(), with_gaps(30, readers=3)):
        result = mrmc.obuchowski_rockette(*study, covariance=covariance, random="cases")
        weights = np.repeat([1.0, -1.0], len(result.readers)) / len(result.readers)
        (difference,) = result.differences
        assert difference.se**2 == near(weights @ result.matrix @ weights)
        assert result.p == near(difference.p)
        assert not result.constrained


def agree(study: Study, figure: Any, covariance: Any, design: Any, random: Any) -> None:
    """The package's result is the loops' one, or both have none."""
    options = {"figure": figure, "threshold": THRESHOLD, "covariance": covariance, "design": design, "random": random}
    result = mrmc.obuchowski_rockette(*study, **options)
    cells = cells_of(study, figure, design)
    table = {key: estimate(cell, figure) for key, cell in cells.items()}
    matrix = matrix_of(cells, figure, covariance)
    assert result.estimates == {key: near(value) for key, value in table.items()}
    wanted = analysis_of(table, matrix, random)
    assert {name: getattr(result, name) for name in wanted} == {name: near(value) for name, value in wanted.items()}
    assert (result.undefined is None) == (wanted["p"] is not None)
    agree_on_differences(result, table, wanted)
    agree_on_readers(result, table, matrix)


def agree_on_differences(found: mrmc.ObuchowskiRockette, table: dict[Any, float], wanted: dict[str, Any]) -> None:
    if wanted["p"] is None:
        return
    readers = sorted({reader for _, reader in table})
    se = np.sqrt(2 * wanted["denominator"] / len(readers))
    df = wanted["df2"]
    for row, (a, b) in zip(found.differences, combinations(sorted({t for t, _ in table}), 2), strict=True):
        difference = sum(table[a, r] - table[b, r] for r in readers) / len(readers)
        half = stats.t.ppf(0.975, df) * se
        assert (row.a, row.b, row.estimate, row.se) == (a, b, near(difference), near(se))
        assert (row.low, row.high) == (near(difference - half), near(difference + half))
        assert row.p == near(2 * stats.t.sf(abs(difference) / se, df))


def agree_on_readers(found: mrmc.ObuchowskiRockette, table: dict[Any, float], matrix: dict[Any, float]) -> None:
    """Each reader alone: the error is averaged over conditions."""
    conditions = sorted({t for t, _ in table})
    for row in found.reader_differences:
        own = [matrix[(t, row.reader), (t, row.reader)] for t in conditions]
        between = [matrix[(s, row.reader), (t, row.reader)] for s, t in combinations(conditions, 2)]
        variance = 2 * (np.mean(own) - np.mean(between))
        assert row.estimate == near(table[row.a, row.reader] - table[row.b, row.reader])
        if variance > 1e-12:
            assert row.se == near(np.sqrt(variance))
            assert row.p == near(2 * stats.norm.sf(abs(row.estimate) / np.sqrt(variance)))
