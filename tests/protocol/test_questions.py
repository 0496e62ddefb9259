"""What a study can ask: which questions are refused, which answers are taken, and in which language they are asked."""

from dataclasses import replace

import pytest
from django.utils import translation

from readerstudy.errors import BadInput
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.questions import MARK, Choice, Question, QuestionKind, check_answers, check_questions
from readerstudy.protocol.rules import AskedVerdict, SessionRules, VerdictLabels
from readerstudy.protocol.sessions import SessionKind, Verdict
from readerstudy.protocol.texts import Translated, reader_says

PAIR = (Choice("a", "A"), Choice("b", "B"))
SIGNS = Question("signs", QuestionKind.CHOICES, "Signs?", (*PAIR, Choice("c", "C")))
QUALITY = Question("quality", QuestionKind.SCALE, "How good?", minimum=0, maximum=10)
SIZE = Question("size", QuestionKind.NUMBER, "Size in mm?", minimum=0.5, maximum=80)
COUNT = Question("count", QuestionKind.NUMBER, "How many?", whole=True)
NOTE = Question("note", QuestionKind.TEXT, "Why?", longest=10)


@pytest.mark.parametrize(
    ("question", "answer", "stored"),
    [
        (SIGNS, ["c", "a"], ["a", "c"]),  # in the order of the question
        (QUALITY, 0, 0),
        (QUALITY, 10.0, 10),
        (SIZE, 0.5, 0.5),
        (SIZE, 3, 3),
        (COUNT, -4, -4),
        (NOTE, "  grain ", "grain"),
    ],
)
def test_an_answer_is_stored_in_one_form(question, answer, stored):
    (kept,) = check_answers((question,), "real", {question.name: answer}).values()
    assert (kept, type(kept)) == (stored, type(stored))


@pytest.mark.parametrize(
    ("question", "answer", "sentence"),
    [
        (SIGNS, [], "'signs' is missing"),
        (SIGNS, "a", "must be a list of some of: a, b, c"),
        (SIGNS, ["a", "a"], "each once"),
        (SIGNS, ["a", "x"], "must be a list of some"),
        (SIGNS, [["a"]], "must be a list of some"),
        (QUALITY, None, "'quality' is missing"),
        (QUALITY, 11, "must be a whole number from 0 to 10"),
        (QUALITY, 2.5, "must be a whole number"),
        (QUALITY, True, "must be a whole number"),
        (QUALITY, "3", "must be a whole number"),
        (SIZE, 0.4, "must be a number from 0.5 to 80"),
        (SIZE, float("nan"), "must be a number"),
        (COUNT, 10**400, "must be a whole number"),
        (COUNT, float("inf"), "must be a whole number"),
        (NOTE, " \n ", "'note' is missing"),
        (NOTE, "x" * 11, "must be a text of at most 10 characters"),
        (NOTE, "a\0", "must be a text"),
        (NOTE, ["a"], "must be a text"),
    ],
)
def test_an_impossible_answer_is_refused(question, answer, sentence):
    with pytest.raises(BadInput) as raised:
        check_answers((question,), "real", {question.name: answer})
    assert sentence in str(raised.value)


def test_a_question_that_need_not_be_answered_is_left_out():
    assert check_answers((replace(NOTE, required=False),), "real", {"note": " "}) == {}


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (replace(SIGNS, choices=PAIR[:1]), "2 to 9 choices"),
        (replace(NOTE, choices=PAIR), "only the kinds choice and choices have them"),
        (replace(QUALITY, maximum=11), "a scale has a minimum and a maximum"),
        (replace(QUALITY, maximum=0), "2 to 11 points"),
        (replace(QUALITY, minimum=0.5), "whole numbers"),
        (replace(QUALITY, minimum=None), "a scale has a minimum"),
        (replace(SIZE, minimum=80), "must be less than the maximum"),
        (replace(SIZE, minimum=0.2, maximum=0.8, whole=True), "with a possible answer between"),
        (replace(NOTE, maximum_label="much"), "only scales and numbers have a minimum"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_with_its_place(question, sentence):
    with pytest.raises(BadInput, match=r"^here 1") as raised:
        check_questions((question,), "here")
    assert sentence in str(raised.value)


# --- languages ------------------------------------------------------------------------------------------------
BOTH = Translated({"de": "Wie gut?", "en": "How good?"})


def test_the_reader_s_language_chooses_and_the_first_of_the_study_stands_in():
    with translation.override("de"):
        assert reader_says("en")(BOTH) == "Wie gut?"
        assert reader_says("fr")(Translated({"en": "Yes", "fr": "Oui"})) == "Oui"
        assert reader_says("en")("Unsure") == "Unsicher"  # the software's own word
    assert reader_says("de")(BOTH) == "How good?"


def session(**values) -> ProtocolSession:
    return ProtocolSession(SessionKind.BLINDED, values.pop("title", "A"), real=2, adversarial=2, **values)


@pytest.mark.parametrize(
    ("languages", "sentence"),
    [
        ((), "protocol sessions 1 title: has several languages; name them in languages"),
        (("fr", "de", "en"), "protocol sessions 1 title: lacks fr"),
        (("en",), "protocol sessions 1 title: de is none of the study's languages: en"),
        (("en", "en"), "protocol languages: must name at most 10 languages, each once"),
    ],
)
def test_texts_are_in_the_languages_that_the_study_declares(languages, sentence):
    with pytest.raises(BadInput, match=sentence):
        Protocol((session(title=BOTH), session()), languages=languages).check()


# --- verdicts -------------------------------------------------------------------------------------------------
def test_a_session_may_rename_the_verdicts_or_ask_for_none():
    labels = VerdictLabels(not_real="Computer")
    assert [labels.label(verdict) for verdict in SessionRules().verdicts] == ["Real", "Computer", "Unsure"]
    assert SessionRules(verdict=AskedVerdict.NONE, questions=(QUALITY,)).verdicts == (Verdict.SEEN,)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (SessionRules(verdict=AskedVerdict.NONE), "rules verdict: a session without verdicts has questions"),
        (
            SessionRules(verdict=AskedVerdict.NONE, questions=(replace(QUALITY, after=("real",)),)),
            "questions 1 after: the session asks for no verdict",
        ),
        (
            SessionRules(verdict=AskedVerdict.NONE, questions=(QUALITY,), verdict_labels=VerdictLabels(real="Yes")),
            "verdict_labels: the session asks for no verdict",
        ),
    ],
)
def test_rules_about_verdicts_that_contradict_each_other_are_refused(rules, sentence):
    with pytest.raises(BadInput, match=sentence):
        Protocol((session(rules=rules), session())).check()


QUESTIONNAIRE = ProtocolSession(SessionKind.QUESTIONNAIRE, "Q", rules=SessionRules(questions=(QUALITY,)))


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (replace(QUESTIONNAIRE, real=2), "real: a questionnaire has no images"),
        (replace(QUESTIONNAIRE, rules=SessionRules()), "a questionnaire has questions, and no closing questions"),
        (
            replace(QUESTIONNAIRE, rules=SessionRules(questions=(QUALITY,), closing_questions=(NOTE,))),
            "a questionnaire has questions, and no closing questions",
        ),
        (
            replace(QUESTIONNAIRE, rules=SessionRules(questions=(MARK,))),
            "rules questions 1: only a question about an image has marks",
        ),
        (
            session(rules=SessionRules(closing_questions=(replace(QUALITY, after=("real",)),))),
            "closing_questions 1: only a question about an image has marks, or follows a verdict",
        ),
        (
            ProtocolSession(SessionKind.FAMILIARISATION, "F", real=2, rules=SessionRules(questions=(QUALITY,))),
            "rules: only blinded sessions ask anything about images",
        ),
    ],
)
def test_questions_that_a_session_cannot_ask_are_refused(asked, sentence):
    with pytest.raises(BadInput, match=f"sessions 1 {sentence}|sessions 1 rules.*{sentence}"):
        Protocol((asked,)).check()


def test_what_was_added_later_changes_no_protocol_that_does_not_use_it():
    data = Protocol(
        (session(rules=SessionRules(questions=(Question("q", QuestionKind.CHOICE, "Q", PAIR),))),)
    ).as_data()
    assert "languages" not in data
    rules = data["sessions"][0]["rules"]
    assert not {"verdict", "verdict_labels"} & set(rules)
    assert set(rules["questions"][0]) == {"name", "kind", "text", "choices", "after", "required", "most"}
