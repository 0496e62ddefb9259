"""The sub-group test against an independent program, by hand, and at its edges."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from readerstudy.analysis.record.codes import Subset
from readerstudy.statistics.subgroups import (
    UndefinedReason,
    batch_means_test,
    batch_means_test_from_sums,
    cut_into_subgroups,
    cut_within_session,
    every_form,
    subgroup_test,
    subgroup_test_from_sums,
)
from readerstudy.statistics.unsure import Unsure
from tests.analysis.long_readings import LongReadings
from tests.statistics.oracle import ORACLES, SHARED, expected, simulated_readings

SUBSETS = {
    "real": Subset.REAL,
    "real_pos": Subset.REAL_POSITIVE,
    "real_neg": Subset.REAL_NEGATIVE,
    "fake": Subset.ADVERSARIAL,
    "fake_pos": Subset.ADVERSARIAL_POSITIVE,
    "fake_neg": Subset.ADVERSARIAL_NEGATIVE,
}
OURS = ORACLES / "subgroups_expected.csv"
ALL = SHARED / "simstudy_paper_method_expected.csv"


def credits_by_session(readings: LongReadings, rule: Unsure) -> dict[int, np.ndarray]:
    """What the test takes: the credits of one reader and subset, by session, in reading order."""
    judged = readings.with_verdict
    return {session: judged.where(session=session).credits(rule) for session in judged.sessions}


@pytest.mark.parametrize("path", [OURS, ALL], ids=["two readers", "every reader"])
def test_every_row_agrees_with_an_independent_program(path: Path) -> None:
    if not path.exists():
        pytest.skip("the full table of the simulated study is not beside this checkout")
    readings = simulated_readings()
    rows = expected(path)
    assert len(rows) in (96, 240)
    for row in rows:
        chosen = readings.where(reader=row["reader"], subset=SUBSETS[row["subset"]])
        correct = credits_by_session(chosen, Unsure.WRONG)
        a, b, groups = int(row["a"]), int(row["b"]), int(row["g"])
        headline = subgroup_test(correct, a, b, groups=groups, distribution="normal")
        with_t = subgroup_test(correct, a, b, groups=groups, distribution="t")
        single = subgroup_test(correct, a, b, groups=groups, error="single", distribution="normal")
        result = {
            "n_a": correct[a].size,
            "n_b": correct[b].size,
            "acc_a": headline.share_a,
            "acc_b": headline.share_b,
            "diff": headline.difference,
            "sd_2": headline.sds.get(2),
            "sd_3": headline.sds[3],
            "sd_5": headline.sds[5],
            "sd_mean": headline.sigma,
            "zA": headline.z,
            "pA_onesided_observed": headline.p,
            "pA_t": with_t.p,
            "df_t": with_t.df,
            "zB": single.z,
            "pB_onesided_observed": single.p,
        }
        for name, value in result.items():
            if row[name] == "":
                assert value is None, (name, row)
            else:
                assert value == pytest.approx(float(row[name]), rel=1e-10, abs=1e-10), (name, row)


def test_a_small_case_agrees_with_pencil_and_paper() -> None:
    # Blocks of two: shares 1, .5 (SD √.125) and 0, .5 (the same); the last reading of session 3 stays out.
    correct = {2: [1, 1, 1, 0], 3: [0, 0, 1, 0, 1]}
    test = subgroup_test(correct, 2, 3, groups=2, distribution="normal")
    assert test.sigma == pytest.approx(0.125**0.5)
    assert test.difference == pytest.approx(2 / 5 - 3 / 4)
    assert test.dropped == {2: 0, 3: 1}
    assert test.z == pytest.approx(0.35 / 0.125**0.5)
    assert test.df is None
    assert test.blocks == {2: (1.0, 0.5), 3: (0.0, 0.5)}
    assert subgroup_test(correct, 2, 3, groups=2, distribution="t").df == 2


def test_no_difference_gives_one_half() -> None:
    test = subgroup_test({3: [1, 0, 1, 1], 5: [1, 1, 0, 1]}, 3, 5, groups=2)
    assert (test.z, test.p) == (0.0, 0.5)


def test_equal_sub_groups_refer_to_the_exact_test() -> None:
    # .1 + .2-like rounding must not turn an SD of nothing into a p-value of nothing.
    test = subgroup_test({3: [1, 1, 0] * 7, 5: [1, 0, 0] * 7}, 3, 5, groups=7)
    assert test.sigma == 0
    assert (test.z, test.p) == (None, None)
    assert test.undefined is UndefinedReason.NO_SPREAD
    assert "exact test" in test.undefined.value


@pytest.mark.parametrize("few", [[], [1, 0, 1]])
def test_fewer_readings_than_sub_groups_leave_the_test_undefined(few: list[int]) -> None:
    test = subgroup_test({3: few, 5: [1, 0] * 10}, 3, 5, groups=4)
    assert test.undefined is UndefinedReason.TOO_FEW
    assert (test.sigma, test.z, test.p) == (None, None, None)
    assert "exact test" in test.undefined.value


def test_a_short_third_session_leaves_the_test_undefined() -> None:
    correct = {2: [1, 0], 3: [1, 0, 1, 1, 1, 0], 5: [0, 0, 1, 0, 1, 0]}
    assert subgroup_test(correct, 3, 5, groups=3).undefined is UndefinedReason.TOO_FEW


def test_a_session_without_the_subset_does_not_enter_the_spread() -> None:
    correct = {3: [1, 0, 1, 1, 1, 0], 5: [0, 0, 1, 0, 1, 0]}
    assert subgroup_test({2: [], **correct}, 3, 5, groups=3) == subgroup_test(correct, 3, 5, groups=3)


def test_a_session_that_was_not_given_is_named() -> None:
    with pytest.raises(ValueError, match="session 5"):
        subgroup_test({3: [1, 0]}, 3, 5, groups=2)


@pytest.mark.parametrize("wrong", [{"groups": 1}, {"error": "both"}, {"distribution": "beta"}])
def test_a_test_that_does_not_exist_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"sub-groups|is not supported"):
        subgroup_test({3: [1, 0], 5: [0, 1]}, 3, 5, **wrong)


def test_too_few_readings_have_no_blocks_to_plot() -> None:
    assert subgroup_test({3: [1, 0, 1], 5: [1, 0, 0, 1]}, 3, 5, groups=4).blocks == {3: (), 5: (1.0, 0.0, 0.0, 1.0)}


def test_every_form_has_both_errors_distributions_and_group_counts() -> None:
    correct = {3: [1, 0, 1, 1] * 10, 5: [0, 0, 1, 1, 0] * 8}
    forms = every_form(correct, 3, 5, groups=8)
    assert len(forms) == 5 * 2 * 2
    assert {groups for groups, _, _ in forms} == {4, 5, 8, 10, 20}
    for (groups, error, distribution), test in forms.items():
        assert test == subgroup_test(correct, 3, 5, groups=groups, error=error, distribution=distribution)


@pytest.mark.parametrize("wrong", [[0.0, 2.0], [float("nan"), 1.0], [[1.0, 0.0]]])
def test_readings_that_are_neither_right_nor_wrong_are_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="session 5"):
        subgroup_test({3: [1, 0], 5: wrong}, 3, 5, groups=2)


def test_welchs_t_on_batch_means_agrees_with_scipy() -> None:
    for reader in ("R1", "R2", "R3", "R4", "R5"):
        correct = credits_by_session(simulated_readings().where(reader=reader, subset=Subset.REAL), Unsure.WRONG)
        test = batch_means_test(correct, 2, 3)
        batches = [values[: len(values) // 10 * 10].reshape(10, -1).mean(axis=1) for values in (correct[2], correct[3])]
        welch = stats.ttest_ind(batches[1], batches[0], equal_var=False)
        interval = welch.confidence_interval(0.95)
        assert (test.t, test.df, test.p) == pytest.approx((welch.statistic, welch.df, welch.pvalue), rel=1e-10)
        assert (test.low, test.high) == pytest.approx((interval.low, interval.high), rel=1e-10)


def test_batch_means_are_undefined_for_few_readings_or_no_spread() -> None:
    few = batch_means_test({3: [1] * 9, 5: [1, 0] * 20}, 3, 5)
    assert (few.undefined, few.p, few.difference) == (UndefinedReason.TOO_FEW, None, None)
    same = batch_means_test({3: [1] * 20, 5: [1, 0] * 20}, 3, 5)
    assert (same.undefined, same.p, same.difference) == (UndefinedReason.NO_SPREAD, None, -0.5)


def test_batches_computed_before_give_the_same_test() -> None:
    correct = {3: [1, 0, 1] * 9, 5: [1, 1, 0, 1] * 5}
    cuts = {session: cut_into_subgroups(values, 10) for session, values in correct.items()}
    assert batch_means_test_from_sums(cuts, 3, 5) == batch_means_test(correct, 3, 5)
    with pytest.raises(ValueError, match="20 batches of each session"):
        batch_means_test_from_sums(cuts, 3, 5, groups=20)
    with pytest.raises(ValueError, match="confidence"):
        batch_means_test_from_sums(cuts, 3, 5, confidence=1.0)


def test_one_session_without_spread_leaves_the_other_ones_spread() -> None:
    test = batch_means_test({3: [1] * 20, 5: [1, 1, 0, 1] * 5}, 3, 5)
    assert test.df == pytest.approx(9)
    assert test.p is not None
    assert 0 < test.p < 0.05


session = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=8, max_size=40)


@given(session, session, session)
def test_exchanging_the_sessions_turns_the_sign_and_nothing_else(
    two: list[float], three: list[float], five: list[float]
) -> None:
    correct = {2: two, 3: three, 5: five}
    there, back = subgroup_test(correct, 3, 5), subgroup_test(correct, 5, 3)
    assert there.difference == -back.difference
    assert (there.sigma, there.z, there.p) == (back.sigma, back.z, back.p)


@given(session, session)
def test_the_single_error_is_always_the_bolder_and_t_the_more_careful(three: list[float], five: list[float]) -> None:
    correct = {3: three, 5: five}
    headline = subgroup_test(correct, 3, 5, distribution="normal")
    if headline.p is None:
        assert headline.sigma == 0
        return
    single = subgroup_test(correct, 3, 5, error="single", distribution="normal").p
    careful = subgroup_test(correct, 3, 5).p
    assert single is not None
    assert careful is not None
    assert single <= headline.p <= 0.5
    assert headline.p <= careful + 1e-15


@given(session, session)
def test_the_order_inside_one_sub_group_does_not_matter(three: list[float], five: list[float]) -> None:
    size = len(three) // 4
    turned = three[:size][::-1] + three[size:]
    assert subgroup_test({3: three, 5: five}, 3, 5, groups=4) == subgroup_test({3: turned, 5: five}, 3, 5, groups=4)


def shuffled(rng: np.random.Generator, shares: dict[bool, float], counts: dict[bool, int]) -> tuple[np.ndarray, ...]:
    """Credits of all readings of a session in random order, and which of them belong to the subset."""
    member = rng.permutation(np.repeat(list(counts), list(counts.values())))
    return (rng.random(member.size) < np.where(member, shares[True], shares[False])).astype(float), member


def simulated_sessions(seed: int) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    rng = np.random.default_rng(seed)
    sizes = {2: {True: 100, False: 0}, 3: {True: 76, False: 142}, 5: {True: 77, False: 143}}
    made = {number: shuffled(rng, {True: 0.6, False: 0.4}, counts) for number, counts in sizes.items()}
    return {n: credits for n, (credits, _) in made.items()}, {n: member for n, (_, member) in made.items()}


@pytest.mark.parametrize("error", ["difference", "single"])
def test_the_sd_of_whole_sessions_agrees_with_pencil_and_paper(error: str) -> None:
    whole, within = simulated_sessions(1)
    correct = {number: whole[number][within[number]] for number in (3, 5)}
    test = subgroup_test(correct, 3, 5, error=error, sd_of="whole", whole=whole)
    blocks = {n: values[: values.size // 5 * 5].reshape(5, -1).mean(axis=1) for n, values in whole.items()}
    sigma = np.mean([blocks[n].std(ddof=1) for n in (2, 3, 5)])
    z = abs(correct[5].mean() - correct[3].mean()) / (sigma * np.sqrt((2 if error == "difference" else 1) / 5))
    assert (test.sigma, test.z, test.df) == (pytest.approx(sigma), pytest.approx(z), 3 * 4)
    assert test.p == pytest.approx(stats.t.sf(z, 12))
    assert test.dropped == {2: 0, 3: 218 % 5, 5: 0}
    assert test.difference == pytest.approx(correct[5].mean() - correct[3].mean())


def test_the_sd_within_sessions_is_that_of_the_subset_in_blocks_of_all_readings() -> None:
    whole, within = simulated_sessions(2)
    correct = {number: whole[number][within[number]] for number in (3, 5)}
    test = subgroup_test(correct, 3, 5, sd_of="session", within={n: within[n] for n in (3, 5)})
    sds, dropped = {}, {}
    for n in (3, 5):
        size = whole[n].size // 5
        blocks = [slice(start * size, (start + 1) * size) for start in range(5)]
        sds[n] = np.std([whole[n][block][within[n][block]].mean() for block in blocks], ddof=1)
        dropped[n] = int(within[n][5 * size :].sum())
    assert test.sds == pytest.approx(sds)
    assert test.dropped == dropped
    assert test.p == pytest.approx(stats.t.sf(abs(test.difference) / (test.sigma * np.sqrt(2 / 5)), 8))


@given(st.integers(0, 50))
def test_a_subset_of_all_readings_has_one_sd_by_every_reading(seed: int) -> None:
    whole, _ = simulated_sessions(seed)
    within = {number: np.ones(values.size) for number, values in whole.items()}
    subset = subgroup_test(whole, 2, 5)
    for other in (
        subgroup_test(whole, 2, 5, sd_of="whole", whole=whole),
        subgroup_test(whole, 2, 5, sd_of="session", within=within),
    ):
        assert (other.sigma, other.p, other.dropped) == (
            pytest.approx(subset.sigma),
            pytest.approx(subset.p),
            subset.dropped,
        )


def test_a_block_without_the_subset_has_no_accuracy() -> None:
    within = {3: [1, 1, 0, 0, 1, 1], 5: [1, 1, 1, 1, 1, 1]}
    test = subgroup_test({3: [1, 0, 1, 1], 5: [1, 0, 0, 1, 1, 0]}, 3, 5, groups=3, sd_of="session", within=within)
    assert (test.undefined, test.sigma, test.p) == (UndefinedReason.EMPTY, None, None)


def test_equal_shares_of_unequal_blocks_have_no_spread() -> None:
    # Shares of 1/3 in blocks of three and of six: their SD must be 0 and not 1e-17.
    member = [1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    correct = [1, 0, 0, 1, 1, 0, 0, 0, 0]
    test = subgroup_test({3: correct, 5: correct}, 3, 5, groups=2, sd_of="session", within={3: member, 5: member})
    assert test.undefined is UndefinedReason.NO_SPREAD


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sd_of": "study"}, "not supported"),
        ({"sd_of": "whole"}, "all readings of session 3"),
        ({"sd_of": "whole", "whole": {3: [1, 0, 1]}}, "all readings of session 5"),
        ({"sd_of": "session"}, "needs within"),
        ({"sd_of": "session", "within": {3: [1, 1], 5: [1]}}, "one True for each reading"),
    ],
)
def test_a_spread_without_its_readings_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        subgroup_test({3: [1, 0], 5: [0, 1]}, 3, 5, groups=2, **wrong)


def test_a_cut_of_the_subset_is_not_taken_for_one_of_the_session() -> None:
    cuts = {3: cut_into_subgroups([1, 0], 2), 5: cut_within_session([0, 1], [1, 1], 2)}
    with pytest.raises(ValueError, match="cut_within_session"):
        subgroup_test_from_sums(cuts, 3, 5, groups=2, sd_of="session")


def test_the_default_distribution_is_t() -> None:
    test = subgroup_test({3: [1, 0, 1, 1] * 10, 5: [0, 0, 1, 1, 0] * 8}, 3, 5)
    assert (test.distribution, test.df, test.sd_of) == ("t", 8, "subset")
