"""Retention: what is older than its period goes, nothing else, and the record still verifies."""

import json
from datetime import timedelta
from importlib import import_module

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from readerstudy.accounts.links import find_link, make_link, use_link
from readerstudy.accounts.models import Role, SignInLink, User
from readerstudy.audit.models import Event
from readerstudy.invitations.models import Mail, MailState
from readerstudy.privacy.retention import apply_retention, find_due
from readerstudy.webhooks.models import Attempt, Delivery, DeliveryState, Webhook
from tests import make, walk
from tests.identity.people import sign_in
from tests.privacy.test_erasure import IP, findings, mail_to

OLD, YOUNG = now() - timedelta(days=400), now() - timedelta(days=100)


@pytest.fixture
def periods(settings):
    for name in ("ADDRESSES", "MAILS", "LINKS", "ACCOUNTS"):
        setattr(settings, f"RETAIN_{name}_DAYS", 365)


def event(at, study: str = "tiny") -> Event:
    return Event.objects.create(at=at, verb="sign_in.failed", subject="", study=study, address=IP, version="x")


def link_of(person: User, at, *, is_used: bool = False) -> SignInLink:
    token = make_link(user=person, actor=None, at=at, days=1)
    if is_used:
        use_link(token, at=at)
    return find_link(token)


@pytest.fixture
def rows(study, rita):
    """Of each kind something old and something young, by name."""
    walk.finish_session(walk.client_of(rita), study.code, 1)
    keys = []
    for _number in range(2):
        browser = Client()
        sign_in(browser, "rita")
        keys.append(browser.session.session_key)
        listed = {"user": rita, "ip": IP, "user_agent": "a browser"}
        UserSession.objects.get_or_create(session_key=keys[-1], defaults=listed)
    Session.objects.filter(session_key=keys[0]).update(expire_date=OLD)
    idle, new = make.user("idle"), make.user("new")
    User.objects.filter(pk__in=(idle.pk, rita.pk)).update(date_joined=OLD, last_login=OLD)
    make.stranger("carl", Role.COORDINATOR)
    unused = link_of(rita, OLD)
    found = {
        "events": (event(OLD), event(YOUNG)),
        "mails": (mail_to(rita, MailState.SENT, link=unused), mail_to(rita, MailState.SENT)),
        "waiting": mail_to(rita, MailState.QUEUED),
        "links": (unused, link_of(new, OLD, is_used=True), link_of(new, YOUNG)),
    }
    connection.check_constraints()
    return found


def made_at(mail: Mail, at) -> None:
    """The text of a mail never changes, nor does its day."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE invitations_mail SET created_at = %s WHERE id = %s", [at, mail.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.fixture
def aged(rows):
    for mail, at in zip((*rows["mails"], rows["waiting"]), (OLD, YOUNG, OLD), strict=True):
        made_at(mail, at)
    return rows


def test_what_is_older_than_its_period_goes_and_the_record_verifies(aged, study, rita, periods):
    before = Event.objects.count()
    due = apply_retention(at=now())
    connection.check_constraints()
    assert (due.sessions, due.addresses, due.mails, due.links, due.accounts) == (1, 1, 1, 1, ("idle",))
    assert [Event.objects.get(pk=each.pk).address for each in aged["events"]] == [None, IP]
    subjects = [Mail.objects.get(pk=mail.pk).subject for mail in (*aged["mails"], aged["waiting"])]
    assert subjects == ["", "For Ottilie Quarz", "For Ottilie Quarz"]
    assert set(SignInLink.objects.all()) == set(aged["links"][1:])
    assert UserSession.objects.count() == Session.objects.count() == 1
    assert not User.objects.filter(username="idle").exists()
    assert User.objects.filter(username__in=("rita", "new")).count() == 2
    assert Event.objects.filter(verb="retention.applied").get().data == {"addresses": 1, "mails": 1, "links": 1}
    assert Event.objects.count() > before
    assert findings(study.code) == findings("") == []
    again = find_due(at=now())
    assert (again.sessions, again.addresses, again.mails, again.links, again.accounts) == (0, 0, 0, 0, ())


def test_without_periods_only_expired_sessions_go(aged, study):
    due = apply_retention(at=now())
    assert (due.sessions, due.addresses, due.mails, due.links, due.accounts) == (1, 0, 0, 0, ())
    assert not Event.objects.filter(verb="retention.applied").exists()


def test_old_messages_to_webhooks_go_and_those_that_may_still_be_sent_stay(study, rosa, settings):
    webhook, ended = (
        Webhook.objects.create(study=study, owner=rosa, url="https://x", facts=["study.closed"], made_at=OLD, **end)
        for end in ({}, {"ended_at": now() - timedelta(days=91)})
    )
    kept = [(webhook, DeliveryState.WAITING, 91), (webhook, DeliveryState.GIVEN_UP, 89)]
    gone = [
        (webhook, DeliveryState.DELIVERED, 91),
        (webhook, DeliveryState.GIVEN_UP, 91),
        (ended, DeliveryState.WAITING, 1),
    ]
    rows = [
        Delivery.objects.create(
            webhook=of,
            fact="test",
            source=str(number),
            body="{}",
            state=state,
            made_at=now() - timedelta(days=days),
            due_at=OLD if state == DeliveryState.WAITING else None,
        )
        for number, (of, state, days) in enumerate(kept + gone)
    ]
    Attempt.objects.create(delivery=rows[2], at=OLD, status=204, milliseconds=3)
    settings.RETAIN_WEBHOOK_MESSAGES_DAYS = 0
    assert apply_retention(at=now()).webhook_messages == 0
    settings.RETAIN_WEBHOOK_MESSAGES_DAYS = 90
    assert apply_retention(at=now()).webhook_messages == 3
    assert set(Delivery.objects.all()) == set(rows[:2])
    assert list(Webhook.objects.all()) == [webhook]
    assert not Attempt.objects.exists()


def test_the_command_shows_first_and_the_schedule_does_it(aged, study, periods, capsys, settings):
    call_command("apply_retention")
    out = capsys.readouterr().out
    assert "IP addresses of events: 1" in out
    assert "accounts without a study: idle" in out
    assert "Nothing was erased" in out
    assert Event.objects.get(pk=aged["events"][0].pk).address == IP
    import_module("readerstudy.privacy.tasks").apply_retention_task()
    assert Event.objects.get(pk=aged["events"][0].pk).address is None
    call_command("apply_retention", "--yes", "--json")
    assert json.loads(capsys.readouterr().out)["addresses"] == 0
    assert settings.CELERY_BEAT_SCHEDULE["apply retention"]["task"] == "apply-retention"
