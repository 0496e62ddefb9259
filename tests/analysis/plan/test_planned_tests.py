"""The planned tests: exactly what the plan declares, each as its own analysis finds it, and what is decided."""

import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.analysis.plan.tests import PlannedTest, planned_tests
from readerstudy.analysis.plan.tests_table import equivalence_test, planned_tests_table, primary_sentences
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import mrmc_comparisons
from readerstudy.analysis.tables.comparison.subgroup_tests import subgroup_comparisons
from readerstudy.analysis.tables.signal_detection import detections_by_reader
from readerstudy.layout.table import Estimate, Table, to_csv, to_html
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
from readerstudy.statistics.equivalence import tost
from readerstudy.statistics.multiplicity import holm
from readerstudy.statistics.proportions import Proportion, newcombe, wilson
from readerstudy.statistics.signal_detection import d_prime_shift
from tests.analysis import played, small
from tests.statistics.oracle import ORACLES, expected, simulated_readings

EVERYTHING = AnalysisPlan(
    families=(
        Family("halves", ("sensitivity", "specificity")),
        Family("the article’s", ("subgroup.real", "subgroup.adversarial_positive"), "benjamini_hochberg"),
        Family("seeing", ("d_prime", "criterion"), "none"),
    )
)
SPREAD = {
    "R1": {3: "rrnnru", 5: "rrrnnu"},
    "R2": {3: "rurnrr", 5: "rnrnnn"},
    "R3": {3: "nrrrnn", 5: "rrunrn"},
}


@cache
def full(plan: AnalysisPlan = EVERYTHING) -> StudyRecord:
    readings = simulated_readings()
    return small.record(readings=readings, plan=plan, readers=dict.fromkeys(readings.readers, "high"))


def every_test(record: StudyRecord, plan: AnalysisPlan) -> tuple[PlannedTest, ...]:
    result = subgroup_comparisons(record, groups=plan.groups)
    return planned_tests(record, plan, mrmc_comparisons(record, plan), result)


def table_of(record: StudyRecord, plan: AnalysisPlan) -> Table:
    result = subgroup_comparisons(record, groups=plan.groups)
    table = planned_tests_table(record, plan, mrmc_comparisons(record, plan), result)
    json.dumps(table.as_dict(), allow_nan=False)
    assert to_csv(table)
    assert to_html(table)
    return table


def two_arms() -> StudyRecord:
    both = {**SPREAD, **{f"Q{name}": by for name, by in SPREAD.items()}}
    image_sets = (
        *small.image_sets(),
        *(type(image_set)(**{**vars(image_set), "arm": "low"}) for image_set in small.image_sets()),
    )
    arms = {name: "low" if name.startswith("Q") else "high" for name in both}
    return played.record(both, image_sets=image_sets, readers=arms)


def test_the_table_holds_the_declared_tests_and_no_other() -> None:
    rows = [row[:3] for row in table_of(full(), EVERYTHING).rows]
    readers = ["R1", "R2", "R3", "R4", "R5"]
    assert rows == [
        ("primary figure", "AUC", "all"),
        ("halves", "Sensitivity", "all"),
        ("halves", "Specificity", "all"),
        *(("the article’s", "sub-group test, real", reader) for reader in readers),
        *(("the article’s", "sub-group test, adversarial, of positives", reader) for reader in readers),
        *(("seeing", "d′", reader) for reader in readers),
        *(("seeing", "criterion c", reader) for reader in readers),
    ]


def test_the_sub_group_test_has_the_p_of_the_independent_program() -> None:
    (row,) = (
        row
        for row in expected(ORACLES / "subgroups_expected.csv")
        if (row["reader"], row["subset"], row["g"], row["a"], row["b"]) == ("R4", "fake_pos", "5", "3", "5")
    )
    plan = AnalysisPlan(families=EVERYTHING.families, statistic="single", distribution="normal")
    for declared, name in ((EVERYTHING, "pA_t"), (plan, "pB_onesided_observed")):
        (test,) = (
            planned
            for planned in every_test(full(), declared)
            if planned.reader == "R4" and planned.endpoint == "subgroup.adversarial_positive"
        )
        assert test.p == pytest.approx(min(1, 2 * float(row[name])), rel=1e-10)
        interval = newcombe(*(share_of(row, session) for session in "ab"))
        assert isinstance(test.estimate, Estimate)
        assert (test.estimate.value, test.estimate.low, test.estimate.high) == pytest.approx(
            (float(row["diff"]), interval.low, interval.high)
        )


def share_of(row: dict[str, str], session: str) -> Proportion:
    trials = int(row[f"n_{session}"])
    return wilson(round(float(row[f"acc_{session}"]) * trials), trials)


def test_each_family_has_its_correction_and_the_primary_none() -> None:
    tests = every_test(full(), EVERYTHING)
    primary, sensitivity, specificity, *rest = tests
    assert primary.adjusted == primary.p
    assert [sensitivity.adjusted, specificity.adjusted] == holm([sensitivity.p, specificity.p]).tolist()
    article, seeing = rest[:10], rest[10:]
    assert max(planned.adjusted or 0 for planned in article) == max(planned.p or 0 for planned in article)
    assert all((planned.adjusted or 0) >= (planned.p or 0) for planned in article)
    assert [planned.adjusted for planned in seeing] == [planned.p for planned in seeing]


def test_a_shift_of_d_prime_is_the_z_test_of_the_two_sessions() -> None:
    result = detections_by_reader(full(), EVERYTHING)
    before, after = result["R2", 3], result["R2", 5]
    assert before is not None
    assert after is not None
    shift = d_prime_shift(before, after)
    (test,) = (
        planned for planned in every_test(full(), EVERYTHING) if (planned.endpoint, planned.reader) == ("d_prime", "R2")
    )
    assert test.estimate == Estimate(shift.difference, shift.low, shift.high)
    assert test.p == shift.p


def test_a_decision_is_made_at_the_declared_level_from_the_adjusted_p() -> None:
    def test(adjusted: float | None) -> PlannedTest:
        return PlannedTest("f", "d_prime", "high", "R1", None, adjusted, adjusted)

    assert [test(adjusted).decision(0.05) for adjusted in (0.049, 0.05, 0.9, None)] == [
        "changed",
        "no change shown",
        "no change shown",
        "not tested",
    ]
    assert test(0.02).decision(0.01) == "no change shown"


def test_equivalence_uses_the_declared_margin_and_the_analysis_error() -> None:
    (one,) = (comparison for comparison in mrmc_comparisons(full(), EVERYTHING) if comparison.figure == "auc")
    assert one.result is not None
    difference = one.result.differences[0]
    for margin in (0.05, 0.2):
        result = equivalence_test(one, AnalysisPlan(margin=margin))
        assert result == tost(0.0 - difference.estimate, difference.se, margin, df=one.result.df2)
    # Schuirmann's rule: equivalent exactly where the 90 % interval lies within the margin.
    assert result is not None
    assert result.equivalent
    assert max(abs(result.low), abs(result.high)) < 0.2


@pytest.mark.parametrize(
    ("margin", "words"), [(0.05, "not shown to be smaller than the plan’s margin"), (0.2, "is shown to be smaller")]
)
def test_the_sentences_say_the_change_the_decision_and_the_margin(margin: float, words: str) -> None:
    plan = AnalysisPlan(margin=margin)
    change, decision, equivalence = primary_sentences(full(), plan, mrmc_comparisons(full(), plan))
    assert change.startswith("AUC, the primary figure, was 0.604 in session 3 and 0.630 in session 5, a change of")
    assert "+0.026 (95 % interval −0.045 to +0.097; p = 0.393), over 5 readers and 876 images." in change
    assert "no change is shown" in decision
    assert words in equivalence
    assert "90 % interval" in equivalence


def test_a_clear_fall_is_decided_as_one() -> None:
    said = {f"R{n}": {3: "r" * 20 + "n" * 19 + letter, 5: "r" * 20 + "nr" * 9 + "rr"} for n, letter in enumerate("nrn")}
    plan = AnalysisPlan(primary="sensitivity")
    record = played.record(said, "R" * 20 + "F" * 20)
    assert table_of(record, plan).rows[0][-1] == "changed"
    _change, decision, _margin = primary_sentences(record, plan, mrmc_comparisons(record, plan))
    assert "perform worse in session 5 than in session 3" in decision


def test_each_of_two_arms_has_its_own_primary_and_families() -> None:
    plan = AnalysisPlan(families=(Family("seeing", ("d_prime",)),))
    tests = every_test(two_arms(), plan)
    assert [(planned.endpoint, planned.arm) for planned in tests[:2]] == [("auc", "high"), ("auc", "low")]
    high, low = (
        [planned.adjusted for planned in tests if planned.family and planned.arm == arm] for arm in ("high", "low")
    )
    assert high == low == holm([planned.p for planned in tests if planned.family and planned.arm == "high"]).tolist()
    assert "nothing is adjusted across arms" in " ".join(table_of(two_arms(), plan).notes)


@pytest.mark.parametrize(
    ("said", "shown", "sentence"),
    [
        ({}, "RRRFFF", "No reader has at least two verdicts"),
        ({"R1": SPREAD["R1"]}, "RRRFFF", "Only R1 has at least two verdicts"),
        ({name: {3: by[3]} for name, by in SPREAD.items()}, "RRRFFF", "no verdicts on such images in both"),
        (SPREAD, "RRRRRR", "no verdicts on such images in both"),
        ({name: {3: "rrrrrr", 5: "rrrrrr"} for name in SPREAD}, "RRRFFF", "varies neither"),
    ],
    ids=["nothing read", "one reader", "session missing", "no adversarial images", "constant verdicts"],
)
def test_what_could_not_be_tested_says_why(said: dict[str, dict[int, str]], shown: str, sentence: str) -> None:
    table = table_of(played.record(said, shown, plan=EVERYTHING), EVERYTHING)
    assert table.rows[0][-1] == "not tested"
    notes = " ".join(table.notes)
    assert sentence in notes
    assert "could not be tested" in notes
    assert "Not tested: Sensitivity" in notes


def test_few_readings_leave_the_sub_group_test_undefined_and_say_so() -> None:
    plan = AnalysisPlan(families=(Family("article", ("subgroup.real",)),))
    table = table_of(played.record(SPREAD, plan=plan), plan)
    assert [row[-1] for row in table.rows[1:]] == ["not tested"] * 3
    assert any("fewer readings than sub-groups" in note for note in table.notes)


def test_a_family_of_readers_tests_without_readers_is_not_passed_over() -> None:
    notes = table_of(played.record({}, plan=EVERYTHING), EVERYTHING).notes
    assert sum("no reader has verdicts yet" in note for note in notes) == 2


def test_a_thousand_reasons_are_counted_and_not_listed() -> None:
    said = {f"R{number}": {3: "rrnnru"} for number in range(20)}
    plan = AnalysisPlan(families=(Family("seeing", ("d_prime",)),))
    notes = table_of(played.record(said, plan=plan), plan).notes
    assert any(note.startswith("Not tested: 20 tests.") for note in notes)


letters = st.text("rnu", min_size=6, max_size=6)
studies = st.fixed_dictionaries({name: st.fixed_dictionaries({3: letters, 5: letters}) for name in SPREAD})


@given(studies)
@settings(max_examples=15)
def test_swapped_sessions_turn_every_change_round_and_decide_the_same(said: dict[str, dict[int, str]]) -> None:
    plan = AnalysisPlan(groups=3, families=EVERYTHING.families)
    swapped = {name: {3: by[5], 5: by[3]} for name, by in said.items()}
    there, back = (every_test(played.record(verdicts, plan=plan), plan) for verdicts in (said, swapped))
    for one, other in zip(there, back, strict=True):
        value, turned = (getattr(test.estimate, "value", test.estimate) for test in (one, other))
        assert value is turned is None or value == pytest.approx(-turned, abs=1e-9)
        assert one.p is other.p is None or one.p == pytest.approx(other.p, rel=1e-6, abs=1e-9)
