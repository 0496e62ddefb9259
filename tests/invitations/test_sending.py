"""Sending by a worker: what it receives, when it tries again, and what a killed one leaves behind."""

import json
import re
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings as project
from django.core import mail as outbox
from kombu.exceptions import OperationalError

from readerstudy.accounts.links import use_link
from readerstudy.accounts.models import Role, SignInLink
from readerstudy.celery import app
from readerstudy.invitations import sending, tasks
from readerstudy.invitations.actions import invite_readers
from readerstudy.invitations.invitees import parse_invitees
from readerstudy.invitations.models import LEASE, Mail, MailKind, MailState
from readerstudy.invitations.sending import PAUSES, send_mail, send_waiting_mails
from readerstudy.participation.actions import save_rules
from readerstudy.studies.actions import withdraw_reader
from readerstudy.studies.models import Enrollment
from tests import make
from tests.invitations.conftest import TERMS
from tests.invitations.test_invitations import token_in
from tests.make import MONDAY

MINUTE = timedelta(minutes=1)


@pytest.fixture
def messages(monkeypatch, settings):
    """What the broker got. A worker sends the mails."""
    settings.SENDS_MAIL = settings.MAILS_BY_WORKER = True
    sent = []
    monkeypatch.setattr(app, "send_task", lambda name, kwargs, queue: sent.append((name, kwargs, queue)))
    return sent


@pytest.fixture
def mail(study, clara, messages, django_capture_on_commit_callbacks) -> Mail:
    """An invitation of Ruth that waits for a worker."""
    with django_capture_on_commit_callbacks(execute=True):
        invitees = parse_invitees("Ruth Ott <ruth@example.org>").invitees
        invite_readers(study=study, invitees=invitees, actor=clara, at=MONDAY, terms=TERMS)
    return Mail.objects.get()


def use_backend(settings, name: str) -> None:
    settings.EMAIL_BACKEND = f"tests.invitations.failing_mail.{name}"


def working(settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def sweep(at) -> list[Mail]:
    return send_waiting_mails(clock=lambda: at)


def test_a_worker_gets_a_number_and_makes_the_link_itself(mail, messages):
    assert messages == [("send-mail", {"mail_id": mail.pk}, "mail")]
    assert not SignInLink.objects.exists()
    assert json.dumps(list(Mail.objects.values()), default=str).count("/account/") == 0
    send_mail(mail, at=MONDAY)
    (message,) = outbox.outbox
    assert use_link(token_in(message.body), at=MONDAY).username == "ruth.ott"
    assert (mail.state, mail.sent_at, mail.link.user, mail.due_at) == (MailState.SENT, MONDAY, mail.person, None)
    assert message.reply_to == ["clara@example.org"]


def test_an_extra_message_sends_nothing(mail, monkeypatch):
    monkeypatch.setattr(tasks, "now", lambda: MONDAY)
    for _ in range(2):
        tasks.send_mail_task(mail_id=mail.pk)
    assert sweep(MONDAY + timedelta(days=1)) == []
    assert (len(outbox.outbox), SignInLink.objects.count()) == (1, 1)


def test_of_two_workers_at_once_one_has_the_mail(mail):
    first, second = Mail.objects.get(), Mail.objects.get()
    assert [first.claim(at=MONDAY), second.claim(at=MONDAY)] == [True, False]


def test_the_mail_of_a_killed_worker_is_sent_after_its_lease(mail, settings):
    use_backend(settings, "Killed")
    with pytest.raises(SystemExit):
        send_mail(mail, at=MONDAY)
    working(settings)
    assert sweep(MONDAY + LEASE - MINUTE) == []
    assert Mail.objects.get().state == MailState.SENDING
    assert len(sweep(MONDAY + LEASE)) == 1
    mail.refresh_from_db()
    assert (mail.state, mail.attempts, mail.was_interrupted) == (MailState.SENT, 2, True)
    first, second = (token_in(message.body) for message in outbox.outbox)  # the server had taken the first
    assert first != second
    assert use_link(second, at=MONDAY).username == "ruth.ott"


def test_a_process_that_always_dies_is_not_tried_forever(mail, settings):
    use_backend(settings, "Killed")
    for attempt in range(len(PAUSES) + 1):
        with pytest.raises(SystemExit):
            sweep(MONDAY + attempt * LEASE)
    sweep(MONDAY + (len(PAUSES) + 1) * LEASE)
    mail.refresh_from_db()
    assert (mail.state, mail.error) == (MailState.FAILED, "The process that sent it stopped 8 times.")


@pytest.mark.parametrize("backend", ["Unreachable", "IsBusy", "Disconnects"])
def test_a_failure_that_may_pass_is_tried_again_with_pauses(mail, settings, backend):
    use_backend(settings, backend)
    at = MONDAY
    for pause in PAUSES:
        assert len(sweep(at)) == 1
        mail.refresh_from_db()
        assert (mail.state, mail.due_at) == (MailState.QUEUED, at + pause)
        assert sweep(at + pause - MINUTE / 2) == []
        at += pause
    sweep(at)
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (MailState.FAILED, len(PAUSES) + 1)
    assert mail.was_interrupted is (backend == "Disconnects")
    assert sweep(at + timedelta(days=9)) == []


def test_a_server_that_is_back_gets_the_mail(mail, settings):
    use_backend(settings, "Unreachable")
    sweep(MONDAY)
    working(settings)
    sweep(MONDAY + PAUSES[0])
    mail.refresh_from_db()
    assert (mail.state, mail.error, mail.was_interrupted) == (MailState.SENT, "", False)


def test_a_refusal_for_good_fails_at_once(mail, settings):
    use_backend(settings, "RefusesRuth")
    sweep(MONDAY)
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (MailState.FAILED, 1)
    assert "/account/" not in mail.error


def test_without_a_broker_the_mail_waits_for_the_schedule(study, clara, messages, monkeypatch, caplog):
    def refuse(*args, **kwargs):
        raise OperationalError("no broker")

    monkeypatch.setattr(app, "send_task", refuse)
    invitees = parse_invitees("ruth@example.org").invitees
    letters = invite_readers(study=study, invitees=invitees, actor=clara, at=MONDAY, terms=TERMS).letters
    sending.deliver(letters, at=MONDAY)
    assert Mail.objects.get().state == MailState.QUEUED
    sweep(MONDAY)
    assert Mail.objects.get().state == MailState.SENT
    assert token_in(outbox.outbox[0].body) not in caplog.text


def test_a_reader_who_left_meanwhile_gets_no_mail(mail, clara):
    withdraw_reader(enrollment=Enrollment.objects.get(), actor=clara, reason="Moved away.", at=MONDAY)
    sweep(MONDAY)
    mail.refresh_from_db()
    assert (mail.state, mail.error) == (MailState.FAILED, "R1 has been withdrawn and gets no mails.")
    assert not outbox.outbox
    assert not SignInLink.objects.exists()


def test_no_mail_is_sent_whose_link_has_expired(mail):
    sweep(MONDAY + timedelta(days=14))
    mail.refresh_from_db()
    assert (mail.state, mail.error) == (MailState.FAILED, "Its link would have expired.")


# --- the schedule ---------------------------------------------------------------------------------------------
def test_the_schedule_names_tasks_and_a_queue_that_exist():
    script = (Path(__file__).parents[2] / "deploy" / "beat").read_text()
    (modules,) = re.findall(r"^CELERY_IMPORTS=(\S+)$", script, re.MULTILINE)
    for name in modules.split(","):  # Celery imports them once in a process
        import_module(name)
    queues = {queue.name for queue in project.CELERY_TASK_QUEUES}
    for entry in project.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["queue"] in queues


def test_each_study_says_after_how_many_days_it_reminds(mail, study, clara, settings, monkeypatch):
    settings.PUBLIC_URL = "https://study.example.org"
    save_rules(study=study, values={"reminder_days": 5}, actor=clara, at=MONDAY)
    days = []
    for day in (4, 5, 6, 9, 10):
        monkeypatch.setattr(tasks, "now", lambda at=MONDAY + timedelta(days=day): at)
        tasks.remind_readers_task()
        tasks.remind_readers_task()  # a schedule that runs twice
        days.append(Mail.objects.filter(kind=MailKind.REMINDER).count())
    assert days == [0, 1, 1, 1, 2]


def test_the_schedule_reminds_nobody_without_server_or_address(mail, settings, monkeypatch):
    monkeypatch.setattr(tasks, "now", lambda: MONDAY + timedelta(days=60))
    settings.PUBLIC_URL = ""
    tasks.remind_readers_task()
    settings.PUBLIC_URL, settings.SENDS_MAIL = "https://study.example.org", False
    tasks.remind_readers_task()
    assert not Mail.objects.filter(kind=MailKind.REMINDER).exists()


def test_the_pages_say_that_a_mail_waits_and_why(mail, study, signed_in, settings):
    rosa = signed_in(make.user("rosa", Role.RESEARCHER))
    use_backend(settings, "IsBusy")
    sweep(MONDAY)
    page = rosa.get(f"/desk/studies/{study.code}/mails/").content.decode()
    assert "Waiting to be sent" in page
    assert "1 attempt so far; the next one:" in page
    assert "Try again later" in page
    assert f"{study.code}: 1 mail has not been sent." in rosa.get("/desk/").content.decode()
