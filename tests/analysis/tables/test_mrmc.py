"""Session 5 against session 3 over readers: against R, and where there is nothing to compare."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report.build import StudyReport, write_report
from readerstudy.layout.table import Estimate, Table, to_text
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.mrmc import obuchowski_rockette
from tests import make
from tests.analysis import played, small
from tests.analysis.long_readings import LongReadings
from tests.statistics.mrmc.data import simulated
from tests.statistics.oracle import simulated_readings
from tests.statistics.simulated_study import figures

PLAN, EXCLUDED, HALF = (AnalysisPlan(unsure=rule) for rule in ("wrong", "excluded", "half"))
SPREAD = {
    "R1": {3: "rrnnru", 5: "rrrnnu"},
    "R2": {3: "rurnrr", 5: "rnrnnn"},
    "R3": {3: "nrrrnn", 5: "rrunrn"},
}


def lines(table: Table) -> dict[str, dict[str, Any]]:
    keys = [column.key for column in table.columns]
    return {str(row[0]): dict(zip(keys, row, strict=True)) for row in table.rows}


def full() -> StudyRecord:
    readings = simulated_readings()
    return small.record(readings=readings, readers=dict.fromkeys(readings.readers, "high"))


def rest_stands(record: StudyRecord, folder: Path, plan: AnalysisPlan = PLAN) -> str:
    """The page of the whole report; its JSON must hold nothing that JSON cannot."""
    report = StudyReport(record, at=make.MONDAY, plan=plan)
    write_report(report, folder)
    json.dumps(report.as_dict(), allow_nan=False)
    page = (folder / "report.html").read_text()
    for title in (
        "Table 3",
        "Table 4",
        "MRMC analysis",
        "Signal detection",
        "Agreement",
        "Seconds per image",
        "Sub-group",
    ):
        assert title in page
    return page


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("AUC", "mrmc_auc_nested_jackknife"),
        ("Sensitivity", "mrmc_sens_fake_nested_jackknife"),
        ("Specificity", "mrmc_spec_real_unsureWrong_nested_jackknife"),
    ],
)
def test_the_means_are_those_that_mrmcaov_finds(name: str, oracle: str) -> None:
    line = lines(played.mrmc(full(), PLAN))[name]
    before, after = (row["Estimate"] for row in figures("simstudy_r_expected.json")[oracle]["means"])
    assert (line["before"].value, line["after"].value) == (
        pytest.approx(before, abs=1e-10),
        pytest.approx(after, abs=1e-10),
    )
    assert line["difference"].value == pytest.approx(after - before, abs=1e-10)
    # R took the jackknife where we take DeLong's covariance: all but the same with 218 images of a kind.
    test = figures("simstudy_r_expected.json")[oracle]["test"][0]
    assert line["p"] == pytest.approx(test["p-value"], abs=2e-3)


def test_the_row_is_the_analysis_of_the_same_readings_from_a_file() -> None:
    line = lines(played.mrmc(full(), PLAN))["AUC"]
    direct = obuchowski_rockette(*simulated(), design="cases_in_condition")
    assert (line["f"], line["df2"], line["p"]) == pytest.approx((direct.f, direct.df2, direct.p), rel=1e-10)
    assert (line["readers"], line["images"], line["df1"]) == (5, 876, 1)
    change = direct.differences[0]
    assert (-line["difference"].high, -line["difference"].low) == pytest.approx((change.low, change.high), rel=1e-10)


def test_balanced_accuracy_is_the_mean_of_the_two_halves() -> None:
    result = lines(played.mrmc(full(), PLAN))
    for session in ("before", "after"):
        halves = (result[name][session].value for name in ("Sensitivity", "Specificity"))
        assert result["Balanced accuracy"][session].value == pytest.approx(sum(halves) / 2)


def test_pencil_and_paper_agree_under_two_rules() -> None:
    def means(plan: AnalysisPlan, name: str) -> tuple[float, float]:
        line = lines(played.mrmc(played.record(SPREAD), plan))[name]
        return tuple(getattr(line[key], "value", line[key]) for key in ("before", "after"))

    # Adversarial images called not real: 1, 1, 2 of 3, then 2, 3, 2 of 3.
    assert means(PLAN, "Sensitivity") == pytest.approx((4 / 9, 7 / 9))
    # Without the unsure ones: 1/2, 1/3, 2/3, then 2/2, 3/3, 2/3.
    assert means(EXCLUDED, "Sensitivity") == pytest.approx((0.5, 8 / 9))
    assert means(PLAN, "Specificity") == pytest.approx((6 / 9, 7 / 9))
    assert means(EXCLUDED, "AUC") == means(PLAN, "AUC")


def test_the_sentence_repeats_the_row_and_the_limit_of_the_design() -> None:
    table = played.mrmc(full(), PLAN)
    change, p = (lines(table)["Sensitivity"][key] for key in ("difference", "p"))
    sentence = next(note for note in table.notes if note.startswith("Sensitivity"))
    assert f"{change.value:+.3f}".replace("-", "−") in sentence
    assert ("higher" in sentence) is (change.low > 0)
    assert ("may be due to chance" in sentence) is (p >= 0.05)
    assert "the education, practice, the different images, and fatigue" in table.notes[-1]


def test_a_clear_fall_is_called_one() -> None:
    said = {f"R{n}": {3: "r" * 20 + "n" * 19 + letter, 5: "r" * 20 + "nr" * 9 + "rr"} for n, letter in enumerate("nrn")}
    table = played.mrmc(played.record(said, "R" * 20 + "F" * 20), PLAN)
    assert lines(table)["Sensitivity"]["difference"].high < 0
    assert any(note.startswith("Sensitivity: lower in session 5, change −0.5") for note in table.notes)


@pytest.mark.parametrize(
    ("said", "shown", "sentence"),
    [
        ({}, "RRRFFF", "No reader has at least two verdicts"),
        ({"R1": SPREAD["R1"]}, "RRRFFF", "Only R1 has at least two verdicts"),
        ({name: {3: by[3]} for name, by in SPREAD.items()}, "RRRFFF", "No reader has at least two verdicts"),
        (SPREAD, "RRRRRR", "No reader has at least two verdicts"),
        (SPREAD, "RRRRRF", "No reader has at least two verdicts"),
    ],
    ids=["nothing read", "one reader", "session missing", "no adversarial images", "one adversarial image"],
)
def test_without_a_comparison_there_is_a_message(
    said: Mapping[str, Mapping[int, str]], shown: str, sentence: str, tmp_path: Path
) -> None:
    record = played.record(said, shown)
    table = played.mrmc(record, PLAN)
    assert not table.rows
    assert table.empty.startswith(sentence)
    assert sentence in rest_stands(record, tmp_path)


def test_constant_verdicts_have_no_test_and_no_interval_of_no_width(tmp_path: Path) -> None:
    record = played.record({name: {3: "rrrrrr", 5: "rrrrrr"} for name in SPREAD})
    table = played.mrmc(record, PLAN)
    assert all(line["p"] is None and line["f"] is None for line in lines(table).values())
    assert [line["before"] for line in lines(table).values()] == [0.5, 0.0, 1.0, 0.5]
    assert any("cannot be tested" in note for note in table.notes)
    assert "varies neither" in rest_stands(record, tmp_path)


def test_half_right_leaves_the_auc_only(tmp_path: Path) -> None:
    table = played.mrmc(played.record(SPREAD), HALF)
    assert isinstance(lines(table)["AUC"]["before"], Estimate)
    assert {line["before"] for name, line in lines(table).items() if name != "AUC"} == {None}
    assert "not a binary answer" in rest_stands(played.record(SPREAD), tmp_path, HALF)


def test_who_read_one_session_only_is_left_out_by_name() -> None:
    table = played.mrmc(played.record({**SPREAD, "R4": {3: "rrrnnn"}}), PLAN)
    assert {line["readers"] for line in lines(table).values()} == {3}
    assert any(note.startswith("Excluded because") and ": R4." in note for note in table.notes)


def test_two_arms_are_two_comparisons() -> None:
    both = {**SPREAD, **{f"Q{name}": by for name, by in SPREAD.items()}}
    image_sets = (
        *small.image_sets(),
        *(type(image_set)(**{**vars(image_set), "arm": "low"}) for image_set in small.image_sets()),
    )
    arms = {name: "low" if name.startswith("Q") else "high" for name in both}
    table = played.mrmc(played.record(both, image_sets=image_sets, readers=arms), PLAN)
    high, low = (row[2:] for row in table.rows if row[0] == "AUC")
    assert high == low
    assert any(note.startswith("low, AUC") for note in table.notes)


def test_a_terminal_shows_bounds_below_zero_in_words() -> None:
    assert " to " in to_text(played.mrmc(played.record(SPREAD), PLAN))


letters = st.text("rnu", min_size=6, max_size=6)
studies = st.fixed_dictionaries({name: st.fixed_dictionaries({3: letters, 5: letters}) for name in SPREAD})


@given(studies)
@settings(max_examples=30)
def test_any_verdicts_make_a_table_and_swapped_sessions_flip_the_sign(said: dict[str, dict[int, str]]) -> None:
    swapped = {name: {3: by[5], 5: by[3]} for name, by in said.items()}
    there, back = (lines(played.mrmc(played.record(verdicts), PLAN)) for verdicts in (said, swapped))
    for name, line in there.items():
        value = getattr(line["difference"], "value", line["difference"])
        other = getattr(back[name]["difference"], "value", back[name]["difference"])
        assert value == pytest.approx(-other, abs=1e-12)
        assert (line["p"] is None) is (back[name]["p"] is None)


@given(studies, st.permutations(list(SPREAD)))
@settings(max_examples=20)
def test_what_the_readers_are_called_changes_nothing(said: dict[str, dict[int, str]], names: list[str]) -> None:
    renamed = {new: said[old] for new, old in zip(names, SPREAD, strict=True)}
    one, other = (lines(played.mrmc(played.record(study), PLAN)) for study in (said, renamed))
    for name, line in one.items():
        assert line["p"] == (None if other[name]["p"] is None else pytest.approx(other[name]["p"], rel=1e-6, abs=1e-9))


def test_readings_without_a_named_image_go_by_their_place() -> None:
    rows = [row._replace(case="") for row in played.rows(SPREAD)]
    record = small.record(readings=LongReadings.of(rows), readers=dict.fromkeys(SPREAD, "high"))
    assert played.mrmc(record, PLAN).rows == played.mrmc(played.record(SPREAD), PLAN).rows


def test_differences_of_two_readers_stay_within_their_limits() -> None:
    said = {"R1": {3: "rrnnru", 5: "rrrnnn"}, "R2": {3: "rurnrr", 5: "nnrnnn"}}
    table = played.mrmc(played.record(said), PLAN)
    changes = [line["difference"] for line in lines(table).values() if isinstance(line["difference"], Estimate)]
    assert any((change.low, change.high) == (-1.0, 1.0) for change in changes)
    assert all(-1 <= change.low <= change.value <= change.high <= 1 for change in changes)
    assert any(note.startswith("Intervals of differences are cut at −1 and 1") for note in table.notes)
