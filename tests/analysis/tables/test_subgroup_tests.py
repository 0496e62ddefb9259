"""The sub-group tests as the page shows them: the plan's form first, corrected, with batches beside it."""

import pytest

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.tables.comparison.subgroup_tests import (
    all_subgroup_tests_table,
    subgroup_comparisons,
    subgroup_tests_table,
)
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
from readerstudy.statistics.exact_tests import boschloo
from readerstudy.statistics.proportions import wilson
from readerstudy.statistics.subgroups import batch_means_test
from readerstudy.statistics.unsure import Unsure
from tests.analysis import small
from tests.analysis.tables.test_article import by_first
from tests.statistics.oracle import ORACLES, expected, simulated_readings


def test_p_values_are_those_of_the_independent_program() -> None:
    comparisons = subgroup_comparisons(small.record(readings=simulated_readings()), groups=5)
    assert len(comparisons) == 5 * (3 * 3 + 3)
    table = subgroup_tests_table(comparisons, plan=AnalysisPlan())
    forms = ("p_difference_normal", "p_difference_t", "p_single_normal")
    result = dict(zip(by_first(table, "reader", "subset", "sessions"), by_first(table, *forms), strict=True))
    (row,) = (
        row
        for row in expected(ORACLES / "subgroups_expected.csv")
        if (row["reader"], row["subset"], row["g"], row["a"], row["b"]) == ("R4", "fake_pos", "5", "3", "5")
    )
    wanted = tuple(float(row[name]) for name in ("pA_onesided_observed", "pA_t", "pB_onesided_observed"))
    assert result["R4", "adversarial, of positives", "3 → 5"] == pytest.approx(wanted, rel=1e-10)


def test_a_number_of_sub_groups_asked_for_joins_the_strip() -> None:
    comparisons = subgroup_comparisons(
        small.record(readings=simulated_readings(), plan=AnalysisPlan(groups=7)), groups=7
    )
    table = subgroup_tests_table(comparisons, plan=AnalysisPlan(groups=7))
    keys = [column.key for column in table.columns]
    assert [key for key in keys if key.startswith("p_single_") and key[-1].isdigit()] == [
        f"p_single_{groups}" for groups in (4, 5, 7, 10, 20)
    ]
    assert len(all_subgroup_tests_table(comparisons).rows) == len(comparisons) * 2 * 5 * 4


def test_an_undefined_test_is_a_dash_with_its_reason_and_the_exact_p() -> None:
    comparisons = subgroup_comparisons(small.record(), groups=5)
    table = subgroup_tests_table(comparisons, plan=AnalysisPlan())
    (row,) = (
        row
        for row in by_first(table, "reader", "subset", "sessions", "p_difference_normal", "exact_p")
        if row[:3] == ("R1", "real", "2 → 3")
    )
    assert row[3] is None
    assert row[4] == boschloo(wilson(2, 4), wilson(3, 4))
    assert "exact test" in " ".join(table.notes)


def test_the_declared_form_comes_first_and_sets_the_distribution() -> None:
    plan = AnalysisPlan(statistic="single", distribution="t")
    comparisons = subgroup_comparisons(small.record(readings=simulated_readings(), plan=plan), groups=5)
    table = subgroup_tests_table(comparisons, plan=plan)
    forms = [column for column in table.columns if column.group.endswith(", g = 5")]
    assert [column.key for column in forms[:2]] == ["p_single_t", "adjusted"]
    assert [column.group for column in forms] == [*["p by the plan, g = 5"] * 2, *["Other forms, g = 5"] * 3]
    first, *rest = by_first(table, "p_single_t", "p_single_5", "p_single_10")
    tests = comparisons[0].tests["subset"]
    assert first == (tests[5, "single", "t"].p, tests[5, "single", "t"].p, tests[10, "single", "t"].p)
    assert len(rest) == len(comparisons) - 1


def test_the_adjusted_p_is_that_of_all_rows_for_both_directions() -> None:
    plan = AnalysisPlan()
    comparisons = subgroup_comparisons(small.record(readings=simulated_readings()), groups=5)
    table = subgroup_tests_table(comparisons, plan=plan)
    result = by_first(table, "p_difference_t", "adjusted")
    doubled = [min(1.0, 2 * float(str(p))) for p, _ in result]
    # Step-up by hand: p times the number of tests over its rank, never above that of a larger p.
    ranked = sorted(range(len(doubled)), key=doubled.__getitem__)
    wanted, least = [0.0] * len(doubled), 1.0
    for rank, place in reversed(list(enumerate(ranked, start=1))):
        least = min(least, doubled[place] * len(doubled) / rank)
        wanted[place] = least
    assert [adjusted for _, adjusted in result] == pytest.approx(wanted)
    assert f"all {len(result)} tests of this table (Benjamini and Hochberg)" in " ".join(table.notes)


def test_a_plan_that_corrects_nothing_says_so() -> None:
    comparisons = subgroup_comparisons(small.record(readings=simulated_readings()), groups=5)
    table = subgroup_tests_table(comparisons, plan=AnalysisPlan(exploratory="none"))
    assert all(adjusted == min(1, 2 * p) for p, adjusted in by_first(table, "p_difference_t", "adjusted"))
    assert "the plan does not adjust them" in " ".join(table.notes)


def test_a_test_that_the_plan_declares_is_marked_with_its_family() -> None:
    plan = AnalysisPlan(families=(Family("the article’s", ("subgroup.real",)),))
    comparisons = subgroup_comparisons(small.record(readings=simulated_readings()), groups=5)
    marked = by_first(subgroup_tests_table(comparisons, plan=plan), "subset", "sessions", "family")
    assert {row[:2] for row in marked if row[2] == "the article’s"} == {("real", "3 → 5")}
    assert sum(row[2] != "" for row in marked) == 5
    assert any(note.startswith("Rows with an entry") for note in subgroup_tests_table(comparisons, plan=plan).notes)


def test_batches_of_the_database_give_the_test_of_the_readings() -> None:
    readings = simulated_readings()
    comparisons = subgroup_comparisons(small.record(readings=readings), groups=5)
    table = subgroup_tests_table(comparisons, plan=AnalysisPlan())
    result = dict(zip(by_first(table, "reader", "subset", "sessions"), by_first(table, "p_batches"), strict=True))
    credits = {
        session: readings.where(reader="R2", session=session, subset=Subset.REAL).credits(Unsure.WRONG)
        for session in (2, 3, 5)
    }
    for a, b in ((2, 3), (3, 5)):
        assert result["R2", "real", f"{a} → {b}"] == (batch_means_test(credits, a, b).p,)


def test_fewer_readings_than_batches_give_no_p() -> None:
    comparisons = subgroup_comparisons(small.record(), groups=5)
    assert {p for (p,) in by_first(subgroup_tests_table(comparisons, plan=AnalysisPlan()), "p_batches")} == {None}
