"""The primary figure by other methods: each line against the method itself and against R."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison import sensitivity_analyses
from readerstudy.analysis.tables.comparison.mrmc import mrmc_comparisons
from readerstudy.analysis.tables.comparison.sensitivity_analyses import sensitivity_analyses_table
from readerstudy.analysis.tables.plan_rng import plan_rng
from readerstudy.layout.table import Estimate, Table, to_csv
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.bootstrap import reader_by_case
from readerstudy.statistics.mrmc import obuchowski_rockette, u_statistic
from tests.analysis import played
from tests.analysis.plan.test_planned_tests import SPREAD, full, two_arms
from tests.statistics.mrmc.data import simulated
from tests.statistics.simulated_study import figures

PLAN = AnalysisPlan()


def table_of(record: StudyRecord, plan: AnalysisPlan = PLAN) -> Table:
    table = sensitivity_analyses_table(record, plan, mrmc_comparisons(record, plan))
    assert to_csv(table)
    return table


def lines(table: Table, arm: str = "high") -> dict[str, dict[str, Any]]:
    """By the beginning of the method's name."""
    keys = [column.key for column in table.columns]
    rows = [dict(zip(keys, row, strict=True)) for row in table.rows if row[0] == arm]
    return {row["method"].split(",")[0].split(" (")[0]: row for row in rows}


def test_the_jackknife_line_is_what_mrmcaov_finds() -> None:
    line = lines(table_of(full(PLAN)))["jackknife covariances"]
    oracle = figures("simstudy_r_expected.json")["mrmc_auc_nested_jackknife"]
    before, after = (row["Estimate"] for row in oracle["means"])
    assert (line["before"].value, line["after"].value) == pytest.approx((before, after), abs=1e-10)
    assert line["p"] == pytest.approx(oracle["test"][0]["p-value"], abs=1e-10)


def test_every_line_is_its_own_method_on_the_readings_of_another_file() -> None:
    result = lines(table_of(full(PLAN)))
    assert list(result) == [
        "planned: Obuchowski–Rockette",
        "jackknife covariances",
        "unbiased covariances",
        "U-statistics",
        "these readers only",
        "these images only",
        "bootstrap of readers and images",
    ]
    nested = {"design": "cases_in_condition"}
    for name, options in (
        ("unbiased covariances", {"covariance": "unbiased"}),
        ("these readers only", {"random": "cases"}),
        ("these images only", {"random": "readers"}),
    ):
        direct = obuchowski_rockette(*simulated(), **nested, **options)
        assert result[name]["p"] == pytest.approx(direct.p, rel=1e-10)
        low, high = direct.differences[0].low, direct.differences[0].high
        assert (-result[name]["difference"].high, -result[name]["difference"].low) == pytest.approx((low, high))
    second = u_statistic(*simulated(), **nested)
    assert result["U-statistics"]["p"] == pytest.approx(second.p_bdg, rel=1e-10)
    assert result["U-statistics"]["difference"].value == pytest.approx(-(second.difference or 0), abs=1e-12)


def test_the_bootstrap_follows_from_the_plan_alone() -> None:
    direct = reader_by_case(*simulated(), rng=plan_rng(PLAN, "bootstrap"))
    one, again = (lines(table_of(full(PLAN)))["bootstrap of readers and images"] for _ in range(2))
    assert one == again
    assert one["difference"].value == pytest.approx(direct.differences[0].estimate)
    # Cases have other names in the other file, so the draws differ: two bootstraps of 2,000 replicates.
    assert one["difference"].low == pytest.approx(direct.differences[0].low, abs=0.01)
    assert plan_rng(PLAN, "a").random() != plan_rng(AnalysisPlan(alpha=0.01), "a").random()


def test_a_negative_variance_refers_to_the_v_statistic() -> None:
    table = table_of(played.record(SPREAD))
    result = lines(table)
    assert result["U-statistics"]["p"] is None
    assert isinstance(result["U-statistics"]["difference"], float)
    assert isinstance(result["V-statistics"]["difference"], Estimate)
    assert any(note.startswith("U-statistics: not estimable") for note in table.notes)
    assert "V-statistics" not in lines(table_of(full(PLAN)))


def test_a_conclusion_that_hangs_on_the_method_is_called_so() -> None:
    note = table_of(played.record(SPREAD)).notes[0]
    assert note.startswith("The conclusion depends on the method: p is below 0.05 for these readers only, but not")
    assert table_of(full(PLAN)).notes[0] == "No method gives a p of the change below 0.05."
    certain = table_of(played.record({name: {3: "rnrnnr", 5: "rrrnnn"} for name in SPREAD}), AnalysisPlan(alpha=0.49))
    assert certain.notes[0] == "Every method gives a p of the change below 0.49."


def test_each_arm_has_its_own_lines() -> None:
    table = table_of(two_arms(), AnalysisPlan(primary="sensitivity", unsure="excluded"))
    assert list(lines(table, "high")) == list(lines(table, "low"))
    assert [note.split(".")[0] for note in table.notes[:2]] == ["high", "low"]


def test_with_many_readings_the_costly_methods_stay_away_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensitivity_analyses, "MOST_RESAMPLED", 4_000)
    table = table_of(full(PLAN))
    assert lines(table)["bootstrap of readers and images"]["p"] is None
    assert any("not computed for more than 4,000 readings" in note for note in table.notes)
    monkeypatch.setattr(sensitivity_analyses, "MOST_ANALYSED", 4_000)
    table = table_of(full(PLAN))
    assert list(lines(table)) == ["planned: Obuchowski–Rockette", "all other methods"]
    assert any("not computed" in note for note in table.notes)


@pytest.mark.parametrize(
    ("said", "plan", "sentence"),
    [
        ({}, PLAN, "No reader has at least two verdicts"),
        ({"R1": SPREAD["R1"]}, PLAN, "Only R1 has at least two verdicts"),
        ({name: {3: "rrrrrr", 5: "rrrrrr"} for name in SPREAD}, PLAN, "varies neither"),
        (SPREAD, AnalysisPlan(primary="specificity", unsure="half"), "not a binary answer"),
    ],
    ids=["nothing read", "one reader", "constant verdicts", "half right"],
)
def test_without_a_comparison_there_is_a_message(
    said: dict[str, dict[int, str]], plan: AnalysisPlan, sentence: str
) -> None:
    table = table_of(played.record(said), plan)
    assert not table.rows
    assert sentence in table.empty


letters = st.text("rnu", min_size=6, max_size=6)
studies = st.fixed_dictionaries({name: st.fixed_dictionaries({3: letters, 5: letters}) for name in SPREAD})


@given(studies)
@settings(max_examples=15)
def test_swapped_sessions_flip_the_sign_in_every_method(said: dict[str, dict[int, str]]) -> None:
    swapped = {name: {3: by[5], 5: by[3]} for name, by in said.items()}
    there, back = (lines(table_of(played.record(verdicts))) for verdicts in (said, swapped))
    assert list(there) == list(back)
    for name, line in there.items():
        values = [getattr(row["difference"], "value", row["difference"]) for row in (line, back[name])]
        if name != "bootstrap of readers and images":
            assert (values[0] is None) is (values[1] is None)
            assert values[0] is None or np.isclose(values[0], -values[1])
