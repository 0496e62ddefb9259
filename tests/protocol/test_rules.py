"""A plan file as data: what it sets, and the sentences for what it gets wrong."""

import pytest
from django.utils import translation

from readerstudy.errors import BadInput, StudyError
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.questions import CONFIDENCE, MARK, ImageSize, check_answers, predefined_questions
from readerstudy.protocol.rules import DisplayCheck, SessionRules, read_plan, session_changes
from readerstudy.protocol.sessions import ZHOU2021, SessionKind
from readerstudy.studies.models import Study
from readerstudy.truth.actions import create_study, same_draw
from tests import make

WORDS = MAMMOGRAPHY.words.reading
PLAN = """
[every]
break_every = 5
display_check = "required"
questions = ["confidence"]

[session.3]
title = "The long one"
practice = true
rest_hours = 72
washout_days = 14
questions = [
  "mark",
  { name = "density", kind = "choice", text = "Density?", choices = [{value="a", text="A"}, {value="d", text="D"}] },
]
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return read_plan(path)


def test_a_plan_changes_every_session_and_then_the_one_that_it_names(plan):
    second, third = (session_changes(plan, number, SessionKind.BLINDED, words=WORDS) for number in (2, 3))
    assert second.rules.break_every == third.rules.break_every == 5
    assert second.rules.display_check == DisplayCheck.REQUIRED
    assert [q.name for q in second.rules.questions] == ["confidence"]
    assert [q.name for q in third.rules.questions] == ["mark", "density"]
    assert (third.title, third.rules.practice, third.rules.rest_hours, third.washout_days) == (
        "The long one",
        True,
        72,
        14,
    )


def test_sessions_without_verdicts_ask_no_questions(plan):
    teaching = session_changes(plan, 4, SessionKind.EDUCATION, words=WORDS)
    assert teaching.rules.questions == ()
    assert teaching.rules.break_every == 5


def test_rules_survive_being_stored(plan):
    rules = session_changes(plan, 3, SessionKind.BLINDED, words=WORDS).rules
    assert SessionRules.from_data(rules.as_data()) == rules
    assert SessionRules.from_data({}) == SessionRules()


def test_the_diagnosis_question_has_the_modality_s_answers_in_english_whatever_the_language():
    with translation.override("de"):
        questions = predefined_questions(WORDS)
    assert list(questions) == ["confidence", "diagnosis", "mark"]
    choices = {choice.value: choice.text for choice in questions["diagnosis"].choices}
    assert choices == {"negative": "No sign of cancer", "positive": "Signs of cancer"}


WRONG = [
    ({"sessions": {}}, "no part [sessions]"),
    ({"every": {"brake_every": 5}}, "plan [every] brake_every: there is no such rule"),
    ({"every": {"break_every": -1}}, "plan [every] break_every: must be a whole number from 0 to 1000"),
    ({"every": {"break_every": True}}, "must be a whole number"),
    ({"every": {"practice": 1}}, "must be true or false"),
    ({"every": {"display_check": "maybe"}}, "must be one of: off, advised, required"),
    ({"every": {"title": ""}}, "must be a text"),
    ({"every": {"questions": "confidence"}}, "must be a list"),
    ({"every": {"questions": ["mood"]}}, "there is no question 'mood'"),
    ({"every": {"questions": ["mark", "mark"]}}, "two questions have one name"),
    ({"every": {"questions": [{"name": "x", "kind": "choice", "text": "x"}]}}, "a choice has 2 to 9 choices"),
    (
        {"every": {"questions": [{"name": "x", "kind": "drawing", "text": "x"}]}},
        "kind: must be one of: choice, choices, scale",
    ),
    (
        {"every": {"questions": [{"name": "x", "kind": "mark", "text": "x", "after": ["seen"]}]}},
        "after 1: must be one of",
    ),
    ({"session": {"1": {"questions": ["mark"]}}}, "only blinded sessions ask anything"),
    ({"session": 3}, "'session' must be a table"),
]


@pytest.mark.parametrize(("plan", "sentence"), WRONG)
def test_errors_of_a_plan_are_reported_with_their_location(plan, sentence):
    with pytest.raises(BadInput) as raised:
        session_changes(plan, 1, SessionKind.FAMILIARISATION, words=WORDS)
    assert sentence in str(raised.value)


def test_a_missing_or_malformed_plan_file_is_an_error(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        read_plan(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("break_every 5")
    with pytest.raises(BadInput, match="is not TOML"):
        read_plan(tmp_path / "bad.toml")


SIZE = {"image": ImageSize(width=52, height=64)}


def test_answers_are_kept_where_they_are_asked_and_possible():
    asked = (CONFIDENCE, MARK)
    given = {"confidence": "4", "mark": [[0, 63], [51, 0]]}
    assert check_answers(asked, "not_real", given, **SIZE) == given
    assert check_answers(asked, "unsure", {}, **SIZE) == {}
    assert check_answers(asked, "not_real", {"confidence": "1", "mark": []}, **SIZE) == {"confidence": "1"}


@pytest.mark.parametrize(
    ("verdict", "answers", "sentence"),
    [
        ("real", {}, "'confidence' is missing"),
        ("real", {"confidence": "6"}, "must be one of: 1, 2, 3, 4, 5"),
        ("real", {"confidence": 4}, "must be one of"),
        ("unsure", {"confidence": "4"}, "is not asked after this verdict"),
        ("real", {"confidence": "4", "mood": "good"}, "'mood' is not asked"),
        ("not_real", {"confidence": "4", "mark": [[52, 0]]}, "not [x, y] inside the image"),
        ("not_real", {"confidence": "4", "mark": [[1.5, 0]]}, "not [x, y] inside the image"),
        ("not_real", {"confidence": "4", "mark": "here"}, "at most 5 positions"),
        ("not_real", {"confidence": "4", "mark": [[1, 1]] * 6}, "at most 5 positions"),
    ],
)
def test_rejects_impossible_answers(verdict, answers, sentence):
    with pytest.raises(BadInput) as raised:
        check_answers((CONFIDENCE, MARK), verdict, answers, **SIZE)
    assert sentence in str(raised.value)


def test_a_study_keeps_its_plan_and_another_arm_draws_with_it(db, small, plan):
    films = make.cohort("both", resolutions=("high", "low"))
    make.adversarial_images_for(films, resolutions=("high", "low"))
    values = {"title": "x", "template": "zhou2021", "cohort": films, "seed": 7, "at": make.MONDAY, "scale": 0.03}
    high = create_study(code="high", resolution="high", changes=plan, **values)
    third = high.session_plans.get(number=3)
    assert (third.title, third.rules.rest_hours, third.washout_days) == ("The long one", 72, 14)
    assert third.practice is not None
    low = create_study(code="low", title="x", at=make.MONDAY, **same_draw(high, resolution="low"))
    assert low.session_plans.get(number=3).rules == third.rules
    assert low.session_plans.get(number=3).practice.image_id == third.practice.image_id


def test_a_study_stores_the_instructions_of_its_cohort_s_modality_in_english(db, small):
    with translation.override("de"):
        study = make.study("spoken")
    stored = {plan.kind: plan.instructions for plan in study.session_plans.all()}
    assert stored[SessionKind.FAMILIARISATION].startswith("All mammograms in this session are real.")
    assert stored[SessionKind.BLINDED].startswith("Some of these mammograms may have been altered")
    assert stored[SessionKind.EDUCATION].startswith("Each page shows a real mammogram, the same mammogram altered")


def test_practice_changes_nothing_of_what_a_seed_draws_and_shows_no_image_of_the_study(db, small):
    plain = make.study("plain")
    values = {"title": "x", "template": "zhou2021", "seed": 7, "at": make.MONDAY, "scale": 0.03}
    practised = create_study(
        code="practised", cohort=plain.cohort, resolution="low", changes={"every": {"practice": True}}, **values
    )
    assert images_of(practised) == images_of(plain)
    practice = [plan.practice for plan in practised.session_plans.order_by("number")]
    assert [p is not None for p in practice] == [s.kind == SessionKind.BLINDED for s in ZHOU2021]
    shown = {image for images in images_of(practised) for image in images}
    assert not {p.image_id for p in practice if p} & shown


def images_of(study):
    plans = study.session_plans.order_by("number")
    return [list(plan.allocations.order_by("position").values_list("stimulus__image_id", flat=True)) for plan in plans]


def test_a_cohort_without_practice_images_creates_nothing(db, small):
    films = make.cohort("few", patients=22, fractions=(0.24, 0.36, 0.4))
    make.adversarial_images_for(films)
    values = {"title": "x", "template": "zhou2021", "cohort": films, "scale": 0.03, "resolution": "low"}
    with pytest.raises(StudyError, match=r"has 3 practice images; \d images of the split train are left"):
        create_study(code="greedy", at=make.MONDAY, changes={"every": {"practice": True}}, **values)
    assert not Study.objects.filter(code="greedy").exists()
