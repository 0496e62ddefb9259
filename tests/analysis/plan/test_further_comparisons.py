"""Further comparisons, claims of non-inferiority, and intervals that agree with the decisions beside them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from readerstudy.analysis.checklists.all import claim_table, reader_study_table, stard_table
from readerstudy.analysis.plan.plan_table import plan_table
from readerstudy.analysis.plan.tests import PlannedTest, planned_tests
from readerstudy.analysis.plan.tests_table import planned_tests_table, primary_sentences
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import mrmc_comparisons
from readerstudy.analysis.tables.comparison.subgroup_tests import subgroup_comparisons
from readerstudy.layout.table import Estimate, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
from readerstudy.protocol.comparisons import Comparison
from readerstudy.statistics.mrmc import obuchowski_rockette
from readerstudy.statistics.multiplicity import holm
from tests.analysis import conducted, small
from tests.statistics.oracle import simulated_readings

FURTHER = (
    Comparison(2, 3, "specificity"),
    Comparison(3, 5, "auc", "not_lower", 0.05, "Half of what we think matters."),
    Comparison(2, 3, "specificity", "not_higher", 0.3, "It is large."),
)
PLAN = AnalysisPlan(
    families=(
        Family("halves", ("sensitivity", "specificity")),
        Family("the article’s", ("subgroup.real", "subgroup.adversarial_positive"), "benjamini_hochberg"),
        Family("seeing", ("d_prime", "criterion")),
    ),
    comparisons=FURTHER,
)


@cache
def record(plan: AnalysisPlan = PLAN) -> StudyRecord:
    readings = simulated_readings()
    return small.record(
        readings=readings,
        plan=plan,
        readers=dict.fromkeys(readings.readers, "high"),
        conduct=conducted.conduct(),
    )


def planned_of(plan: AnalysisPlan) -> tuple[PlannedTest, ...]:
    return planned_tests(
        record(plan), plan, mrmc_comparisons(record(plan), plan), subgroup_comparisons(record(plan), groups=plan.groups)
    )


def table_of(plan: AnalysisPlan) -> Table:
    return planned_tests_table(
        record(plan), plan, mrmc_comparisons(record(plan), plan), subgroup_comparisons(record(plan), groups=plan.groups)
    )


def test_a_session_of_real_images_is_compared_by_specificity() -> None:
    """The same readings, taken from the arrays of the independent program’s study."""
    readings = simulated_readings()
    chosen = np.isin(readings.session, (2, 3)) & (readings.authenticity == "real")
    score = (readings.verdict[chosen] != "real").astype(float)  # unsure is wrong
    case = np.char.add(readings.session[chosen].astype(str), readings.case[chosen])
    result = obuchowski_rockette(
        score,
        np.zeros(score.size, dtype=int),
        readings.reader[chosen],
        case,
        readings.session[chosen],
        figure="specificity",
        threshold=0.5,
        design="cases_in_condition",
    )
    (test,) = (each for each in planned_of(PLAN) if each.comparison == FURTHER[0])
    assert test.p == pytest.approx(result.p, rel=1e-10)
    assert isinstance(test.estimate, Estimate)
    assert test.estimate.value == pytest.approx(result.means[3] - result.means[2], rel=1e-10)


def test_a_claim_is_tested_on_one_side_and_its_p_is_doubled() -> None:
    auc, specificity = (each for each in planned_of(PLAN) if each.comparison in FURTHER[1:])
    for test, change in ((auc, 1), (specificity, -1)):
        assert test.error is not None
        assert test.comparison is not None
        assert isinstance(test.estimate, Estimate)
        t = (change * test.estimate.value + test.comparison.margin) / test.error.se
        assert test.p == pytest.approx(min(1, 2 * stats.t.sf(t, test.error.df)), rel=1e-10)


def test_further_comparisons_are_one_family() -> None:
    tests = [each for each in planned_of(PLAN) if each.family == "further comparisons"]
    assert [each.comparison for each in tests] == list(FURTHER)
    assert [each.adjusted for each in tests] == pytest.approx(holm([each.p for each in tests]).tolist())
    alone = replace(PLAN, comparisons_correction="none")
    assert all(each.adjusted == each.p for each in planned_of(alone) if each.family == "further comparisons")


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2, 0.45])
@pytest.mark.parametrize("correction", ["holm", "benjamini_hochberg", "none"])
def test_every_interval_agrees_with_its_decision(alpha: float, correction: str) -> None:
    families = tuple(replace(family, correction=correction) for family in PLAN.families)
    plan = replace(PLAN, alpha=alpha, families=families, comparisons_correction=correction)
    decided = [test for test in planned_of(plan) if test.adjusted is not None]
    assert len(decided) > 20
    for test in decided:
        interval = test.interval
        assert isinstance(interval, Estimate)
        margin = test.comparison.margin if test.comparison else None
        shown = {
            "difference": not interval.low <= 0 <= interval.high,
            "not_lower": interval.low > -(margin or 0),
            "not_higher": interval.high < (margin or 0),
        }[test.claim]
        assert shown == test.is_shown(alpha), test


def test_the_table_has_the_interval_of_the_decision_and_its_level() -> None:
    table = table_of(PLAN)
    names = [column.key for column in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in table.rows]
    primary, sensitivity = rows[:2]
    assert (primary["sessions"], primary["level"]) == ("3 → 5", pytest.approx(0.95))
    assert sensitivity["level"] == pytest.approx(0.975)
    assert [key for key in table.as_dict()["rows"][0] if key.startswith("level")] == ["level"]
    last = rows[-3:]
    assert [row["sessions"] for row in last] == ["2 → 3", "3 → 5", "2 → 3"]
    assert last[2]["decision"] == "not higher"
    notes = " ".join(table.notes)
    assert "Further comparisons: tests are adjusted for each other by Holm." in notes
    assert "Reason of the margin: It is large." in notes
    assert "Its p is doubled in the table" in notes
    assert table.title == "Planned tests"


def test_a_change_that_only_its_own_p_shows_is_named() -> None:
    shown_alone = [test for test in planned_of(PLAN) if test.p is not None and test.p < 0.05 <= (test.adjusted or 0)]
    sentences = [note for note in table_of(PLAN).notes if "only without the adjustment" in note]
    assert bool(shown_alone) == bool(sentences)
    everything = replace(PLAN, alpha=max(test.p or 0 for test in planned_of(PLAN) if test.family == "halves") + 1e-9)
    (sentence,) = (note for note in table_of(everything).notes if "only without the adjustment" in note)
    assert "so nothing is shown" in sentence


@pytest.mark.parametrize(
    ("claim", "margin", "words"),
    [
        (
            "not_lower",
            0.2,
            "Non-inferiority is shown. AUC: if lower in session 5 than in session 3 at all, then by less",
        ),
        ("not_lower", 0.01, "Non-inferiority is not shown. AUC: it may be lower in session 5"),
        ("not_higher", 0.2, "Shown. AUC: if higher in session 5"),
        ("not_higher", 0.01, "Not shown. AUC: it may be higher in session 5"),
    ],
)
def test_the_primary_figure_may_be_a_claim_of_non_inferiority(claim: str, margin: float, words: str) -> None:
    plan = AnalysisPlan(claim=claim, margin=margin, margin_reason="Agreed with the readers.")
    change, decision = primary_sentences(record(plan), plan, mrmc_comparisons(record(plan), plan))
    assert "95 % interval −0.045 to +0.097), over 5 readers" in change
    assert decision.startswith(words)
    assert decision.endswith("Reason of the margin: Agreed with the readers.")


def test_the_interval_of_the_primary_figure_has_the_level_of_the_plan() -> None:
    plan = AnalysisPlan(alpha=0.01)
    change, *_rest = primary_sentences(record(plan), plan, mrmc_comparisons(record(plan), plan))
    (comparison,) = (each for each in mrmc_comparisons(record(plan), plan) if each.figure == "auc")
    assert comparison.result is not None
    difference = comparison.result.differences[0]
    half = difference.se * stats.t.ppf(0.995, comparison.result.df2)
    assert f"(99 % interval {-difference.estimate - half:+.3f} to".replace("-", "−") in change


def test_the_plan_names_comparisons_margins_and_that_nobody_looks_in_between() -> None:
    rules = {str(rule): str(value) for rule, value in plan_table(PLAN, declared=True).rows}
    assert rules["Interim looks"].startswith("None. Verdicts are not shown before the study is closed")
    assert "not higher by 0.3 or more (reason: It is large)" in rules["Further comparisons"]
    looked = replace(
        PLAN, interim_looks="One by the board after half, at 0.001.", claim="not_lower", margin_reason="M."
    )
    rules = {str(rule): str(value) for rule, value in plan_table(looked, declared=True).rows}
    assert rules["Interim looks"] == "One by the board after half, at 0.001."
    assert rules["To be shown"] == "not lower by 0.05 or more (reason: M)"


def test_the_checklists_name_claims_and_interim_looks() -> None:
    plan = replace(PLAN, claim="not_lower", margin_reason="Agreed.")
    stard = {row[0]: str(row[3]) for row in stard_table(record(plan), plan).rows}
    assert "To be shown: not lower by 0.05 or more (reason: Agreed); one-sided test" in stard["4"]
    assert "Further comparisons: 3" in stard["4"]
    assert "Interim looks: None. Verdicts are not shown" in stard["14"]
    claim = {row[0]: str(row[3]) for row in claim_table(record(plan), plan).rows}
    assert "Interim looks: None." in claim["29"]
    own = {row[0]: str(row[3]) for row in reader_study_table(record(plan), plan).rows}
    assert "Interim looks: None." in own["16"]
