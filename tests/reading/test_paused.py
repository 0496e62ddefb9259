"""A paused study: readers get a clear sentence, nothing is lost, and they continue at their image."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from readerstudy.reading.actions import open_session
from readerstudy.reading.models import Reading, ReadingSession
from readerstudy.studies.actions import pause_study, resume_study
from tests import make, walk

pytestmark = pytest.mark.django_db
KEY = "11111111-1111-4111-8111-111111111111"


def pause(study, at=make.MONDAY) -> None:
    pause_study(study=study, actor=None, reason="The room is being painted.", at=at)


def resume(study, at=make.MONDAY) -> None:
    resume_study(study=study, actor=None, at=at)


def test_a_verdict_is_refused_in_a_pause_and_taken_afterwards(study, rita):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    pause(study)
    refused = walk.answer(client, study.code, 1, step, "seen", key=KEY)
    body = refused.json()
    assert (refused.status_code, body["paused"], body["step"]["kind"]) == (409, True, "wait")
    assert "Nothing you have read is lost" in body["detail"] == body["step"]["reason"]
    assert not Reading.objects.exists()
    resume(study)
    assert walk.answer(client, study.code, 1, step, "seen", key=KEY).status_code == 201
    assert Reading.objects.get().presentation.position == 1


def test_a_verdict_that_was_stored_is_acknowledged_again_in_a_pause(study, rita):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    first = walk.answer(client, study.code, 1, step, "seen", key=KEY).json()
    pause(study)
    again = walk.answer(client, study.code, 1, step, "seen", key=KEY)
    assert (again.status_code, again.json()["receipt"]) == (200, first["receipt"])
    assert again.json()["step"]["kind"] == "wait"


def test_no_session_opens_and_no_image_is_sent_in_a_pause(study, rita):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    pause(study)
    opened = client.post(walk.address(study.code, 1, "open"))
    assert (opened.status_code, opened.json()["paused"]) == (409, True)
    waiting = client.get(walk.address(study.code, 1, "step"))
    assert (waiting.status_code, waiting.json()["kind"]) == (200, "wait")
    assert "is paused" in waiting.json()["reason"]
    assert client.get(step["stimulus"]["image"]).status_code == 410
    resume(study)
    assert walk.open_session(client, study.code, 1) == step


@pytest.mark.parametrize(
    ("move", "state", "sentence"),
    [(pause, "paused", "This study is paused"), (lambda study: None, "open", "Begin")],
)
def test_the_start_page_and_the_api_say_so(study, rita, client, move, state, sentence):
    move(study)
    client.force_login(rita)
    page = client.get("/").content.decode()
    assert sentence in page
    assert ("Begin<" in page) is (state == "open")
    (line,) = walk.client_of(rita).get("/api/v1/reading/").json()["studies"]
    assert line["state"] == state


def test_a_pause_does_not_count_as_rest(small):
    study = make.study(changes={"every": {"rest_hours": 2}})
    rita = make.reader_in(study)
    long_ago = now() - timedelta(days=3)
    open_session(reader=rita, study=study.code, number=1, at=long_ago)
    pause(study, at=long_ago)
    resume(study, at=now())
    client = walk.client_of(rita)
    assert client.post(walk.address(study.code, 1, "open")).status_code == 200
    assert ReadingSession.objects.get().held_at is None
