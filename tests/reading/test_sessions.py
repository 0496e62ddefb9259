"""Which page holds a session, how long it may rest, practice, breaks and questions, through the API."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils.timezone import now

from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, NotItsTurn
from readerstudy.reading.actions import allow_resume, open_session
from readerstudy.reading.models import Claim, Reading, ReadingSession
from tests import make, walk


def planned(**rules):
    """A study in which every session has these rules, and Rita's client."""
    study = make.study(changes={"every": rules})
    return study, make.reader_in(study, "rita")


def claim(client, study, number, page):
    return client.post(walk.address(study.code, number, "open"), {"page": str(page)}, format="json")


# --- pages ----------------------------------------------------------------------------------------------------
def test_the_newest_page_takes_over_and_the_older_one_is_notified(study, rita):
    client, desk, home = walk.client_of(rita), uuid4(), uuid4()
    step = claim(client, study, 1, desk).json()
    claim(client, study, 1, home)
    asked = client.get(walk.address(study.code, 1, "step"), {"page": str(desk)})
    refused = walk.answer(client, study.code, 1, step, "seen", page=str(desk))
    for answer in (asked, refused):
        assert answer.status_code == 409
        assert answer.json() == {
            "title": "Conflict",
            "status": 409,
            "detail": "You are reading in another window or on another device.",
            "taken_over": True,
        }
    assert not Reading.objects.exists()
    assert walk.answer(client, study.code, 1, step, "seen", page=str(home)).status_code == 201


def test_leaving_the_page_out_does_not_pass_the_lock(study, rita):
    client, desk = walk.client_of(rita), uuid4()
    step = claim(client, study, 1, desk).json()
    problem = {"stimulus": step["stimulus"]["code"], "key": str(uuid4())}
    for answer in (
        walk.answer(client, study.code, 1, step, "seen"),
        walk.answer(client, study.code, 1, step, "seen", page=None),
        client.get(walk.address(study.code, 1, "step")),
        client.post(walk.address(study.code, 1, "open")),
        client.post(walk.address(study.code, 1, "problems"), problem, format="json"),
    ):
        assert answer.status_code in (400, 409), answer.json()
    assert not Reading.objects.exists()
    program = walk.program_of(client)
    program.open_session(study.code, 1, page=desk)
    assert program.current_step(study.code, 1) == step
    assert program.give_verdict(study.code, 1, step, "seen", elapsed_ms=4000)["receipt"]


def test_a_page_that_claims_again_holds_the_session_again(study, rita):
    client, desk, home = walk.client_of(rita), uuid4(), uuid4()
    for page in (desk, home, home, desk):
        step = claim(client, study, 1, page).json()
    assert Claim.objects.count() == 3  # asking twice is one claim
    assert walk.answer(client, study.code, 1, step, "seen", page=str(desk)).status_code == 201


def test_a_verdict_that_was_stored_is_acknowledged_again_to_a_page_that_lost(study, rita):
    client, desk = walk.client_of(rita), uuid4()
    step = claim(client, study, 1, desk).json()
    key = str(uuid4())
    first = walk.answer(client, study.code, 1, step, "seen", page=str(desk), key=key)
    claim(client, study, 1, uuid4())
    again = walk.answer(client, study.code, 1, step, "seen", page=str(desk), key=key)
    assert (again.status_code, again.json()["receipt"]) == (200, first.json()["receipt"])


def test_rejects_a_page_id_that_is_not_a_uuid(study, rita):
    answer = walk.client_of(rita).post(walk.address(study.code, 1, "open"), {"page": "mine"}, format="json")
    assert answer.status_code == 400
    assert "page" in answer.json()["detail"]


def test_a_finished_session_still_answers_a_page_that_asks(study, rita):
    client = walk.client_of(rita)
    walk.finish_session(client, study.code, 1)
    assert claim(client, study, 1, uuid4()).json() == {"kind": "done"}


# --- rest -----------------------------------------------------------------------------------------------------
def test_a_session_that_rested_too_long_is_held_until_the_coordinator_lets_it_go_on(db, small, clara):
    study, rita = planned(rest_hours=48)
    opened = now()
    open_session(reader=rita, study=study.code, number=1, at=opened)
    late = opened + timedelta(hours=49)
    with pytest.raises(NotItsTurn, match="is on hold"):
        open_session(reader=rita, study=study.code, number=1, at=late)
    session = ReadingSession.objects.get()
    assert session.held_at == late
    step = walk.client_of(rita).get(walk.address(study.code, 1, "step")).json()
    assert step["kind"] == "wait"
    assert "is on hold" in step["reason"]
    with pytest.raises(BadInput, match="reason"):
        allow_resume(session=session, actor=clara, reason=" ", at=late)
    allow_resume(session=session, actor=clara, reason="She was ill.", at=late)
    open_session(reader=rita, study=study.code, number=1, at=late + timedelta(hours=1))
    verbs = list(Event.objects.filter(verb__startswith="session.").order_by("id").values_list("verb", flat=True))
    assert verbs == ["session.opened", "session.held", "session.allowed"]
    with pytest.raises(NotItsTurn, match="not on hold"):
        allow_resume(session=session, actor=clara, reason="Again.", at=late)


def test_a_session_within_its_rest_goes_on_and_a_gap_is_logged(db, small):
    study, rita = planned(rest_hours=48, gap_minutes=30)
    opened, page = now(), uuid4()
    open_session(reader=rita, study=study.code, number=1, at=opened, page=page)
    open_session(reader=rita, study=study.code, number=1, at=opened + timedelta(minutes=20), page=uuid4())
    assert not Event.objects.filter(verb="session.resumed").exists()
    open_session(reader=rita, study=study.code, number=1, at=opened + timedelta(hours=47), page=uuid4())
    assert Event.objects.get(verb="session.resumed").data["rested_s"] == 47 * 3600
    assert list(Claim.objects.values_list("rested_s", flat=True)) == [None, 20 * 60, 47 * 3600]


def test_without_a_rule_a_session_may_rest_forever(study, rita):
    at = now()
    open_session(reader=rita, study=study.code, number=1, at=at)
    open_session(reader=rita, study=study.code, number=1, at=at + timedelta(days=400))
    assert ReadingSession.objects.get().held_at is None


# --- practice -------------------------------------------------------------------------------------------------
def test_practice_comes_first_and_counts_for_nothing(db, small):
    study, rita = planned(practice=True, questions=["confidence"])
    client = walk.client_of(rita)
    walk.finish_session(client, study.code, 1)  # nothing is asked in it, so there is no practice
    step = walk.open_session(client, study.code, 2)
    assert (step["kind"], step["verdicts"]) == ("practise", ["real", "not_real", "unsure"])
    assert client.get(step["stimulus"]["image"]).status_code == 200
    refused = walk.answer(client, study.code, 2, step, "real")
    assert (refused.status_code, refused.json()["detail"]) == (400, "answers: 'confidence' is missing.")
    before = Reading.objects.count()
    done = walk.answer(client, study.code, 2, step, "real", answers={"confidence": "3"})
    assert (done.status_code, done.json()["receipt"]) == (201, None)
    assert (done.json()["step"]["kind"], done.json()["step"]["position"]) == ("read", 1)
    assert Reading.objects.count() == before
    again = walk.answer(client, study.code, 2, step, "real", answers={"confidence": "3"})
    assert again.status_code == 200  # the reply was lost: the same once more
    assert client.get(step["stimulus"]["image"]).status_code == 410


def test_while_practising_the_first_image_is_the_next_one_and_cannot_be_answered(db, small):
    study, rita = planned(practice=True)
    client = walk.client_of(rita)
    walk.finish_session(client, study.code, 1)
    step = walk.open_session(client, study.code, 2)
    first, second, third = ReadingSession.objects.get(
        reading_list__session_plan__number=2
    ).reading_list.presentations.order_by("position")[:3]
    assert step["next"]["code"] == first.code
    assert client.get(step["next"]["image"]).status_code == 200
    assert step["after_next"]["code"] == second.code
    assert client.get(step["after_next"]["image"]).status_code == 200
    assert client.get(f"/api/v1/reading/{study.code}/images/{third.code}/").status_code == 410
    assert walk.answer(client, study.code, 2, {"stimulus": step["next"]}, "real").status_code == 409


def test_nobody_else_sees_a_practice_image(db, small):
    study, rita = planned(practice=True)
    walk.finish_session(walk.client_of(rita), study.code, 1)
    step = walk.open_session(walk.client_of(rita), study.code, 2)
    ben = walk.client_of(make.reader_in(study, "ben"))
    assert ben.get(step["stimulus"]["image"]).status_code == 410


# --- breaks and questions ---------------------------------------------------------------------------------------
def test_a_break_is_offered_where_the_plan_has_one_and_told_one_image_ahead(db, small):
    study, rita = planned(break_every=2)
    client = walk.client_of(rita)
    steps, step = [], walk.open_session(client, study.code, 1)
    while step["kind"] != "done":
        steps.append(step)
        step = walk.answer(client, study.code, 1, step, "seen").json()["step"]
    assert [step["break"] for step in steps] == [False, False, True]
    assert [step["next"] and step["next"]["break"] for step in steps] == [False, True, None]


def test_answers_are_asked_in_blinded_sessions_and_stored_with_the_verdict(db, small):
    study, rita = planned(questions=["confidence", "mark"])
    client = walk.client_of(rita)
    walk.finish_session(client, study.code, 1)
    step = walk.open_session(client, study.code, 2)
    assert [q["name"] for q in step["questions"]] == ["confidence", "mark"]
    missing = walk.answer(client, study.code, 2, step, "not_real")
    assert missing.status_code == 400
    answers = {"confidence": "5", "mark": [[3, 4]]}
    assert walk.answer(client, study.code, 2, step, "not_real", answers=answers).status_code == 201
    assert Reading.objects.last().answers == answers


def test_the_time_of_a_reading_is_graded_when_it_is_stored(study, rita):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    walk.answer(client, study.code, 1, step, "seen", elapsed_ms=3_600_000)
    reading = Reading.objects.get()
    assert (reading.quality, reading.quality_reasons) == ("C", ["longer_than_server"])
