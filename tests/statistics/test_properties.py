"""What must hold for any readings, beside what each statistic's own tests already ask."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from readerstudy.statistics import (
    delong,
    equivalence,
    exact_tests,
    mrmc,
    multiplicity,
    order_effects,
    reading_times,
    separability,
)
from readerstudy.statistics.agreement import agreement
from readerstudy.statistics.bootstrap import reader_by_case
from readerstudy.statistics.linear_mixed import linear
from readerstudy.statistics.proportions import clopper_pearson, newcombe, newcombe_paired, wilson
from readerstudy.statistics.signal_detection import criterion_shift, d_prime_shift, detection
from readerstudy.statistics.subgroups import batch_means_test, subgroup_test
from tests.statistics.mrmc.data import Study, crossed, near

LEVELS = 4
seeds = st.integers(0, 2**32 - 1)
studies = st.builds(
    crossed,
    seeds.map(np.random.default_rng),
    conditions=st.integers(2, 3),
    readers=st.integers(2, 3),
    negatives=st.integers(4, 7),
    positives=st.integers(4, 7),
    levels=st.just(LEVELS),
)
methods = st.sampled_from(["delong", "jackknife", "unbiased"])
designs = st.sampled_from(["crossed", "cases_in_condition", "cases_in_reader"])
randoms = st.sampled_from(["both", "readers", "cases"])
figures = st.sampled_from(["auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy"])
counts = st.integers(1, 60).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))
ps = st.lists(st.floats(0, 1), min_size=1, max_size=8)
few = settings(max_examples=50, derandomize=True)


def gapped(study: Study, seed: int) -> Study:
    """Some readings missing; every reader keeps two of each kind in each condition, or the example is dropped."""
    kept = study.only(np.random.default_rng(seed).random(study.score.size) > 0.2)
    cell = kept.condition * 100 + kept.reader * 10 + kept.truth
    assume(np.unique(cell, return_counts=True)[1].min() >= 2)
    assume(np.unique(cell).size == 2 * np.unique(study.condition * 100 + study.reader).size)
    return kept


def analysed(study: Study, **options: Any) -> tuple[Any, ...]:
    result = mrmc.obuchowski_rockette(*study, **options)
    return (
        result.f,
        result.p,
        result.df2,
        result.var,
        result.cov1,
        result.cov2,
        result.cov3,
        result.ms_tr,
        result.denominator,
    )


def alike(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return one == tuple(map(near, other))


@few
@given(studies, seeds, methods, figures, st.randoms())
def test_with_gaps_too_neither_names_nor_the_order_of_readings_matter(
    study: Study, seed: int, method: Any, figure: Any, random: Any
) -> None:
    study = gapped(study, seed)
    shuffled = study.only(np.array(random.sample(range(study.score.size), study.score.size)))
    readers, cases = (np.array(random.sample(range(100), 20)) for _ in range(2))
    renamed = replace(shuffled, reader=readers[shuffled.reader], case=cases[shuffled.case])
    options = {"covariance": method, "figure": figure, "threshold": 2}
    assert alike(analysed(renamed, **options), analysed(study, **options))


@few
@given(studies, seeds, methods)
def test_with_gaps_too_exchanging_conditions_turns_signs_and_keeps_p(study: Study, seed: int, method: Any) -> None:
    study = gapped(study, seed)
    turned = replace(study, condition=2 - study.condition)
    before, after = (mrmc.obuchowski_rockette(*data, covariance=method) for data in (study, turned))
    assert (after.f, after.p) == (near(before.f), near(before.p))
    for rows, turned_rows in (
        (before.differences, after.differences),
        (before.reader_differences, after.reader_differences),
    ):
        mirrored = {(getattr(row, "reader", None), 2 - row.b, 2 - row.a): row for row in turned_rows}
        for row in rows:
            other = mirrored[getattr(row, "reader", None), row.a, row.b]
            assert (row.estimate, row.se, row.p) == (near(-other.estimate), near(other.se), near(other.p))


@few
@given(studies, methods, designs, randoms)
def test_sensitivity_is_specificity_with_truth_and_calls_turned_round(
    study: Study, method: Any, design: Any, random: Any
) -> None:
    turned = replace(study, truth=1 - study.truth, score=LEVELS - 1 - study.score)
    options = {"covariance": method, "design": design, "random": random}
    sensitivity = analysed(study, figure="sensitivity", threshold=2, **options)
    assert alike(analysed(turned, figure="specificity", threshold=LEVELS - 2, **options), sensitivity)
    one = mrmc.u_statistic(*study, figure="sensitivity", threshold=2, design=design)
    other = mrmc.u_statistic(*turned, figure="specificity", threshold=LEVELS - 2, design=design)
    assert other.variance == {label: near(value) for label, value in one.variance.items()}


@few
@given(studies, figures)
def test_doubled_cases_keep_the_estimates_and_halve_case_variances(study: Study, figure: Any) -> None:
    doubled = Study(*(np.concatenate([column, column]) for column in study))
    doubled.case[study.score.size :] += 100
    before, after = (mrmc.obuchowski_rockette(*data, figure=figure, threshold=2) for data in (study, doubled))
    assert after.estimates == {cell: near(value) for cell, value in before.estimates.items()}
    assert (np.diag(after.matrix) <= np.diag(before.matrix) / 2 + 1e-15).all()
    assert (after.ms_t, after.ms_tr) == (near(before.ms_t), near(before.ms_tr))


@few
@given(studies)
def test_the_area_of_a_turned_score_is_what_is_missing_to_one(study: Study) -> None:
    before, after = (mrmc.obuchowski_rockette(*data) for data in (study, replace(study, score=-study.score)))
    assert after.estimates == {cell: near(1 - value) for cell, value in before.estimates.items()}
    assert (after.f, after.cov2) == (near(before.f), near(before.cov2))


@few
@given(studies, randoms)
def test_an_interval_excludes_zero_exactly_if_p_is_small(study: Study, random: Any) -> None:
    for row in mrmc.obuchowski_rockette(*study, random=random).differences:
        if row.p is not None and abs(row.p - 0.05) > 1e-9:
            assert (row.low > 0 or row.high < 0) == (row.p < 0.05)


@few
@given(studies)
def test_fixing_readers_or_cases_never_widens_the_error_term(study: Study) -> None:
    """What is fixed adds nothing to the error. Readers' own variance can come out negative; then nothing is said."""
    result = {random: mrmc.obuchowski_rockette(*study, random=random) for random in ("both", "readers", "cases")}
    if None in {agreement.denominator for agreement in result.values()}:
        return
    assert result["readers"].denominator <= result["both"].denominator + 1e-15
    if result["both"].var_tr >= 0 and result["both"].cov2 >= result["both"].cov3:
        assert result["cases"].denominator <= result["both"].denominator + 1e-15


scores = st.tuples(seeds, st.integers(6, 14)).map(lambda drawn: _scores(*drawn))


def _scores(seed: int, cases: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.arange(cases) % 2
    return truth, rng.integers(0, 5, cases) + truth, rng.normal(size=cases) + truth, np.arange(cases) // 3


@few
@given(scores, st.floats(0.1, 9), st.floats(-5, 5))
def test_delong_sees_ranks_alone_and_turned_scores_turn_the_areas(drawn: Any, slope: float, shift: float) -> None:
    truth, one, other, patient = drawn
    before = delong.paired(truth, one, other, cluster=patient)
    moved = delong.paired(truth, slope * one + shift, np.exp(other), cluster=patient)
    turned = delong.paired(truth, -slope * one, -other, cluster=patient)
    assert (moved.difference, moved.se, moved.p) == (near(before.difference), near(before.se), near(before.p))
    assert (turned.auc_a, turned.auc_b, turned.p) == (near(1 - before.auc_a), near(1 - before.auc_b), near(before.p))


@few
@given(scores, st.randoms())
def test_delong_ignores_order_of_cases_and_names_of_patients(drawn: Any, random: Any) -> None:
    truth, one, other, patient = drawn
    rows = np.array(random.sample(range(truth.size), truth.size))
    names = np.array([f"patient {number}" for number in random.sample(range(99), 9)])
    before = delong.paired(truth, one, other, cluster=patient)
    after = delong.paired(truth[rows], one[rows], other[rows], cluster=names[patient[rows]])
    assert (after.difference, after.se, after.p) == (near(before.difference), near(before.se), near(before.p))


@few
@given(scores, scores)
def test_exchanging_two_unpaired_samples_turns_the_sign(first: Any, second: Any) -> None:
    before = delong.unpaired(first[0], first[1], second[0], second[2])
    after = delong.unpaired(second[0], second[2], first[0], first[1])
    assert (after.difference, after.p, after.df) == (near(-before.difference), near(before.p), near(before.df))


@few
@given(ps, st.integers(0, 7), st.floats(0, 1), st.sampled_from(["holm", "benjamini_hochberg"]))
def test_a_larger_p_never_makes_another_one_smaller(p: list[float], place: int, other: float, name: str) -> None:
    correct = getattr(multiplicity, name)
    larger = list(p)
    larger[place % len(p)] = max(other, p[place % len(p)])
    assert (correct(larger) >= correct(p) - 1e-12).all()


@few
@given(ps, st.sampled_from(["holm", "benjamini_hochberg"]))
def test_corrected_ps_keep_their_order_and_are_never_smaller(p: list[float], name: str) -> None:
    adjusted = getattr(multiplicity, name)(p)
    assert (adjusted >= np.array(p) - 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= -1e-12).all()
    assert adjusted.max() <= 1
    if len(p) == 1:
        assert adjusted[0] == near(p[0])


@few
@given(ps, st.floats(0, 1))
def test_one_more_test_in_the_family_never_helps_the_others_by_holm(p: list[float], more: float) -> None:
    assert (multiplicity.holm([*p, more])[:-1] >= multiplicity.holm(p) - 1e-12).all()


@few
@given(st.floats(-1, 1), st.floats(0.001, 1), st.floats(0.01, 1), st.sampled_from([None, 4.0, 30.5]))
def test_tost_is_significant_exactly_if_the_interval_is_in_the_margin(
    difference: float, se: float, margin: float, df: float | None
) -> None:
    result = equivalence.tost(difference, se, margin, df=df)
    assume(abs(result.p - 0.05) > 1e-9)
    assert result.equivalent == (-margin < result.low and result.high < margin)
    mirrored = equivalence.tost(-difference, se, margin, df=df)
    assert (mirrored.p, mirrored.p_below) == (near(result.p), near(result.p_above))
    assert equivalence.tost(difference, se, 2 * margin, df=df).p <= result.p


@few
@given(counts, counts)
def test_intervals_of_shares_are_mirrored_where_hits_and_misses_are(first: Any, second: Any) -> None:
    (hits, trials), (others, trials_second) = first, second
    for interval in (wilson, clopper_pearson):
        one, other = interval(hits, trials), interval(trials - hits, trials)
        assert (other.low, other.high) == (near(1 - one.high), near(1 - one.low))
        wider = interval(hits, trials, confidence=0.99)
        assert wider.low <= one.low <= one.share <= one.high <= wider.high
    one = newcombe(wilson(hits, trials), wilson(others, trials_second))
    other = newcombe(wilson(others, trials_second), wilson(hits, trials))
    assert (other.low, other.high) == (near(-one.high), near(-one.low))


@few
@given(st.tuples(*[st.integers(0, 9)] * 4))
def test_the_paired_interval_contains_its_difference(cells: tuple[int, int, int, int]) -> None:
    assume(sum(cells))
    result = newcombe_paired(*cells)
    assert -1 - 1e-12 <= result.low <= result.difference <= result.high <= 1 + 1e-12


@few
@given(counts, counts, counts, counts)
def test_exchanging_the_sessions_turns_the_shifts_of_detection(a: Any, b: Any, c: Any, d: Any) -> None:
    first, second = detection(*a, *b), detection(*c, *d)
    assert first is not None
    assert second is not None
    for shift in (d_prime_shift, criterion_shift):
        one, other = shift(first, second), shift(second, first)
        assert (other.difference, other.p, other.low) == (near(-one.difference), near(one.p), near(-one.high))


@settings(max_examples=8, derandomize=True)
@given(st.integers(0, 12), st.integers(0, 15))
def test_boschloo_does_not_know_which_session_came_first(hits: int, others: int) -> None:
    one = exact_tests.boschloo(wilson(hits, 12), wilson(others, 15))
    other = exact_tests.boschloo(wilson(others, 15), wilson(hits, 12))
    misses = exact_tests.boschloo(wilson(12 - hits, 12), wilson(15 - others, 15))
    assert one is not None
    assert (other, misses) == (pytest.approx(one, abs=1e-6), pytest.approx(one, abs=1e-6))


credits = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=20, max_size=44)


@few
@given(credits, credits, st.sampled_from([4, 5, 10]))
def test_sub_group_tests_are_symmetric_in_correctness_and_sessions(
    three: list[float], five: list[float], groups: int
) -> None:
    before = subgroup_test({3: three, 5: five}, 3, 5, groups=groups)
    turned = subgroup_test({3: [1 - c for c in three], 5: [1 - c for c in five]}, 3, 5, groups=groups)
    swapped = subgroup_test({3: five, 5: three}, 3, 5, groups=groups)
    assert (turned.difference, turned.p) == (near(-before.difference), near(before.p))
    assert (swapped.difference, swapped.p) == (near(-before.difference), near(before.p))
    batch, mirrored = (batch_means_test(c, 3, 5, groups=groups) for c in ({3: three, 5: five}, {3: five, 5: three}))
    assert (mirrored.p, mirrored.df) == (near(batch.p), near(batch.df))


@few
@given(credits, st.sampled_from([4, 5, 10]))
def test_whole_sub_groups_may_be_read_backwards(three: list[float], groups: int) -> None:
    whole = three[: groups * (len(three) // groups)]
    before, after = (subgroup_test({3: data, 5: three}, 3, 5, groups=groups) for data in (whole, whole[::-1]))
    assert (after.p, after.sds[3]) == (near(before.p), near(before.sds[3]))
    assert after.blocks[3] == tuple(map(near, before.blocks[3][::-1]))


@few
@given(st.lists(st.lists(st.sampled_from("run"), min_size=3, max_size=3), min_size=3, max_size=9))
def test_doubled_cases_narrow_the_intervals_of_agreement(rows: list[list[str]]) -> None:
    verdicts = np.array(rows)
    case = np.repeat(np.arange(len(rows)), 3)
    before = agreement(verdicts.ravel(), case, levels="run")
    after = agreement(np.tile(verdicts.ravel(), 2), np.concatenate([case, case + 100]), levels="run")
    for name in ("percent", "fleiss_kappa", "gwet_ac1"):
        one, other = getattr(before, name), getattr(after, name)
        assert other.value == near(one.value)
        if one.se:
            assert other.se < one.se


@few
@given(seeds, st.integers(2, 3))
def test_the_bootstrap_of_turned_scores_is_the_bootstrap_turned(seed: int, readers: int) -> None:
    study = crossed(np.random.default_rng(seed), readers=readers, negatives=6, positives=6)
    turned = replace(study, score=-study.score)
    one, other = (reader_by_case(*s, rng=np.random.default_rng(seed), replicates=99) for s in (study, turned))
    for label, mean in one.means.items():
        mirrored = other.means[label]
        assert (mirrored.estimate, mirrored.low) == (near(1 - mean.estimate), near(1 - mean.high))
    assert other.differences[0].p == near(one.differences[0].p)


@settings(max_examples=8, derandomize=True)
@given(seeds, st.floats(0.5, 4), st.floats(-3, 3))
def test_the_linear_model_moves_with_its_outcome(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    reader, case = (axis.ravel() for axis in np.indices((4, 15)))
    later = case % 2
    outcome = rng.normal(size=4)[reader] + 0.5 * rng.normal(size=15)[case] + rng.normal(size=60)
    names = rng.permutation(4)
    before = linear(outcome, {"later": later}, reader, case)
    after = linear(scale * outcome + shift, {"later": 1 - later}, names[reader], case)
    assert after.fixed[1].estimate == pytest.approx(-scale * before.fixed[1].estimate, rel=1e-3, abs=1e-6)
    assert after.fixed[1].p == pytest.approx(before.fixed[1].p, rel=1e-2, abs=1e-6)
    assert after.residual_sd == pytest.approx(scale * before.residual_sd, rel=1e-3)


@few
@given(st.lists(st.floats(0.1, 500), min_size=1, max_size=20), st.floats(1, 100))
def test_the_idle_rule_removes_time_above_it(seconds: list[float], idle: float) -> None:
    result = reading_times.reading_times(seconds, idle_after=idle)
    assert result.active_minutes + result.idle_minutes == near(result.minutes)
    assert result.idle_readings == sum(second > idle for second in seconds)
    parts = [reading_times.reading_times(part, idle_after=idle) for part in (seconds[:3], seconds[3:])]
    assert sum(part.active_minutes for part in parts) == near(result.active_minutes)


@few
@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=6, max_size=30))
def test_trend_and_tau_do_not_know_right_from_wrong(correct: list[float]) -> None:
    place, wrong = np.linspace(-1, 1, len(correct)), [1 - c for c in correct]
    one, other = order_effects.trend(correct, place), order_effects.trend(wrong, place)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert (other.slope, other.p) == (pytest.approx(-one.slope, abs=1e-8), pytest.approx(one.p, abs=1e-8))
    tau, turned = (order_effects.kendall(c, rng=np.random.default_rng(1), permutations=99) for c in (correct, wrong))
    if tau is not None and turned is not None:
        assert turned.value == near(-tau.value)


@few
@given(seeds)
def test_flipped_labels_give_one_minus_the_area(seed: int) -> None:
    rng = np.random.default_rng(seed)
    feature, labels = rng.integers(0, 4, 12).astype(float), rng.permutation(12) % 2
    assert separability.feature_auc(feature, 1 - labels) == near(1 - separability.feature_auc(feature, labels))
