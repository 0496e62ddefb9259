"""Questions at the end of a session and questionnaires, through the API: asked once, stored once, never lost."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.utils.timezone import now

from readerstudy.accounts.models import Role
from readerstudy.client.scripted_reader import play_session
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.questions import Choice, Question, QuestionKind
from readerstudy.protocol.rules import DisplayCheck, SessionRules
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.models import ClosingAnswers, ReadingSession
from readerstudy.studies.actions import close_study
from tests import make, walk

YEARS = Question("years", QuestionKind.NUMBER, "Years of experience?", minimum=0, maximum=60, whole=True)
NOTE = Question("note", QuestionKind.TEXT, "Anything else?", required=False)
LOOK = Question("look", QuestionKind.CHOICE, "How did they look?", (Choice("a", "Alike"), Choice("b", "Different")))
PROTOCOL = Protocol(
    (
        ProtocolSession(
            SessionKind.QUESTIONNAIRE,
            "About you",
            rules=SessionRules(questions=(YEARS, NOTE), display_check=DisplayCheck.REQUIRED),
        ),
        ProtocolSession(
            SessionKind.BLINDED, "Reading", real=2, rules=SessionRules(closing_questions=(LOOK,), rest_hours=1)
        ),
        ProtocolSession(SessionKind.QUESTIONNAIRE, "Last", rules=SessionRules(questions=(NOTE,))),
    )
)


@pytest.fixture
def asking(db, small):
    return make.study("asking", protocol=PROTOCOL)


@pytest.fixture
def client(asking):
    return walk.client_of(make.reader_in(asking, "rita"))


def send(client, number=1, answers=None, **changes):
    body = {"answers": answers or {}, "elapsed_ms": 9000, "key": str(uuid4()), **changes}
    return client.post(walk.address("asking", number, "answers"), body, format="json")


def test_a_questionnaire_has_no_images_and_needs_no_display_check(client):
    step = walk.open_session(client, "asking", 1)
    assert step["kind"] == "ask"
    assert [question["name"] for question in step["questions"]] == ["years", "note"]
    answer = send(client, answers={"years": 12})
    assert (answer.status_code, answer.json()["step"]) == (201, {"kind": "done"})
    assert ClosingAnswers.objects.get().answers == {"years": 12}
    assert walk.open_session(client, "asking", 2)["kind"] == "read"


def test_answers_that_are_sent_again_are_stored_once(client):
    walk.open_session(client, "asking", 1)
    key = str(uuid4())
    first, again = (send(client, answers={"years": 12}, key=key) for _ in range(2))
    assert (again.status_code, again.json()["receipt"]) == (200, first.json()["receipt"])
    other = send(client, answers={"years": 13})
    assert other.status_code == 409
    assert other.json()["step"] == {"kind": "done"}
    assert ClosingAnswers.objects.count() == 1


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({}, "'years' is missing"),
        ({"years": 61}, "must be a whole number from 0 to 60"),
        ({"years": 3, "look": "a"}, "'look' is not asked"),
    ],
)
def test_impossible_answers_change_nothing(client, answers, sentence):
    walk.open_session(client, "asking", 1)
    answer = send(client, answers=answers)
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]
    assert not ClosingAnswers.objects.exists()
    assert ReadingSession.objects.get().finished_at is None


def test_questions_at_the_end_come_after_the_last_image_and_finish_the_session(client):
    assert send(client, 2, {"look": "a"}).status_code == 409  # not open
    walk.finish_session(client, "asking", 1)
    step = walk.open_session(client, "asking", 2)
    assert send(client, 2, {"look": "a"}).json()["detail"] == "These questions come after the last image."
    while step["kind"] == "read":
        step = walk.answer(client, "asking", 2, step, "real").json()["step"]
    assert step["kind"] == "ask"
    assert client.get(walk.address("asking", 2, "step")).json() == step
    assert client.get(walk.address("asking", 3, "step")).json() == {"kind": "wait", "until": None}
    assert ReadingSession.objects.get(reading_list__session_plan__number=2).finished_at is None
    assert send(client, 2, {"look": "b"}).json()["step"] == {"kind": "done"}
    assert client.get("/api/v1/reading/").json()["studies"][0]["sessions"][1]["state"] == "done"


def test_only_the_page_that_holds_the_session_may_send_answers(client):
    desk, home = str(uuid4()), str(uuid4())
    for page in (desk, home):
        client.post(walk.address("asking", 1, "open"), {"page": page}, format="json")
    refused = send(client, answers={"years": 3}, page=desk)
    assert (refused.status_code, refused.json()["taken_over"]) == (409, True)
    assert send(client, answers={"years": 3}, page=home).status_code == 201


def test_a_session_that_rests_before_its_last_questions_is_held_from_the_last_verdict_on(client, asking, monkeypatch):
    walk.finish_session(client, "asking", 1)
    step = walk.open_session(client, "asking", 2)
    while step["kind"] == "read":
        step = walk.answer(client, "asking", 2, step, "real").json()["step"]
    soon, late = now() + timedelta(minutes=50), now() + timedelta(minutes=70)
    monkeypatch.setattr("readerstudy.api.reader.views.now", lambda: soon)
    assert walk.open_session(client, "asking", 2)["kind"] == "ask"
    monkeypatch.setattr("readerstudy.api.reader.views.now", lambda: late)
    assert client.post(walk.address("asking", 2, "open")).json()["step"]["kind"] == "wait"


def test_stored_answers_cannot_be_changed_or_deleted(client):
    walk.open_session(client, "asking", 1)
    send(client, answers={"years": 12})
    for change in (lambda rows: rows.update(answers={}), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(ClosingAnswers.objects.all())


def test_a_scripted_reader_answers_what_is_asked_once(client, asking):
    program = walk.program_of(client)
    shown = [len(list(play_session(program, "asking", number, lambda step: ("real", 900)))) for number in (1, 2, 3)]
    assert shown == [0, 2, 0]
    assert [row.answers for row in ClosingAnswers.objects.order_by("id")] == [{"years": 0}, {"look": "a"}, {}]


def test_a_coordinator_gets_the_answers_once_the_study_is_closed(client, asking):
    clara = walk.client_of(make.user("clara", Role.COORDINATOR))
    walk.open_session(client, "asking", 1)
    send(client, answers={"years": 12})
    assert clara.get("/api/v1/studies/asking/answers/").status_code == 409
    close_study(study=asking, actor=None, reason="Enough.", at=make.MONDAY)
    (line,) = clara.get("/api/v1/studies/asking/answers/").json()
    assert (line["reader"], line["session"], line["answers"]) == ("R1", 1, {"years": 12})
    assert client.get("/api/v1/studies/asking/answers/").status_code == 403
