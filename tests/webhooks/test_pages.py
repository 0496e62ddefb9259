"""Webhooks are run by calls of the API, and on a page of the desk."""

from uuid import uuid4

import pytest
from django.urls import reverse

from readerstudy.accounts.models import Role
from readerstudy.errors import BadInput, StudyError
from readerstudy.webhooks.actions import make_webhook
from readerstudy.webhooks.models import Delivery, DeliveryState, Fact, Webhook
from readerstudy.webhooks.sending import send_waiting
from tests import make, walk

AT = make.MONDAY
OF_STUDY = [Fact.SESSION_FINISHED, Fact.STUDY_CLOSED]


# --- the API ----------------------------------------------------------------------------------------------------------
def test_a_coordinator_runs_a_webhook_by_calls(study, clara, receiver):
    make.join([clara], [study])
    client, other = walk.investigator(clara), walk.investigator(make.stranger("ralph", Role.RESEARCHER))
    made = client.make_webhook(receiver.url, ["session.finished", "study.closed"], study=study.code)
    number = made["number"]
    assert made["secret"] == Webhook.objects.get().secret
    assert "secret" not in client.webhook(number)
    assert [line["number"] for line in client.webhooks()] == [number]
    assert other.webhooks().list() == []
    delivery = client.test_webhook(number)
    send_waiting(clock=lambda: Delivery.objects.get().due_at)
    (line,) = client.deliveries(number)
    assert (line["state"], [attempt["status"] for attempt in line["attempts"]]) == ("delivered", [204])
    assert client.send_again(number, delivery["id"])["state"] == "waiting"
    for refused in (
        lambda: other.webhook(number),
        lambda: other.deliveries(number).list(),
        lambda: other.test_webhook(number),
        lambda: other.end_webhook(number),
        lambda: other.make_webhook(receiver.url, ["study.closed"], study=study.code),
        lambda: client.send_again(number, str(uuid4())),
    ):
        with pytest.raises(StudyError, match="404"):
            refused()
    client.end_webhook(number)
    assert client.webhooks().list() == []


@pytest.mark.parametrize(
    ("facts", "of_study"), [(["job.ended"], True), (["study.closed"], False), (["study.closed", "test"], True)]
)
def test_facts_of_another_kind_are_refused(study, clara, receiver, facts, of_study):
    make.join([clara], [study])
    with pytest.raises(BadInput, match="facts"):
        make_webhook(study=study if of_study else None, url=receiver.url, facts=facts, actor=clara, at=AT)


def test_webhooks_have_a_limit(study, clara, receiver, monkeypatch):
    make.join([clara], [study])
    monkeypatch.setattr("readerstudy.webhooks.actions.MOST", 1)
    make_webhook(study=study, url=receiver.url, facts=OF_STUDY, actor=clara, at=AT)
    with pytest.raises(BadInput, match="end one first"):
        make_webhook(study=study, url=receiver.url, facts=OF_STUDY, actor=clara, at=AT)


# --- the page ---------------------------------------------------------------------------------------------------------
def test_a_coordinator_runs_a_webhook_on_the_page(client, study, clara, receiver):
    make.join([clara], [study])
    client.force_login(clara)
    page = reverse("desk:webhooks")
    form = {"study": study.code, "url": receiver.url, "facts": ["session.finished"]}
    made = client.post(page, form)
    webhook = Webhook.objects.get()
    assert webhook.secret in made.content.decode()
    assert webhook.secret not in client.get(page).content.decode()
    client.post(reverse("desk:webhook-act", args=[webhook.pk, "test"]))
    send_waiting(clock=lambda: Delivery.objects.get().due_at)
    shown = client.get(page).content.decode()
    assert "Delivered" in shown
    assert "204" in shown
    client.post(reverse("desk:webhook-again", args=[webhook.pk, Delivery.objects.get().pk]))
    assert Delivery.objects.get().state == DeliveryState.WAITING
    refused = client.post(page, {**form, "url": "http://93.184.216.34/"})
    assert refused.status_code == 400
    assert "https only" in refused.content.decode()
    client.post(reverse("desk:webhook-act", args=[webhook.pk, "end"]))
    assert "127.0.0.1" not in client.get(page).content.decode()


def test_the_page_shows_nothing_of_other_studies(client, webhook):
    client.force_login(make.stranger("carl", Role.COORDINATOR))
    assert webhook.url not in client.get(reverse("desk:webhooks")).content.decode()
    assert client.post(reverse("desk:webhook-act", args=[webhook.pk, "end"])).status_code == 404
    webhook.refresh_from_db()
    assert webhook.ended_at is None
