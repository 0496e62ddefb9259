"""The analysis plan: what may stand in it, that it is kept, and that nobody changes it afterwards."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from readerstudy.errors import BadInput
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family, analysis_plan
from readerstudy.protocol.comparisons import Comparison
from readerstudy.protocol.reporting import Reporting
from readerstudy.studies.models import Study
from readerstudy.truth.actions import same_plan

ASKED = {2, 3, 5}
NOT_LOWER = {"before": 3, "after": 5, "claim": "not_lower", "margin": 0.05, "reason": "Half a class."}
WHOLE = {
    "primary": "sensitivity",
    "before": 2,
    "after": 5,
    "alpha": 0.01,
    "unsure": "excluded",
    "groups": 10,
    "statistic": "single",
    "distribution": "t",
    "margin": 0.1,
    "idle_after_s": 120,
    "families": [{"name": "fakes", "endpoints": ["subgroup.adversarial", "d_prime"], "correction": "none"}],
    "exploratory": "none",
}


def test_a_plan_that_says_nothing_is_the_articles_comparison() -> None:
    plan = analysis_plan({}, ASKED)
    assert plan == AnalysisPlan()
    assert (plan.primary, plan.before, plan.after, plan.unsure, plan.groups) == ("auc", 3, 5, "wrong", 5)


def test_every_rule_can_be_declared_and_comes_back_from_json() -> None:
    plan = analysis_plan({"analysis": WHOLE}, ASKED)
    assert plan.families == (Family("fakes", ("subgroup.adversarial", "d_prime"), "none"),)
    stored = json.loads(json.dumps(plan.as_data()))
    assert stored == {**WHOLE}
    assert AnalysisPlan.from_data(stored) == plan


def test_the_hash_is_of_the_plan_and_not_of_the_order_of_its_words() -> None:
    there, back = (analysis_plan({"analysis": dict(items)}, ASKED) for items in (WHOLE.items(), [*WHOLE.items()][::-1]))
    assert there.hash == back.hash != AnalysisPlan().hash


def test_rules_that_came_later_leave_the_hash_of_earlier_plans() -> None:
    assert AnalysisPlan().hash == "d41cb74c0b84cfe23676743aa2a608d502d0eb55d2732bc92319d87786afc001"
    assert AnalysisPlan(reporting=Reporting(ethics="Approved.")).hash != AnalysisPlan().hash


def test_further_comparisons_and_claims_are_declared() -> None:
    table = {
        "claim": "not_higher",
        "margin_reason": "Small.",
        "comparisons": [NOT_LOWER, {"before": 2, "after": 3, "figure": "specificity"}],
        "comparisons_correction": "none",
        "interim_looks": "One, after half.",
    }
    plan = analysis_plan({"analysis": table}, ASKED)
    assert plan.comparisons == (Comparison(**NOT_LOWER), Comparison(2, 3, "specificity"))
    assert plan.primary_comparison == Comparison(3, 5, "auc", "not_higher", 0.05, "Small.")
    assert plan.sessions_compared == (2, 3, 5)
    assert AnalysisPlan().sessions_compared == (3, 5)
    assert AnalysisPlan.from_data(json.loads(json.dumps(plan.as_data()))) == plan


def test_what_the_authors_state_is_locked_and_comes_back() -> None:
    plan = analysis_plan({"analysis": {"reporting": {"ethics": " Approved, 2026-114. ", "funding": "None."}}}, ASKED)
    assert plan.reporting == Reporting(ethics="Approved, 2026-114.", funding="None.")
    assert AnalysisPlan.from_data(json.loads(json.dumps(plan.as_data()))) == plan


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ([], "'analysis' must be a table"),
        ({"prmary": "auc"}, r"\[analysis\] prmary: there is no such rule; there are: primary, before"),
        ({"primary": "accuracy"}, "primary: must be one of: auc, sensitivity"),
        ({"before": 4}, "before: must be one of the sessions that ask for verdicts: 2, 3, 5"),
        ({"before": 5, "after": 3}, "must be an earlier session"),
        ({"groups": 1}, "groups: must be a whole number from 2 to 100"),
        ({"groups": True}, "groups: must be a whole number"),
        ({"alpha": 0}, "alpha: must be a number above 0"),
        ({"margin": "5 %"}, "margin: must be a number"),
        ({"unsure": "half", "primary": "sensitivity"}, "the primary must be auc"),
        ({"reporting": {"ethic": "Yes."}}, "reporting: must be a table of: title, background"),
        ({"reporting": {"ethics": ""}}, "reporting ethics: must be a text of at most 2000 characters"),
        ({"reporting": {"ethics": "x" * 2001}}, "reporting ethics: must be a text of at most 2000 characters"),
        ({"comparisons": [{"before": 2}]}, "comparisons 1: after is missing"),
        ({"comparisons": [{"before": 2, "after": 4}]}, "comparisons 1 after: must be one of the sessions"),
        ({"comparisons": [{"before": 3, "after": 2}]}, "comparisons 1 before: must be an earlier session"),
        ({"comparisons": [{"before": 3, "after": 5}]}, "comparisons 1: the plan declares this comparison already"),
        (
            {"comparisons": [{"before": 3, "after": 5, "figure": "sensitivity"}]},
            "comparisons 1: the plan declares this comparison already",
        ),
        ({"comparisons": [NOT_LOWER, NOT_LOWER]}, "comparisons 2: the plan declares this comparison already"),
        ({"comparisons": [{**NOT_LOWER, "margin": 0.6}]}, "comparisons 1 margin: must be a number above 0"),
        ({"comparisons": [{"before": 2, "after": 5, "margin": 0.1}]}, "1 margin: only a claim of non-inferiority"),
        (
            {"comparisons": [{"before": 2, "after": 5, "claim": "not_lower", "margin": 0.1}]},
            "comparisons 1 reason: a claim of non-inferiority has a margin and its reason",
        ),
        (
            {"unsure": "half", "families": [], "comparisons": [{"before": 2, "after": 5, "figure": "specificity"}]},
            "comparisons 1 figure: half credit",
        ),
        ({"comparisons": [{"before": 2, "after": 3}] * 21}, "comparisons: must be at most 20"),
        ({"claim": "not_lower"}, "margin_reason: a claim of non-inferiority has a margin and its reason"),
        ({"claim": "better"}, "claim: must be one of: difference, not_lower, not_higher"),
        ({"interim_looks": ""}, "interim_looks: must be a text"),
        ({"families": {}}, "families: must be a list"),
        ({"families": ["auc"]}, "families 1: must be a table of: name, endpoints, correction"),
        ({"families": [{"name": "", "endpoints": ["auc"]}]}, "families 1 name: must be a text"),
        ({"families": [{"name": "a", "endpoints": []}]}, "a family has at least one endpoint"),
        ({"families": [{"name": "a", "endpoints": ["auk"]}]}, "families 1 endpoints 1: must be one of: auc"),
        (
            {"families": [{"name": "a", "endpoints": ["auc"], "correction": "tukey"}]},
            "1 correction: must be one of: holm",
        ),
        ({"families": [{"name": "a", "endpoints": ["auc"]}, {"name": "a", "endpoints": ["d_prime"]}]}, "one name"),
        ({"families": [{"name": "a", "endpoints": ["auc"]}, {"name": "b", "endpoints": ["auc"]}]}, "named twice"),
    ],
)
def test_errors_are_reported_with_their_location(part: Any, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        analysis_plan({"analysis": part}, ASKED)


def test_the_plan_is_locked_with_the_study(study: Study) -> None:
    assert study.has_declared_analysis
    assert study.analysis == AnalysisPlan()
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Study.objects.filter(pk=study.pk).update(plan={**study.plan, "analysis": {"primary": "sensitivity"}})
    study.refresh_from_db()
    assert study.analysis.primary == "auc"


def test_the_plan_goes_with_the_study_to_its_rehearsal(study: Study) -> None:
    assert same_plan(study)["protocol"].analysis == study.analysis
