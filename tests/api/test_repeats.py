"""Requests with an idempotency key: carried out once, answered alike, and kept for a day."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils.timezone import now
from drf_spectacular.generators import EndpointEnumerator

from readerstudy.accounts.models import Role
from readerstudy.api.exchange import repeats
from readerstudy.api.models import KeyedRequest
from readerstudy.api.running import drafts
from readerstudy.jobs.models import Job
from readerstudy.studies.actions import remove_member
from readerstudy.studies.models import Enrollment, Study
from readerstudy.webhooks.models import Delivery, Webhook
from tests import make, walk

pytestmark = pytest.mark.django_db
KEY = str(uuid4())
ASKED = {"kind": "train-classifier", "parameters": {"cohort": "films-tiny", "name": "cad", "preset": "demo"}}
PEOPLE = "Ruth Ott <ruth@example.org>"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    monkeypatch.setattr("readerstudy.jobs.queue.app.send_task", lambda *args, **kwargs: None)


def post(person, address: str, body, key: str | None = KEY):
    headers = {} if key is None else {"Idempotency-Key": key}
    return walk.client_of(person).post(f"/api/v1/{address}", body, headers=headers)


def new_study(study, **changes) -> dict:
    text = walk.client_of(make.overseer()).get(f"/api/v1/studies/{study.code}/protocol.yaml").content.decode()
    named = {"code": "second", "title": "A second study", "cohort": study.cohort.name}
    return {**named, "protocol": text, **changes}


def test_a_study_is_created_once_and_answered_twice(study, clara):
    body = new_study(study)
    first, second = (post(clara, "studies/", body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Study.objects.filter(code="second").count() == 1
    assert post(clara, "studies/", body, key=str(uuid4())).status_code == 400, "the code is taken"


def test_a_job_that_is_over_is_not_started_again_by_a_repeated_request(study, rosa):
    first = post(rosa, "jobs/", ASKED)
    Job.objects.update(status="done", ended_at=now())
    again = post(rosa, "jobs/", ASKED)
    assert (again.status_code, again.json()) == (201, first.json())
    assert post(rosa, "jobs/", ASKED, key=None).json()["id"] != first.json()["id"]


def test_a_move_and_an_invitation_are_answered_again(study, clara):
    why = {"reason": "All have read."}
    invited = [post(clara, "studies/tiny/invitations/", {"people": PEOPLE}) for _ in range(2)]
    assert [answer.status_code for answer in invited] == [201, 201]
    assert invited[0].json() == invited[1].json()
    assert Enrollment.objects.count() == 1
    closed = [post(clara, "studies/tiny/close/", why, key=str(uuid4()).replace("-", "")) for _ in range(2)]
    assert [answer.status_code for answer in closed] == [200, 409], "with another key it is another request"


def test_the_key_of_another_request_is_refused(study, clara):
    post(clara, "studies/tiny/invitations/", {"people": PEOPLE})
    for address, body in (("invitations/", {"people": "Paul Pott <paul@example.org>"}), ("close/", {"people": PEOPLE})):
        answer = post(clara, f"studies/tiny/{address}", body)
        assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert Enrollment.objects.count() == 1
    study.refresh_from_db()
    assert study.status == "open"


def test_the_keys_of_two_people_are_apart(study, clara, rosa):
    first, second = (post(person, "studies/tiny/readers/", {"user": "nobody"}) for person in (clara, rosa))
    assert (first.status_code, second.status_code) == (400, 400)
    make.user("paul")
    assert post(clara, "studies/tiny/readers/", {"user": "paul"}).status_code == 201
    other = post(rosa, "studies/tiny/readers/", {"user": "paul"})
    assert other.status_code == 400
    assert "is enrolled in tiny already" in other.json()["detail"]


def test_a_refused_request_is_tried_again(study, clara):
    assert post(clara, "studies/tiny/close/", {"reason": " "}).status_code == 400
    assert not KeyedRequest.objects.exists()
    assert post(clara, "studies/tiny/close/", {"reason": "All have read."}).status_code == 200


def test_a_request_that_is_under_way_is_not_begun_a_second_time(study, clara, monkeypatch):
    inner, make_move = [], drafts.make_move

    def twice(**values):
        inner.append(post(clara, "studies/tiny/close/", {"reason": "Done."}))
        return make_move(**values)

    monkeypatch.setattr(drafts, "make_move", twice)
    assert post(clara, "studies/tiny/close/", {"reason": "Done."}).status_code == 200
    (second,) = inner
    assert (second.status_code, "still being carried out" in second.json()["detail"]) == (409, True)


def test_a_request_that_broke_off_is_not_repeated_blindly(study, clara, monkeypatch):
    def breaks(**values):
        raise RuntimeError("power cut")

    monkeypatch.setattr("readerstudy.api.running.drafts.make_move", breaks)
    with pytest.raises(RuntimeError):
        post(clara, "studies/tiny/close/", {"reason": "Done."})
    monkeypatch.undo()
    KeyedRequest.objects.update(begun_at=now() - repeats.LONGEST_REQUEST)
    answer = post(clara, "studies/tiny/close/", {"reason": "Done."})
    assert (answer.status_code, "broke off" in answer.json()["detail"]) == (409, True)


def test_after_a_day_a_key_is_new(study, clara):
    post(clara, "studies/tiny/invitations/", {"people": PEOPLE})
    KeyedRequest.objects.update(expires_at=now() - timedelta(seconds=1))
    again = post(clara, "studies/tiny/invitations/", {"people": PEOPLE})
    assert (again.status_code, [row["outcome"] for row in again.json()["people"]]) == (200, ["already_in"])
    assert KeyedRequest.objects.count() == 1


def test_an_answer_is_stored_so_that_only_its_sender_can_read_it(study, clara):
    """A letter by hand holds the sign-in link."""
    post(clara, "studies/tiny/invitations/", {"people": PEOPLE}, key=None)
    body = {"by_hand": True}
    text = post(clara, "studies/tiny/readers/R1/link/", body).json()["text"]
    assert "/account/sign-in/" in text
    (row,) = KeyedRequest.objects.all()
    assert b"sign-in" not in bytes(row.answer)
    assert KEY not in row.key_hash
    assert post(clara, "studies/tiny/readers/R1/link/", body).json()["text"] == text


@pytest.mark.parametrize("key", ["short", "", "x" * 256, "with a blank in it", '"half-quoted-key-here', "é" * 20])
def test_a_key_of_another_form_is_refused(study, clara, key):
    answer = post(clara, "studies/tiny/close/", {"reason": "Done."}, key=key)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


def test_a_key_with_and_without_quotes_is_the_same(study, clara):
    post(clara, "studies/tiny/close/", {"reason": "Done."}, key=f'"{KEY}"')
    assert post(clara, "studies/tiny/close/", {"reason": "Done."}).headers["Idempotent-Replayed"] == "true"


def leaves(person, code: str) -> None:
    study = Study.objects.get(code=code)
    make.join([make.stranger("another", Role.RESEARCHER)], [study])
    remove_member(study=study, person=person, actor=None, at=now())


def test_an_answer_is_not_repeated_to_somebody_who_left_the_study(study, clara):
    body = {"by_hand": True}
    post(clara, "studies/tiny/invitations/", {"people": PEOPLE}, key=None)
    assert "/account/sign-in/" in post(clara, "studies/tiny/readers/R1/link/", body).json()["text"]
    leaves(clara, "tiny")
    answer = post(clara, "studies/tiny/readers/R1/link/", body)
    assert (answer.status_code, "sign-in" in answer.content.decode()) == (404, False)


def test_a_new_study_is_not_shown_again_to_somebody_who_left_it(study, clara):
    body = new_study(study)
    assert post(clara, "studies/", body).status_code == 201
    leaves(clara, "second")
    assert post(clara, "studies/", body).status_code == 404


def test_the_deletion_of_a_draft_is_answered_again(study, clara):
    post(clara, "studies/", new_study(study), key=None)
    deleted = [post(clara, "studies/second/delete/", {"reason": "Not needed."}) for _ in range(2)]
    assert [answer.status_code for answer in deleted] == [204, 204]
    assert deleted[1].headers["Idempotent-Replayed"] == "true"


def test_a_webhook_is_made_once_and_its_secret_told_to_its_maker_alone(study, clara, settings):
    settings.EMBEDDED, settings.WEBHOOK_HOSTS = True, []
    body = {"study": "tiny", "url": "http://127.0.0.1:9/told", "facts": ["study.closed"]}
    first, second = (post(clara, "webhooks/", body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    secret = first.json()["secret"]
    assert secret.encode() not in bytes(KeyedRequest.objects.get().answer)
    leaves(clara, "tiny")
    answer = post(clara, "webhooks/", body)
    assert (answer.status_code, secret in answer.content.decode()) == (404, False)
    assert Webhook.objects.count() == 1


def test_a_test_message_is_sent_once(study, clara, settings):
    settings.EMBEDDED, settings.WEBHOOK_HOSTS = True, []
    body = {"study": "tiny", "url": "http://127.0.0.1:9/told", "facts": ["study.closed"]}
    number = post(clara, "webhooks/", body, key=None).json()["number"]
    first, second = (post(clara, f"webhooks/{number}/test/", {}) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert Delivery.objects.count() == 1


def test_every_post_of_investigators_may_be_repeated_and_checks_the_right():
    posts = [
        (path, callback.cls)
        for path, _regex, method, callback in EndpointEnumerator().get_api_endpoints()
        if method == "POST" and not path.startswith(("/api/v1/reading/", "/api/v1/token/"))
    ]
    assert len(posts) >= 16
    for path, view in posts:
        assert repeats.is_answered_once(view.post), path
        assert view.require_right_to_repeat is not repeats.Repeatable.require_right_to_repeat, path
