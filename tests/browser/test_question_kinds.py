"""Every kind of question, answered by keyboard alone, in sessions that rename the verdicts or ask for none."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.questions import CONFIDENCE, MARK, Choice, Question, QuestionKind
from readerstudy.protocol.rules import AskedVerdict, DisplayCheck, SessionRules, VerdictLabels
from readerstudy.protocol.sessions import SessionKind
from readerstudy.protocol.texts import Translated
from readerstudy.reading.models import ClosingAnswers
from tests import make, walk
from tests.browser.room import Room

SIGNS = (Choice("mass", "Mass"), Choice("distortion", "Distortion"), Choice("calcification", "Calcification"))
QUALITY = Question(
    "quality",
    QuestionKind.SCALE,
    Translated({"en": "Image quality?", "de": "Bildqualität?"}),
    minimum=0,
    maximum=10,
    minimum_label="not diagnostic",
    maximum_label="excellent",
)
QUESTIONS = (
    CONFIDENCE,
    Question("signs", QuestionKind.CHOICES, "Which signs do you see?", SIGNS),
    QUALITY,
    Question("size", QuestionKind.NUMBER, "Largest diameter in mm?", minimum=0.5, maximum=80),
    Question("note", QuestionKind.TEXT, "Anything else?", required=False, longest=60),
    MARK,
)
LOOK = Question(
    "look", QuestionKind.CHOICE, "How did the images look?", (Choice("a", "Alike"), Choice("b", "Different"))
)
ONCE = (*QUESTIONS[1:5], LOOK, Question("more", QuestionKind.TEXT, "Comments?", required=False, longest=500))
LABELS = VerdictLabels(not_real=Translated({"en": "Computer-made", "de": "Vom Computer"}))
PROTOCOL = Protocol(
    sessions=(
        ProtocolSession(
            SessionKind.BLINDED,
            "Quality",
            real=2,
            rules=SessionRules(
                display_check=DisplayCheck.OFF, break_every=0, questions=(QUALITY,), verdict=AskedVerdict.NONE
            ),
        ),
        ProtocolSession(
            SessionKind.BLINDED,
            "Everything",
            real=2,
            rules=SessionRules(
                display_check=DisplayCheck.OFF, break_every=0, questions=QUESTIONS, verdict_labels=LABELS
            ),
        ),
        ProtocolSession(SessionKind.QUESTIONNAIRE, "To finish", rules=SessionRules(questions=ONCE)),
    ),
    languages=("en", "de"),
)


@pytest.fixture(scope="module")
def asking_study(study):
    return make.study("asking", protocol=PROTOCOL)


@pytest.fixture
def room(page, context, server, asking_study, people, sign_in):
    """The reading room of somebody who has read nothing yet."""
    olga = make.reader_in(asking_study, f"olga-{next(people)}")
    sign_in(context, olga)
    room = Room(page, server.url, asking_study.code, olga)
    yield room
    assert room.mishaps == []


def asks(page, text):
    expect(page.locator("#asked")).to_have_text(text)


def no_complaints(page):
    assert [v["id"] for v in Axe().run(page).response["violations"]] == []


def rate(room, page, key):
    """Continue from the image to its only question, and answer that."""
    room.press("Enter")
    asks(page, "Image quality?")
    room.settle()
    room.press(key)


def test_a_session_without_verdicts_asks_its_questions_only(room, page):
    room.enter(1)
    expect(page.locator("#verdicts button")).to_have_text(["1Answer"])
    words = page.locator("main").inner_text().lower()
    assert not [word for word in ("real", "altered", "adversarial", "verdict") if word in words]
    rate(room, page, "7")
    room.stands_at(2)
    rate(room, page, "0")
    room.in_state("done")
    assert [(each.verdict, each.answers) for each in room.readings(1)] == [
        ("seen", {"quality": 7}),
        ("seen", {"quality": 0}),
    ]


def test_every_kind_of_question_is_answered_by_keyboard_alone(room, page):
    walk.finish_session(walk.client_of(room.reader), room.study, 1, answers={"quality": 5})
    room.enter(2)
    expect(page.locator("#verdicts button")).to_have_text(["1Real", "2Computer-made", "3Unsure"])
    room.press("2")
    room.answer("4")
    asks(page, "Which signs do you see?")
    room.settle()
    room.press("Enter")  # it must be answered
    expect(page.locator("#asked-hint")).to_have_text("Please answer this question.")
    for key in ("3", "1", "2", "2"):  # the last two select and deselect
        room.press(key)
    expect(page.locator("#choices [aria-pressed=true]")).to_have_text(["1Mass", "3Calcification"])
    no_complaints(page)
    room.answer("Enter")
    asks(page, "Image quality?")
    no_complaints(page)
    room.settle()
    for _ in range(12):  # 10 has no key of its own
        room.press("Tab")
        if page.evaluate("document.activeElement.value") == "10":
            break
    room.press("Enter")
    asks(page, "Largest diameter in mm?")
    expect(page.locator("#choices input")).to_be_focused()
    room.settle()
    page.keyboard.type("90")
    room.press("Enter")
    expect(page.locator("#asked-hint")).to_have_text("This answer is not possible. 0.5 – 80")
    no_complaints(page)
    room.press("Control+a")
    page.keyboard.type("12.5")
    room.answer("Enter")
    asks(page, "Anything else?")
    page.keyboard.type("Grain at 3 o'clock")
    room.answer("Enter")
    asks(page, "Click where the image looks altered.")
    room.answer("Enter")
    room.stands_at(2)
    (stored,) = room.readings(2)
    assert stored.verdict == "not_real"
    assert stored.answers == {
        "confidence": "4",
        "signs": ["mass", "calcification"],
        "quality": 10,
        "size": 12.5,
        "note": "Grain at 3 o'clock",
    }


def test_going_back_shows_what_was_answered_before(room, page):
    walk.finish_session(walk.client_of(room.reader), room.study, 1, answers={"quality": 5})
    room.enter(2)
    room.press("1")
    room.answer("4")
    room.settle()
    room.press("2")
    room.answer("Enter", "8")
    asks(page, "Largest diameter in mm?")
    room.settle()
    page.locator("#answer-back").press("Enter")
    asks(page, "Image quality?")
    expect(page.locator("#choices [aria-current]")).to_have_text("8")
    room.answer("Backspace")
    expect(page.locator("#choices [aria-pressed=true]")).to_have_text(["2Distortion"])


def test_texts_and_verdicts_are_in_the_reader_s_language(room, context, page):
    context.set_extra_http_headers({"Accept-Language": "de"})
    walk.finish_session(walk.client_of(room.reader), room.study, 1, answers={"quality": 5})
    room.enter(2)
    expect(page.locator("#verdicts button")).to_have_text(["1Echt", "2Vom Computer", "3Unsicher"])
    room.press("3")
    room.settle()
    room.press("1")
    room.answer("Enter")
    asks(page, "Bildqualität?")


def in_field(page):
    """Return the name of the focused field and its value."""
    return page.evaluate("[document.activeElement.name, document.activeElement.value]")


def test_a_questionnaire_is_answered_by_keyboard_and_survives_a_reload(room, page):
    client = walk.client_of(room.reader)
    walk.finish_session(client, room.study, 1, answers={"quality": 5})
    everything = {"confidence": "3", "signs": ["mass"], "quality": 5, "size": 4, "note": "x"}
    walk.finish_session(client, room.study, 2, answers=everything)
    page.goto(room.address(3))
    room.begin()
    room.in_state("closing")
    no_complaints(page)
    room.press("Tab")
    room.press("Tab")
    room.press("Space")  # the second sign
    for _ in range(2):
        room.press("Tab")
    room.press("ArrowRight")  # from 0, which is not an answer yet, to 1
    room.press("Tab")
    page.keyboard.type("12.5")
    page.reload()
    room.in_state("closing")
    page.locator("[name=closing-2]").focus()
    assert in_field(page) == ["closing-2", "12.5"]
    room.press("Tab")
    room.press("Tab")
    room.press("Space")
    room.press("Tab")
    page.keyboard.type("All well.")
    room.press("Tab")
    room.press("Enter")
    room.in_state("done")
    stored = ClosingAnswers.objects.get(session__reading_list__enrollment__reader=room.reader)
    assert stored.answers == {
        "signs": ["distortion"],
        "quality": 1,
        "size": 12.5,
        "look": "a",
        "more": "All well.",
    }


def test_a_questionnaire_names_what_is_missing(room, page):
    client = walk.client_of(room.reader)
    walk.finish_session(client, room.study, 1, answers={"quality": 5})
    everything = {"confidence": "3", "signs": ["mass"], "quality": 5, "size": 4, "note": "x"}
    walk.finish_session(client, room.study, 2, answers=everything)
    page.goto(room.address(3))
    room.begin()
    room.in_state("closing")
    page.locator("[name=closing-1]").nth(3).check()
    page.locator("[name=closing-2]").fill("3")
    page.locator("[name=closing-4]").first.check()
    page.locator("#closing-send").press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Which signs")).to_be_visible()
    assert in_field(page) == ["closing-0", "mass"]


def test_answers_on_their_way_are_sent_after_a_reload_once(room, page):
    client = walk.client_of(room.reader)
    walk.finish_session(client, room.study, 1, answers={"quality": 5})
    everything = {"confidence": "3", "signs": ["mass"], "quality": 5, "size": 4, "note": "x"}
    walk.finish_session(client, room.study, 2, answers=everything)
    page.goto(room.address(3))
    room.begin()
    room.in_state("closing")
    page.locator("[name=closing-0]").first.check()
    page.locator("[name=closing-1]").nth(3).check()
    page.locator("[name=closing-2]").fill("3")
    page.locator("[name=closing-4]").first.check()
    page.route("**/answers/", lambda route: route.abort())
    page.locator("#closing-send").press("Enter")
    room.in_state("offline")
    page.unroute("**/answers/")
    page.reload()
    room.in_state("done")
    stored = ClosingAnswers.objects.get(session__reading_list__enrollment__reader=room.reader)
    assert stored.answers == {"signs": ["mass"], "quality": 3, "size": 3, "look": "a"}
