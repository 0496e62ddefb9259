"""The sub-group tests as the page shows them: the plan's form first, corrected, with batches beside it."""

import pytest

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report.build import StudyReport
from readerstudy.analysis.tables.comparison.reader_changes import reader_changes, reader_changes_table
from readerstudy.analysis.tables.comparison.subgroup_tests import (
    all_subgroup_tests_table,
    article_p_table,
    subgroup_comparisons,
    subgroup_tests_table,
)
from readerstudy.analysis.wording import subset_name
from readerstudy.layout.table import Table
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
from readerstudy.statistics.exact_tests import boschloo
from readerstudy.statistics.proportions import newcombe, wilson
from readerstudy.statistics.subgroups import batch_means_test
from readerstudy.statistics.unsure import Unsure
from tests import make
from tests.analysis import small
from tests.analysis.tables.test_article import by_first
from tests.statistics.oracle import ORACLES, expected, simulated_readings


def test_p_values_are_those_of_the_independent_program() -> None:
    comparisons = subgroup_comparisons(small.record(readings=simulated_readings()), groups=5)
    assert len(comparisons) == 5 * (3 * 3 + 3)
    table = subgroup_tests_table(comparisons, plan=AnalysisPlan())
    forms = ("p_difference_normal", "p_difference_5", "p_single_normal")
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


def changes_of(record: StudyRecord, plan: AnalysisPlan) -> Table:
    subgroups = subgroup_comparisons(record, groups=plan.groups)
    return reader_changes_table(record, plan, reader_changes(record, plan, subgroups))


def test_an_undefined_test_is_a_dash_with_its_reason_and_the_exact_p() -> None:
    plan = AnalysisPlan()
    (row,) = (
        row
        for row in by_first(changes_of(small.record(), plan), "reader", "subset", "sessions", "p", "exact_p")
        if row[:3] == ("R1", "real", "2 → 3")
    )
    assert row[3] is None
    assert row[4] == boschloo(wilson(2, 4), wilson(3, 4))
    table = subgroup_tests_table(subgroup_comparisons(small.record(), groups=5), plan=plan)
    assert "exact test" in " ".join(table.notes)


def test_the_strip_has_the_declared_form_and_the_others_beside_it() -> None:
    plan = AnalysisPlan(statistic="single", distribution="normal", sd_of="whole")
    comparisons = subgroup_comparisons(small.record(readings=simulated_readings(), plan=plan), groups=5)
    table = subgroup_tests_table(comparisons, plan=plan)
    assert "SD of blocks of the session, all images; error of one mean" in table.caption
    names = ("p_single_10", "p_single_t", "p_subset")
    tests = comparisons[0].tests
    first, *rest = by_first(table, *names)
    assert first == (
        tests["whole"][10, "single", "normal"].p,
        tests["whole"][5, "single", "t"].p,
        tests["subset"][5, "single", "normal"].p,
    )
    assert len(rest) == len(comparisons) - 1


def test_the_strip_tells_what_stays_out_of_every_sigma() -> None:
    comparisons = subgroup_comparisons(small.record(readings=simulated_readings()), groups=5)
    table = subgroup_tests_table(comparisons, plan=AnalysisPlan())
    names = [f"left_out_{groups}" for groups in (4, 5, 10, 20)]
    for each, row in zip(comparisons, by_first(table, *names, "left_out_whole"), strict=True):
        sizes = {
            session: len(simulated_readings().where(reader=each.reader, session=session, subset=each.subset))
            for session in (2, 3, 5)
        }
        assert row[:4] == tuple(sum(size % groups for size in sizes.values()) for groups in (4, 5, 10, 20))
        assert row[4] == 436 % 5 + 440 % 5 + 100 % 5


def test_every_change_has_newcombes_interval_and_that_of_batches() -> None:
    record = small.record(readings=simulated_readings())
    table = changes_of(record, AnalysisPlan())
    assert len(table.rows) == 60
    for reader, images, sessions, change, batches in by_first(
        table, "reader", "subset", "sessions", "change", "batches"
    ):
        if (images, sessions) not in {("real", "2 → 3"), ("adversarial, of positives", "3 → 5")}:
            continue
        subset = Subset.REAL if images == "real" else Subset.ADVERSARIAL_POSITIVE
        a, b = (int(number) for number in sessions.split(" → "))
        own = {n: simulated_readings().where(reader=reader, session=n, subset=subset) for n in (a, b)}
        credits = {n: one.credits(Unsure.WRONG) for n, one in own.items()}
        wanted = newcombe(*(wilson(credit.sum(), credit.size) for credit in credits.values()))
        assert (change.value, change.low, change.high) == pytest.approx((wanted.difference, wanted.low, wanted.high))
        welch = batch_means_test(credits, a, b)
        assert (batches.value, batches.low, batches.high, batches.p) == pytest.approx(
            (welch.difference, welch.low, welch.high, welch.p)
        )


def test_the_articles_p_follows_table_3() -> None:
    record = small.record(readings=simulated_readings())
    plan = AnalysisPlan()
    comparisons = subgroup_comparisons(record, groups=5)
    keys = [table.key for table in StudyReport(record, at=make.MONDAY, plan=plan).sections[0].tables]
    assert keys[keys.index("table3") + 1] == "table3p"
    table = article_p_table(comparisons, plan=plan)
    assert table is not None
    assert len(table.rows) == 5 * 6
    p_of = {(each.reader, subset_name(each.subset), each.a, each.b): each.planned_test(plan).p for each in comparisons}
    for reader, images, *ps in by_first(table, "reader", "subset", "p_2_3", "p_2_5", "p_3_5"):
        assert ps == [p_of.get((reader, images, a, b)) for a, b in ((2, 3), (2, 5), (3, 5))]


def test_the_strip_of_p_values_is_in_the_appendix() -> None:
    sections = StudyReport(small.record(readings=simulated_readings()), at=make.MONDAY).sections
    places = {table.key: section.key for section in sections for table in section.tables}
    assert (places["pvalues"], places["reader_changes"], sections[-1].key) == ("appendix", "supporting", "appendix")


def test_the_adjusted_p_is_that_of_all_rows_for_both_directions() -> None:
    table = changes_of(small.record(readings=simulated_readings()), AnalysisPlan())
    result = by_first(table, "p", "adjusted")
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
    table = changes_of(small.record(readings=simulated_readings()), AnalysisPlan(exploratory="none"))
    assert all(adjusted == min(1, 2 * p) for p, adjusted in by_first(table, "p", "adjusted"))
    assert "the plan does not adjust them" in " ".join(table.notes)


def test_a_test_that_the_plan_declares_is_marked_with_its_family() -> None:
    plan = AnalysisPlan(families=(Family("the article’s", ("subgroup.real",)),))
    table = changes_of(small.record(readings=simulated_readings()), plan)
    marked = by_first(table, "subset", "sessions", "family")
    assert {row[:2] for row in marked if row[2] == "the article’s"} == {("real", "3 → 5")}
    assert sum(row[2] != "" for row in marked) == 5
    assert any(note.startswith("Rows with an entry") for note in table.notes)


def test_fewer_readings_than_batches_have_no_interval_of_batches() -> None:
    assert {each for (each,) in by_first(changes_of(small.record(), AnalysisPlan()), "batches")} == {None}
