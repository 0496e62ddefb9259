"""Mails to people about their own sign-in: what changed, and nothing that helps somebody else."""

import re
import smtplib
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail as outbox
from django.core.management import call_command
from django.test import Client
from django.utils.timezone import now
from django.utils.translation import override

from readerstudy.accounts.models import ApiToken, Role, User
from readerstudy.accounts.tokens import make_token, revoke_token
from readerstudy.audit.actions import record
from readerstudy.audit.sentences import SENTENCES
from readerstudy.invitations import notices, tasks
from readerstudy.invitations.models import Mail, MailKind, MailState
from tests import make
from tests.identity.people import FACTOR, code_of, give_app, give_codes, sign_in

GIVE = f"{FACTOR}give/"
NEW = "a-long-new-word"


@pytest.fixture(autouse=True)
def server(settings):
    """A mail server: what it gets lies in the outbox."""
    settings.SENDS_MAIL, settings.DEFAULT_FROM_EMAIL = True, "study@example.org"


@pytest.fixture
def commits(django_capture_on_commit_callbacks):
    def run(work):
        with django_capture_on_commit_callbacks(execute=True):
            return work()

    return run


def bodies() -> list[str]:
    return [message.body for message in outbox.outbox]


def sentences() -> list[str]:
    """The sentences of the mails that were sent, the third line of each."""
    return [body.splitlines()[2] for body in bodies()]


def test_a_changed_password_is_written_to_its_owner_without_link_or_secret(clara, commits):
    client = Client()
    sign_in(client, "clara")
    form = {"old_password": "clara-secret-1", "new_password1": NEW, "new_password2": NEW}
    assert commits(lambda: client.post("/account/password/", form)).url == "/account/"
    (message,) = outbox.outbox
    assert (message.to, message.subject) == (["clara@example.org"], "A change of your sign-in")
    assert sentences() == [str(notices.NOTICES["password.changed"])]
    assert "Account: clara" in message.body
    assert not re.search(r"https?:|/account/|secret|127\.0\.0\.1|" + NEW, message.body)
    mail = Mail.objects.get()
    assert (mail.kind, mail.state, mail.enrollment, mail.link) == (MailKind.NOTICE, MailState.SENT, None, None)


def test_second_factors_added_removed_and_renewed_are_written(clara, commits):
    client = Client()
    sign_in(client, "clara")
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", client.get(f"{FACTOR}app/").content.decode())[1]
    commits(lambda: client.post(f"{FACTOR}app/", {"code": code_of(secret)}))
    assert sorted(sentences()) == [
        "An authenticator app was set up for your account.",
        "Recovery codes were made for your account.",
    ]
    commits(lambda: client.post(f"{FACTOR}codes/new/"))
    assert sentences()[2:] == ["New recovery codes were made for your account. The old ones are void."]
    commits(lambda: client.post(f"{FACTOR}app/remove/"))
    assert sorted(sentences()[3:]) == [
        "The authenticator app of your account was removed.",
        "The recovery codes of your account were removed.",
    ]
    assert not [body for body in bodies() if secret in body or re.search(r"\d{8}", body)]


@pytest.mark.parametrize("verb", ["added", "removed"])
def test_passkeys_have_sentences_of_their_own(clara, commits, verb):
    commits(lambda: record(f"second_factor.{verb}", actor=clara, subject=clara, at=now(), factor="webauthn"))
    assert "passkey" in sentences()[0].lower()


def test_factors_reset_by_a_command_are_written(clara, commits):
    give_app(clara)
    commits(lambda: call_command("reset_second_factor", "clara"))
    assert sentences() == [str(notices.NOTICES["second_factor.reset"])]


def test_a_recovery_code_that_signs_in_is_written(clara, commits):
    give_app(clara)
    codes = give_codes(clara)
    client = Client()
    sign_in(client, "clara")
    commits(lambda: client.post(GIVE, {"code": codes[0]}))
    assert sentences() == ["A recovery code was used to sign in to your account."]


def test_another_address_is_written_to_the_old_one_and_the_new_one(clara, commits):
    def change():
        clara.email = "other@example.org"
        clara.save()

    commits(change)
    assert [message.to[0] for message in outbox.outbox] == ["clara@example.org", "other@example.org"]
    assert set(sentences()) == {"The mail address of your account was changed."}
    commits(lambda: clara.save())
    commits(lambda: clara.save(update_fields=["last_name"]))
    assert len(outbox.outbox) == 2


def test_blocked_passwords_are_written_once_a_day(clara, commits):
    for _ in range(12):
        commits(lambda: sign_in(Client(), "clara", "guess"))
    assert sentences() == [str(notices.NOTICES["sign_in.blocked"])]
    commits(lambda: record("sign_in.blocked", actor=None, subject=clara, at=now()))
    commits(lambda: record("sign_in.blocked", actor=None, subject="", at=now()))
    assert len(outbox.outbox) == 1


def test_the_tenth_wrong_code_is_written_and_recorded_once(clara, commits):
    give_app(clara)
    client = Client()
    sign_in(client, "clara")
    for _ in range(12):
        commits(lambda: client.post(GIVE, {"code": "12"}))
    assert sentences() == [str(notices.NOTICES["second_factor.blocked"])]
    verbs = list(notices.Event.objects.values_list("verb", flat=True))
    assert (verbs.count("second_factor.blocked"), verbs.count("second_factor.failed")) == (1, 10)


def test_a_code_that_is_given_twice_is_refused_recorded_and_written(clara, commits):
    secret = give_app(clara)
    code = code_of(secret)
    first, second = Client(), Client()
    for client in (first, second):
        sign_in(client, "clara")
        commits(lambda client=client: client.post(GIVE, {"code": code}))
    assert "_auth_user_id" in first.session
    assert "_auth_user_id" not in second.session
    assert sentences() == [str(notices.NOTICES["second_factor.repeated"])]
    assert notices.Event.objects.filter(verb="second_factor.repeated").count() == 1


def test_single_sign_on_that_is_connected_is_written(clara, commits):
    commits(lambda: record("account.linked", actor=None, subject=clara, at=now(), provider="openid"))
    assert sentences() == ["Single sign-on was connected to your account."]


# --- tokens -----------------------------------------------------------------------------------------------------
def test_a_new_token_is_written_without_its_text(clara, commits):
    _row, text = commits(lambda: make_token(user=clara, name="notebook", at=now()))
    assert sentences() == ["An API token was made for your account."]
    assert text not in bodies()[0]


def test_owners_are_warned_once_a_week_before_a_token_expires(clara, commits, monkeypatch):
    start = now()
    tokens = {days: make_token(user=clara, name=f"for {days}", at=start, days=days)[0] for days in (7, 30, 90)}
    revoked = make_token(user=clara, name="revoked", at=start, days=30)[0]
    revoke_token(token=revoked, actor=clara, at=start)
    outbox.outbox.clear()
    for day in (0, 22, 23, 24, 31):
        monkeypatch.setattr(tasks, "now", lambda day=day: start + timedelta(days=day))
        commits(tasks.warn_of_tokens_task)
        commits(tasks.warn_of_tokens_task)
        assert len(outbox.outbox) == (0 if day < 23 else 1), day
    assert re.match(r"Your API token “for 30” expires on .+\. Make a new one in time\.", sentences()[0])
    assert list(ApiToken.objects.exclude(warned_at=None)) == [tokens[30]]


# --- to whom, and in which language -------------------------------------------------------------------------------
def test_a_notice_is_in_the_language_of_the_last_sign_in(clara, commits):
    german = Client(headers={"Accept-Language": "de"})
    sign_in(german, "clara")
    clara.refresh_from_db()
    assert clara.language == "de"
    commits(lambda: record("sign_in.blocked", actor=None, subject=clara, at=now()))
    with override("de"):
        assert str(notices.NOTICES["sign_in.blocked"]) in bodies()[0]
    english = Client(headers={"Accept-Language": "en"})
    english.force_login(clara)
    token = {"name": "notebook", "days": 30, "scopes": ["read"]}
    assert commits(lambda: english.post("/account/tokens/", token)).status_code == 201
    assert sentences()[1] == "An API token was made for your account."  # her own act, on an English page


@pytest.mark.parametrize("case", ["no address", "deactivated", "no server"])
def test_where_no_mail_can_reach_the_person_nothing_is_written_and_nothing_breaks(clara, commits, settings, case):
    if case == "no server":
        settings.SENDS_MAIL = False
    address = "" if case == "no address" else clara.email
    User.objects.filter(pk=clara.pk).update(email=address, is_active=case != "deactivated")
    clara.refresh_from_db()
    commits(lambda: record("password.changed", actor=None, subject=clara, at=now()))
    token, _text = make_token(user=clara, name="n", at=now(), days=8)
    assert notices.warn_of_expiring_tokens(at=now() + timedelta(days=2)) == []
    assert (Mail.objects.count(), outbox.outbox) == (0, [])
    assert token.pk


def test_a_mail_server_that_is_down_does_not_stop_the_act(clara, commits, monkeypatch):
    def fail(self):
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.open", fail)
    commits(lambda: clara.set_password(NEW) or clara.save())
    clara.refresh_from_db()
    assert clara.check_password(NEW)
    assert Mail.objects.get().state == MailState.FAILED


def test_every_notice_is_about_an_event_that_exists_and_none_names_a_study():
    factors = {str(kind) for kind in Authenticator.Type.values}
    for name, sentence in notices.NOTICES.items():
        verb, _space, factor = name.partition(" ")
        assert verb in SENTENCES, name
        assert not factor or factor in factors, name
        assert "%" not in str(sentence), name


def test_every_change_of_a_factor_or_password_has_a_notice():
    """An event of these kinds that the table lacks has its reason here."""
    kinds = ("password.", "second_factor.", "token.")
    without = {
        "password.asked",  # it is answered by a mail with the link
        "password.reset",  # follows `password.changed`
        "second_factor.failed",  # ten of them: `second_factor.blocked`
        "token.revoked",  # gives nobody a way in
    }
    covered = {name.partition(" ")[0] for name in notices.NOTICES}
    assert {verb for verb in SENTENCES if verb.startswith(kinds)} - without == {
        verb for verb in covered if verb.startswith(kinds)
    }


@pytest.mark.parametrize("role", [Role.READER, Role.COORDINATOR])
def test_people_without_a_name_are_greeted_too(db, commits, role):
    ruth = make.user("ruth", role, email="ruth@example.org")
    commits(lambda: record("password.changed", actor=None, subject=ruth, at=now()))
    assert bodies()[0].startswith("Dear reader,\n")
