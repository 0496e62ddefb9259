"""Webhooks: what they say and to whom, signatures, retries, and their end."""

import base64
import hashlib
import hmac
import json
import socket
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import transaction

from readerstudy.audit.models import Event
from readerstudy.client.webhooks import NotSigned, verify_message
from readerstudy.errors import NotFound, StudyError
from readerstudy.jobs.actions import cancel_job
from readerstudy.jobs.models import Job
from readerstudy.studies.actions import close_study, remove_member
from readerstudy.webhooks.actions import end_webhook, make_webhook, send_again, send_test, webhook_for
from readerstudy.webhooks.models import LEASE, Delivery, DeliveryState, Fact, Webhook
from readerstudy.webhooks.sending import PAUSES, send, send_waiting
from tests import make, walk
from tests.webhooks.receiver import Receiver

AT = make.MONDAY
OF_STUDY = [Fact.SESSION_FINISHED, Fact.STUDY_CLOSED]


def told(webhook: Webhook) -> list[dict]:
    return [json.loads(row.body) for row in webhook.deliveries.order_by("made_at")]


def test_message(webhook: Webhook) -> Delivery:
    return send_test(webhook=webhook, actor=webhook.owner, at=AT)


test_message.__test__ = False


# --- what is sent -----------------------------------------------------------------------------------------------------
def test_a_finished_session_is_sent_without_a_verdict_or_a_count(study, rita, webhook, receiver):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    (message,) = told(webhook)
    assert message["type"] == "session.finished"
    assert message["data"] == {"study": study.code, "reader": study.enrollments.get().code, "session": 1}
    assert set(message) == {"type", "timestamp", "data"}
    assert rita.username not in webhook.deliveries.get().body
    assert send(webhook.deliveries.get(), at=webhook.deliveries.get().due_at)
    assert len(receiver.got) == 1


def test_messages_of_two_readers_differ_in_their_code_alone(study, rita, webhook):
    """Whatever the readers said and saw, and however long the text is: nothing depends on it."""
    ruth = make.reader_in(study, "ruth")
    walk.finish_session(walk.client_of(rita), study.code, 1)
    walk.finish_session(walk.client_of(ruth), study.code, 1, walk.always("not_real"))
    first, second = told(webhook)
    assert {**first["data"], "reader": ""} == {**second["data"], "reader": ""}
    assert len({len(row.body) for row in webhook.deliveries.all()}) == 1


def test_a_closed_study_is_sent(study, clara, webhook):
    close_study(study=study, actor=clara, reason="All have read.", at=AT)
    (message,) = told(webhook)
    assert (message["type"], message["data"]) == ("study.closed", {"study": study.code})


def test_the_end_of_a_job_is_sent_to_the_person_who_started_it(rosa, clara, receiver):
    def jobs_of(person):
        return make_webhook(study=None, url=receiver.url, facts=[Fact.JOB_ENDED], actor=person, at=AT)

    own, other = jobs_of(rosa), jobs_of(clara)
    job = Job.objects.create(kind="evaluate", queue="cpu", requested_by=rosa, queued_at=AT)
    assert job.claim(worker="w", at=AT)
    assert job.finish({"auc": 0.9}, at=AT)
    assert not job.finish({"auc": 0.8}, at=AT)
    (message,) = told(own)
    assert message["data"] == {"job": job.pk, "kind": "evaluate", "status": "done"}
    assert told(other) == []
    waiting = Job.objects.create(kind="evaluate", queue="cpu", requested_by=rosa, queued_at=AT, parameters={"x": 1})
    cancel_job(job=waiting, actor=rosa, at=AT)
    assert sorted(message["data"]["status"] for message in told(own)) == ["cancelled", "done"]


def test_what_is_rolled_back_is_not_sent(study, clara, webhook, queue, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            close_study(study=study, actor=clara, reason="All have read.", at=AT)
            assert Delivery.objects.count() == 1
            transaction.set_rollback(True)
        assert not Delivery.objects.exists()
    assert queue == []


def test_a_message_is_handed_over_after_the_commit(webhook, queue, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        delivery = test_message(webhook)
        assert queue == []
    assert queue == [str(delivery.pk)]


def test_a_broker_that_is_away_leaves_the_message_to_the_clock(webhook, receiver, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("away")

    monkeypatch.setattr("readerstudy.webhooks.sending.app.send_task", refuse)
    delivery = test_message(webhook)
    call_command("send_webhooks")
    delivery.refresh_from_db()
    assert (delivery.state, len(receiver.got)) == (DeliveryState.DELIVERED, 1)


# --- signatures -------------------------------------------------------------------------------------------------------
def test_the_signature_is_that_of_standard_webhooks(webhook, receiver):
    delivery = test_message(webhook)
    send(delivery, at=AT)
    ((path, headers, body),) = receiver.got
    assert path == "/hook"
    assert headers["host"] in receiver.url
    assert headers["webhook-id"] == delivery.message_id
    assert headers["webhook-timestamp"] == str(int(AT.timestamp()))
    # The reference, as the specification words it: base64 of HMAC-SHA256 over "id.timestamp.body", key after "whsec_".
    assert webhook.secret.startswith("whsec_")
    key = base64.b64decode(webhook.secret.split("_")[1])
    assert len(key) == 32
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}"
    expected = base64.b64encode(hmac.digest(key, content.encode(), "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_the_specification_s_own_example_is_accepted():
    """The vector in the README and tests of the libraries of Standard Webhooks."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert verify_message(secret, headers, b'{"test": 2432232314}', now=1614265330.0) == {"test": 2432232314}


def test_a_receiver_refuses_what_is_changed_old_or_unsigned(webhook, receiver):
    send(test_message(webhook), at=AT)
    ((_path, headers, body),) = receiver.got
    now = AT.timestamp()
    assert verify_message(webhook.secret, headers, body, now=now)["type"] == "test"
    for changed in (
        (webhook.secret, headers, body + b" "),
        ("whsec_" + base64.b64encode(b"0" * 32).decode(), headers, body),
        (webhook.secret, {**headers, "webhook-id": "msg_other"}, body),
        (webhook.secret, {**headers, "webhook-signature": "v1,x"}, body),
        (webhook.secret, {}, body),
    ):
        with pytest.raises(NotSigned):
            verify_message(*changed, now=now)
    with pytest.raises(NotSigned, match="old"):
        verify_message(webhook.secret, headers, body, now=now + 301)


def test_secrets_differ_and_are_stored_nowhere(webhook, study, clara, receiver):
    other = make_webhook(study=study, url=receiver.url, facts=OF_STUDY, actor=clara, at=AT)
    assert webhook.secret != other.secret
    assert hashlib.sha256(webhook.salt.encode()).hexdigest() not in webhook.secret
    assert webhook.secret not in [str(value) for value in Webhook.objects.values().get(pk=webhook.pk).values()]


# --- retries ----------------------------------------------------------------------------------------------------------
def test_a_message_is_tried_for_most_of_a_day_and_then_given_up(webhook, receiver):
    receiver.status, at = 500, AT
    delivery = test_message(webhook)
    while delivery.state == DeliveryState.WAITING:
        assert not send(delivery, at=delivery.due_at - timedelta(seconds=1)), "it waits for its time"
        at = delivery.due_at
        assert send(delivery, at=at)
    assert delivery.state == DeliveryState.GIVEN_UP
    assert timedelta(hours=18) < at - AT < timedelta(hours=24)
    assert len(receiver.got) == len(PAUSES) + 1 == delivery.attempts.count()
    assert {headers["webhook-id"] for _path, headers, _body in receiver.got} == {delivery.message_id}
    assert len({headers["webhook-timestamp"] for _path, headers, _body in receiver.got}) == len(PAUSES) + 1
    assert {attempt.status for attempt in delivery.attempts.all()} == {500}
    send_again(delivery=delivery, actor=webhook.owner, at=at)
    receiver.status = 200
    assert send(delivery, at=at)
    assert delivery.state == DeliveryState.DELIVERED


def test_a_receiver_that_is_gone_is_not_tried_again(webhook, receiver):
    receiver.status = 410
    delivery = test_message(webhook)
    send(delivery, at=AT)
    assert delivery.state == DeliveryState.GIVEN_UP


@pytest.mark.parametrize("changes", [{"delay": 2.0}, {"drips": True}])
def test_a_slow_receiver_holds_no_worker(webhook, receiver: Receiver, monkeypatch, changes):
    monkeypatch.setattr("readerstudy.webhooks.sending.TIMEOUT", 0.5)
    for name, value in changes.items():
        setattr(receiver, name, value)
    delivery = test_message(webhook)
    send(delivery, at=AT)
    (attempt,) = delivery.attempts.all()
    assert (delivery.state, attempt.status) == (DeliveryState.WAITING, None)
    assert "ReadTimeout" in attempt.error
    assert attempt.milliseconds < 1900


def test_redirects_are_refused(webhook, receiver):
    receiver.status, receiver.headers = 302, {"Location": receiver.url.replace("/hook", "/elsewhere")}
    delivery = test_message(webhook)
    send(delivery, at=AT)
    assert [path for path, _headers, _body in receiver.got] == ["/hook"]
    assert (delivery.state, delivery.attempts.get().status) == (DeliveryState.WAITING, 302)


def test_nobody_answers(webhook):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        Webhook.objects.update(url=f"http://127.0.0.1:{free.getsockname()[1]}/")
        delivery = test_message(Webhook.objects.get())
        send(delivery, at=AT)
    assert "ConnectError" in delivery.attempts.get().error


def test_a_killed_worker_loses_nothing_and_doubles_nothing(webhook, receiver):
    delivery = test_message(webhook)
    assert delivery.claim(at=AT)  # and then it is killed
    assert send_waiting(clock=lambda: AT + LEASE / 2) == []
    (tried,) = send_waiting(clock=lambda: AT + LEASE)
    assert (tried.state, tried.message_id) == (DeliveryState.DELIVERED, delivery.message_id)
    delivery.mark_delivered()  # the one that was taken for dead changes nothing any more
    delivery.give_up()
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.DELIVERED
    assert send_waiting(clock=lambda: AT + 2 * LEASE) == []
    assert len(receiver.got) == 1


def test_two_workers_with_one_message_send_it_once(webhook, receiver):
    delivery = test_message(webhook)
    same = Delivery.objects.get(pk=delivery.pk)
    assert [send(delivery, at=AT), send(same, at=AT)] == [True, False]
    assert len(receiver.got) == 1


# --- the end ----------------------------------------------------------------------------------------------------------
def test_an_ended_webhook_gets_nothing(study, clara, webhook, receiver):
    delivery = test_message(webhook)
    end_webhook(webhook=webhook, actor=clara, at=AT)
    assert not send(delivery, at=AT)
    assert send_waiting(clock=lambda: AT + LEASE) == []
    close_study(study=study, actor=clara, reason="All have read.", at=AT)
    assert webhook.deliveries.count() == 1
    assert receiver.got == []
    with pytest.raises(StudyError, match="has ended"):
        end_webhook(webhook=webhook, actor=clara, at=AT)
    with pytest.raises(NotFound):
        webhook_for(clara, webhook.pk)
    assert [event.verb for event in Event.objects.filter(verb__startswith="webhook.").order_by("pk")] == [
        "webhook.made",
        "webhook.ended",
    ]


def test_who_leaves_the_study_receives_nothing_more(study, rosa, clara, webhook, receiver):
    make.join([rosa], [study])
    delivery = test_message(webhook)
    remove_member(study=study, person=clara, actor=rosa, at=AT)
    assert not send(delivery, at=AT)
    close_study(study=study, actor=rosa, reason="All have read.", at=AT)
    assert webhook.deliveries.count() == 1
    assert receiver.got == []


def test_a_message_under_way_is_not_sent_again_by_hand(webhook):
    delivery = test_message(webhook)
    with pytest.raises(StudyError, match="still waiting"):
        send_again(delivery=delivery, actor=webhook.owner, at=AT)
