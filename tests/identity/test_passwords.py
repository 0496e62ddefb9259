"""Passwords: long, hashed with argon2, chosen and forgotten."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.test import Client
from django.utils.timezone import now

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.tokens import make_token, use_token
from readerstudy.audit.models import Event
from readerstudy.configuration.settings import PASSWORD_HASHERS
from readerstudy.invitations.models import Mail
from tests import make
from tests.identity.people import SIGN_IN, is_signed_in, sign_in

FORGOTTEN = "/account/password/forgotten/"
NEW = "a-long-new-word"


@pytest.fixture
def clara(db):
    return make.user("clara", Role.COORDINATOR, email="clara@example.org")


@pytest.fixture
def post(settings):
    """A mail server: what it gets lies in `mail.outbox`."""
    settings.SENDS_MAIL, settings.DEFAULT_FROM_EMAIL = True, "study@example.org"


def verbs() -> list[str]:
    return list(Event.objects.order_by("id").values_list("verb", flat=True))


@pytest.fixture
def asked(django_capture_on_commit_callbacks):
    def ask(address: str):
        with django_capture_on_commit_callbacks(execute=True):
            return Client().post(FORGOTTEN, {"email": address})

    return ask


def link_in(message) -> str:
    return re.search(r"http://testserver(/account/password/new/\S+)", message.body)[1]


def choose(client: Client, link: str, password: str = NEW):
    form = client.get(link)
    if form.status_code == 302:  # to an address without the token
        return client.post(form.url, {"new_password1": password, "new_password2": password})
    return form


def test_an_old_hash_signs_in_and_becomes_argon2(clara, settings, client):
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS
    User.objects.filter(pk=clara.pk).update(password=make_password("short", hasher="pbkdf2_sha256"))
    _row, token = make_token(user=clara, name="notebook", at=now())
    assert sign_in(client, "clara", "short").status_code == 302
    assert User.objects.get(pk=clara.pk).password.startswith("argon2$argon2id$")
    assert is_signed_in(client)
    assert use_token(token, at=now()), "the password is the same, so tokens stay"
    assert "password.changed" not in verbs()
    assert sign_in(Client(), "clara", "short").status_code == 302


@pytest.mark.parametrize(("password", "is_taken"), [("elf-letters", False), ("zwölf-lettern", True), ("x" * 11, False)])
def test_a_new_password_has_twelve_characters(clara, client, password, is_taken):
    client.force_login(clara)
    own = {"old_password": "clara-secret-1", "new_password1": password, "new_password2": password}
    answer = client.post("/account/password/", own)
    assert (answer.status_code, User.objects.get(pk=clara.pk).check_password(password)) == (
        302 if is_taken else 200,
        is_taken,
    )


# --- forgotten ------------------------------------------------------------------------------------------------
def test_a_forgotten_password_is_chosen_anew_by_mail_once(clara, post, asked):
    _row, token = make_token(user=clara, name="notebook", at=now())
    elsewhere = Client()
    sign_in(elsewhere, "clara")
    asked("Clara@Example.org")
    link = link_in(mail.outbox[0])
    assert mail.outbox[0].to == ["clara@example.org"]
    client = Client()
    assert choose(client, link).url == SIGN_IN
    assert not is_signed_in(client), "a second factor would be left out"
    assert not is_signed_in(elsewhere)
    assert use_token(token, at=now()) is None
    assert b"has been used or has expired" in choose(Client(), link).content
    assert sign_in(client, "clara", NEW).status_code == 302
    assert [verb for verb in verbs() if verb.startswith("password")] == [
        "password.asked",
        "password.changed",
        "password.reset",
    ]


def test_the_answer_is_the_same_whether_or_not_there_is_an_account(clara, post, asked):
    make.user("old", email="old@example.org", is_active=False)
    answers = {
        re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", asked(f"{name}@example.org").content)
        for name in ("clara", "nobody", "old")
    }
    assert len(answers) == 1
    assert [message.to for message in mail.outbox] == [["clara@example.org"]]


def test_neither_the_row_nor_the_trail_has_the_link(clara, post, asked):
    asked("clara@example.org")
    token = link_in(mail.outbox[0]).split("/")[-2]
    assert token not in str(list(Mail.objects.values())) + str(list(Event.objects.values()))
    assert "[[sign-in link]]" in Mail.objects.get().body


def test_asking_again_at_once_sends_no_second_mail(clara, post, asked):
    asked("clara@example.org")
    asked("clara@example.org")
    assert len(mail.outbox) == 1


def test_a_link_of_yesterday_chooses_no_password(clara, post, asked, settings):
    asked("clara@example.org")
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert b"has expired" in choose(Client(), link_in(mail.outbox[0])).content
    assert User.objects.get(pk=clara.pk).check_password("clara-secret-1")


def test_a_mail_that_waits_for_more_than_an_hour_is_not_sent(clara, settings, asked):
    settings.SENDS_MAIL = settings.MAILS_BY_WORKER = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("readerstudy.invitations.sending._hand_over", lambda mails: None)
        asked("clara@example.org")
    row = Mail.objects.get()
    assert timedelta(minutes=59) < row.link_expires_at - row.created_at <= timedelta(hours=1)


def test_without_a_mail_server_nobody_gets_a_link(clara, asked):
    assert b"a link to choose a new password is sent" in asked("clara@example.org").content
    assert not Mail.objects.exists()
    assert b"Ask your study coordinator" in Client().get(SIGN_IN).content
