"""Readers report problems with the image on screen, through the API."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.utils.timezone import now

from readerstudy.reading.models import ImageProblem
from readerstudy.studies.actions import close_study
from readerstudy.studies.models import Presentation
from tests import make, walk


def report(client, study, number, step, **changes):
    body = {"stimulus": step["stimulus"]["code"], "text": "It is cut off.", "key": str(uuid4()), **changes}
    return client.post(walk.address(study.code, number, "problems"), body, format="json")


@pytest.fixture
def client(rita):
    return walk.client_of(rita)


def test_a_report_is_stored_and_the_image_still_needs_a_verdict(study, client):
    step = walk.open_session(client, study.code, 1)
    answer = report(client, study, 1, step)
    assert (answer.status_code, answer.json()) == (201, {"reported": True})
    (problem,) = ImageProblem.objects.all()
    assert (problem.text, problem.presentation.code) == ("It is cut off.", step["stimulus"]["code"])
    assert client.get(walk.address(study.code, 1, "step")).json() == step
    assert walk.answer(client, study.code, 1, step, "seen").status_code == 201


def test_the_same_report_sent_again_is_stored_once(study, client):
    step, key = walk.open_session(client, study.code, 1), str(uuid4())
    assert [report(client, study, 1, step, key=key).status_code for _ in range(2)] == [201, 200]
    assert ImageProblem.objects.count() == 1
    following = walk.answer(client, study.code, 1, step, "seen").json()["step"]
    assert report(client, study, 1, step, key=key).status_code == 200  # the acknowledgement was lost
    assert report(client, study, 1, following, key=key).status_code == 400
    assert ImageProblem.objects.count() == 1


def test_only_the_current_image_can_be_reported(study, client):
    step = walk.open_session(client, study.code, 1)
    following = step["next"]
    assert report(client, study, 1, {"stimulus": following}).status_code == 409
    assert report(client, study, 1, step, stimulus="0" * 32).status_code == 409
    walk.answer(client, study.code, 1, step, "seen")
    assert report(client, study, 1, step).status_code == 409
    assert not ImageProblem.objects.exists()


def test_a_session_that_is_not_open_takes_no_reports(study, client):
    code = Presentation.objects.filter(reading_list__session_plan__number=1).first().code
    assert report(client, study, 1, {"stimulus": {"code": code}}).status_code == 409
    step = walk.open_session(client, study.code, 1)
    close_study(study=study, actor=None, reason="All have read.", at=now())
    assert report(client, study, 1, step).status_code == 409


def test_a_page_that_lost_the_session_reports_nothing(study, client):
    desk, home = str(uuid4()), str(uuid4())
    for page in (desk, home):
        step = client.post(walk.address(study.code, 1, "open"), {"page": page}, format="json").json()
    assert report(client, study, 1, step, page=desk).json()["taken_over"] is True
    assert report(client, study, 1, step, page=home).status_code == 201


@pytest.mark.parametrize("wrong", [{"text": "x" * 501}, {"text": "a\0b"}, {"text": 5}, {"key": "mine"}, {"text": None}])
def test_refuses_a_malformed_report(study, client, wrong):
    step = walk.open_session(client, study.code, 1)
    expected = 201 if wrong == {"text": 5} else 400  # a number is taken as its digits
    assert report(client, study, 1, step, **wrong).status_code == expected


def test_a_reader_reports_one_image_at_most_ten_times(study, client):
    step = walk.open_session(client, study.code, 1)
    assert [report(client, study, 1, step).status_code for _ in range(11)] == [201] * 10 + [400]


def test_another_reader_cannot_report_for_rita(study, client):
    step = walk.open_session(client, study.code, 1)
    tom = walk.client_of(make.user("tom"))
    assert report(tom, study, 1, step).status_code == 404


def test_a_report_cannot_be_changed_or_deleted(study, client):
    report(client, study, 1, walk.open_session(client, study.code, 1))
    for change in (lambda: ImageProblem.objects.update(text=""), lambda: ImageProblem.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
