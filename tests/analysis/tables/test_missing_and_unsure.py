"""“Unsure” by every rule and missing readings: against pencil and paper, and what must hold for any verdicts."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.analysis.record.codes import ADVERSARIAL, POSITIVE, REAL
from readerstudy.analysis.record.study import SessionImages, StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import compare_figure, mrmc_comparisons
from readerstudy.analysis.tables.missing_and_unsure import (
    unsure_mrmc_table,
    unsure_rules_by_reader_table,
    unsure_rules_table,
)
from readerstudy.layout.table import Table, to_csv, to_html
from readerstudy.protocol.analysis_plan import AnalysisPlan
from tests.analysis import played, small
from tests.analysis.plan.test_planned_tests import SPREAD, full, two_arms

PLAN = AnalysisPlan()
RULES = ("wrong", "half", "excluded", "right")


def lines(table: Table) -> list[dict[str, Any]]:
    json.dumps(table.as_dict(), allow_nan=False)
    assert to_csv(table)
    assert to_html(table)
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def drawn(kinds: str = "RRRFFF") -> tuple[SessionImages, ...]:
    """Sessions 3 and 5 that show exactly these images."""
    counts = {(REAL, POSITIVE): kinds.count("R"), (ADVERSARIAL, POSITIVE): kinds.count("F")}
    return tuple(SessionImages(number, "", "high", True, len(kinds), counts) for number in (3, 5))


def only(table: Table, session: str, kind: str) -> dict[str, Any]:
    (line,) = (row for row in lines(table) if (row["session"], row["images_are"]) == (session, kind))
    return line


def test_pencil_and_paper_agree_under_every_rule() -> None:
    line = only(unsure_rules_table(played.record(SPREAD, image_sets=drawn()), PLAN), "3", "adversarial")
    # Adversarial images in session 3: n r u, n r r, r n n.
    assert [line[rule] for rule in RULES] == pytest.approx(
        [4 / 9, (1.5 / 3 + 1 / 3 + 2 / 3) / 3, (1 / 2 + 1 / 3 + 2 / 3) / 3, (2 / 3 + 1 / 3 + 2 / 3) / 3]
    )
    assert (line["readers"], line["readings"], line["unsure"], line["missing"]) == (3, 9, 1, 0)
    assert line["missing_wrong"] == line["missing_right"] == pytest.approx(4 / 9)


@pytest.mark.parametrize(
    ("rule", "wrong", "right"),
    # R1 is right about 3 of 4 real images in session 3 (one unsure); R2 about none of the 2 read, and 2 are missing.
    [
        ("wrong", (3 / 4 + 0 / 4) / 2, (3 / 4 + 2 / 4) / 2),
        ("half", (3.5 / 4 + 0 / 4) / 2, (3.5 / 4 + 2 / 4) / 2),
        ("excluded", (3 / 3 + 0 / 4) / 2, (3 / 3 + 2 / 4) / 2),
    ],
)
def test_missing_readings_are_bounded_by_all_wrong_and_all_right(rule: str, wrong: float, right: float) -> None:
    line = only(unsure_rules_table(small.record(), AnalysisPlan(unsure=rule)), "3", "real")
    assert (line["missing"], line["missing_wrong"], line["missing_right"]) == (2, pytest.approx(wrong), right)


def test_an_absent_reader_is_missing_and_not_in_the_means() -> None:
    line = only(unsure_rules_table(small.record(), PLAN), "5", "real")
    assert (line["readers"], line["wrong"], line["missing"]) == (1, 1.0, 3)
    assert (line["missing_wrong"], line["missing_right"]) == (0.5, 1.0)
    rows = lines(unsure_rules_by_reader_table(small.record(), PLAN))
    result = {(row["reader"], row["session"], row["images_are"]): row for row in rows}
    assert result["R2", 5, "real"]["missing_right"] == 1.0
    assert result["R1", 3, "real"]["half"].share == 0.875


def test_the_sentence_says_whether_the_change_hangs_on_the_rule() -> None:
    said = {"R1": {3: "rrrnnn", 5: "rrunnn"}, "R2": {3: "rrrnrr", 5: "rrrnur"}}
    notes = unsure_rules_table(played.record(said, image_sets=drawn()), PLAN).notes
    # Real: 1 → .83 with unsure wrong, → 1 left out. Adversarial: R2 has 1/3 → 1/3, 1.5/3, 1/2, so the mean rises
    # by 1/12.
    assert notes[0].startswith(
        "Real images: the direction of the change from session 3 to session 5 depends on the rule"
    )
    assert "(−0.17 to +0.00). Under every coding of “unsure”, the change is −0.17 to +0.00." in notes[0]
    assert notes[1].startswith("Adversarial images: the direction")
    assert "(+0.00 to +0.08). Under every coding of “unsure”, the change is +0.00 to +0.17." in notes[1]
    assert notes[-1] == "No reading of these sessions is missing."


def test_the_sentence_bounds_the_effect_of_missing_verdicts() -> None:
    notes = unsure_rules_table(played.record({**SPREAD, "R4": {3: "rrrnnn"}}, image_sets=drawn()), PLAN).notes
    # Real images: session 3 has 2/3, 2/3, 2/3, 3/3; session 5 has 3/3, 2/3, 2/3 and R4's three missing.
    assert "For any values of the missing verdicts, it is −0.17 to +0.08 over all readers." in notes[0]
    assert notes[-1].startswith("6 of 48 planned readings of these sessions are missing.")


def test_the_change_over_readers_is_the_analysis_under_each_rule() -> None:
    record = full(PLAN)
    table = unsure_mrmc_table(record, PLAN, mrmc_comparisons(record, PLAN))
    result = {line["figure"]: line for line in lines(table)}
    for figure, name in (("sensitivity", "Sensitivity"), ("specificity", "Specificity")):
        for rule in ("wrong", "excluded"):
            direct = compare_figure(record, replace(PLAN, unsure=rule), "high", figure)
            assert direct.result is not None
            assert result[name][f"{rule}_p"] == direct.p
    assert result["AUC"]["wrong_change"] == result["AUC"]["excluded_change"]
    assert any(note.startswith("Specificity: the conclusion depends on the rule (p = 0.044") for note in table.notes)
    assert any(note.startswith("Sensitivity: at the level 0.05, both rules") for note in table.notes)


@pytest.mark.parametrize("rule", ["wrong", "excluded", "half"])
def test_the_two_rules_stand_there_whatever_the_plan_declares(rule: str) -> None:
    record, plan = full(AnalysisPlan(unsure=rule)), AnalysisPlan(unsure=rule)
    by_plan = full(PLAN), PLAN
    wanted = unsure_mrmc_table(*by_plan, mrmc_comparisons(*by_plan)).rows
    assert unsure_mrmc_table(record, plan, mrmc_comparisons(record, plan)).rows == wanted


def test_two_arms_have_their_own_rows_and_sentences() -> None:
    table = unsure_rules_table(two_arms(), PLAN)
    assert {line["arm"] for line in lines(table)} == {"high", "low"}
    assert [note.split(":")[0] for note in table.notes[:4]] == [
        "high. Real images",
        "high. Adversarial images",
        "low. Real images",
        "low. Adversarial images",
    ]


@pytest.mark.parametrize(
    ("said", "shown", "sentence"),
    [
        ({}, "RRRFFF", "No reader has at least two verdicts"),
        ({"R1": SPREAD["R1"]}, "RRRFFF", "Only R1 has at least two verdicts"),
        (SPREAD, "RRRRRR", "No reader has at least two verdicts"),
        ({name: {3: by[3]} for name, by in SPREAD.items()}, "RRRFFF", "No reader has at least two verdicts"),
    ],
    ids=["nothing read", "one reader", "no adversarial images", "session missing"],
)
def test_without_a_comparison_there_is_a_message(said: dict[str, dict[int, str]], shown: str, sentence: str) -> None:
    record = played.record(said, shown)
    across = unsure_mrmc_table(record, PLAN, mrmc_comparisons(record, PLAN))
    assert not across.rows
    assert sentence in across.empty
    rows = lines(unsure_rules_table(record, PLAN))
    assert len(rows) == len({(session, kind) for by in said.values() for session in by for kind in shown})


def test_constant_verdicts_change_nothing_by_any_rule() -> None:
    record = played.record({name: {3: "rrrrrr", 5: "rrrrrr"} for name in SPREAD}, image_sets=drawn())
    table = unsure_rules_table(record, PLAN)
    assert [line["wrong"] for line in lines(table)] == [1.0, 0.0, 1.0, 0.0]
    assert "no difference between session 5 and session 3 under any rule" in table.notes[0]
    across = unsure_mrmc_table(record, PLAN, mrmc_comparisons(record, PLAN))
    assert any("there is no test under one of the rules" in note for note in across.notes)


letters = st.text("rnu", min_size=6, max_size=6)
studies = st.fixed_dictionaries({name: st.fixed_dictionaries({3: letters, 5: letters}) for name in SPREAD})


@given(studies)
@settings(max_examples=20)
def test_no_rule_leaves_the_bounds(said: dict[str, dict[int, str]]) -> None:
    record: StudyRecord = played.record(said)
    for line in lines(unsure_rules_table(record, PLAN)):
        assert line["wrong"] <= line["half"] <= line["right"]
        assert line["missing_wrong"] <= line["wrong"] <= line["missing_right"] + 1e-12
    for line in lines(unsure_rules_by_reader_table(record, PLAN)):
        assert line["excluded"].share is None or line["wrong"].share <= line["excluded"].share <= line["right"].share
