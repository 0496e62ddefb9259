"""From where something was done, by which software, and under which sign-in; what signing in records."""

import logging

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.attempts import PER_ACCOUNT, PER_ADDRESS
from readerstudy.accounts.links import make_link
from readerstudy.accounts.models import Role, User
from readerstudy.audit.actions import record
from readerstudy.audit.models import Event
from readerstudy.audit.origin import software_version
from tests import make

SIGN_IN = "/account/sign-in/"


def give(client: Client, name: str, password: str, **headers):
    return client.post(SIGN_IN, {"username": name, "password": password}, **headers)


def verbs() -> list[str]:
    return list(Event.objects.order_by("id").values_list("verb", flat=True))


@pytest.fixture
def clara(db):
    return make.user("clara", Role.COORDINATOR)


@pytest.fixture
def ruth(db):
    return make.user("ruth")


def test_signing_in_and_out_is_recorded_with_its_address(clara, client):
    give(client, "clara", "clara-secret-1", REMOTE_ADDR="10.1.2.3")
    client.post("/account/sign-out/", REMOTE_ADDR="10.1.2.3")
    begun, ended = Event.objects.order_by("id")
    assert [begun.verb, ended.verb] == ["sign_in.by_password", "sign_in.ended"]
    assert {begun.actor, ended.actor} == {clara}
    assert {begun.address, ended.address} == {"10.1.2.3"}
    assert begun.version == software_version() != ""
    assert ended.sign_in == begun


def test_what_is_done_after_signing_in_by_a_link_names_the_sign_in(ruth, clara, client):
    link = reverse("accounts:sign_in_by_link", args=[make_link(user=ruth, actor=clara, at=now())])
    client.post(link)
    client.post("/account/sign-out/")
    signed_in = Event.objects.get(verb="sign_in.by_link")
    assert signed_in.data["link"] == ruth.sign_in_links.get().pk
    assert Event.objects.get(verb="sign_in.ended").sign_in == signed_in


def test_commands_and_jobs_have_no_address(ruth):
    event = record("session.opened", actor=ruth, subject=ruth, at=make.MONDAY)
    assert (event.address, event.sign_in) == (None, None)


@pytest.mark.parametrize(("behind", "expected"), [(True, "192.0.2.9"), (False, "127.0.0.1")])
def test_only_a_proxy_can_say_who_the_client_is(clara, client, settings, behind, expected):
    settings.BEHIND_PROXY = behind
    give(client, "clara", "clara-secret-1", HTTP_X_FORWARDED_FOR="203.0.113.5, 192.0.2.9")
    assert Event.objects.get().address == expected


# --- wrong passwords ------------------------------------------------------------------------------------------
def test_a_wrong_password_is_recorded_for_the_account(clara, client):
    give(client, "clara", "guess")
    event = Event.objects.get()
    assert (event.verb, event.actor, event.subject) == ("sign_in.failed", None, f"accounts.user:{clara.pk}")


def test_what_was_typed_as_an_unknown_name_is_stored_and_logged_nowhere(db, client, caplog):
    with caplog.at_level(logging.DEBUG):
        give(client, "my-secret-password", "my-secret-password")
    assert verbs() == ["sign_in.unknown"]
    assert "my-secret" not in str(list(Event.objects.values()))
    assert "my-secret" not in str(getattr(cache, "_cache", {}))
    assert not [line for line in caplog.records if "my-secret" in line.getMessage()]


def test_too_many_wrong_passwords_block_an_account_for_minutes_only(clara, client, monkeypatch):
    for _ in range(PER_ACCOUNT):
        assert give(Client(), "clara", "guess").status_code == 200
    for _ in range(3):
        blocked = give(client, "clara", "clara-secret-1")
        assert blocked.status_code == 429
        assert 0 < int(blocked["Retry-After"]) <= 15 * 60
    assert verbs().count("sign_in.failed") == PER_ACCOUNT
    assert verbs().count("sign_in.blocked") == 1, "recorded once"
    monkeypatch.setattr("readerstudy.accounts.attempts.PERIOD", 20 * 60)  # another period
    assert give(client, "clara", "clara-secret-1").status_code == 302


def test_an_address_is_blocked_whatever_accounts_it_tries(clara, client):
    for number in range(PER_ADDRESS):
        give(Client(), f"guess-{number}", "guess")
    assert give(client, "clara", "clara-secret-1").status_code == 429
    assert give(client, "clara", "clara-secret-1", REMOTE_ADDR="10.0.0.9").status_code == 302


def test_right_passwords_are_never_too_many(clara):
    for _ in range(PER_ACCOUNT + 2):
        assert give(Client(), "clara", "clara-secret-1").status_code == 302


# --- accounts -------------------------------------------------------------------------------------------------
def test_accounts_made_and_changed_are_recorded_without_their_values(client, db):
    rosa = make.stranger("rosa", Role.RESEARCHER)
    User.objects.filter(pk=rosa.pk).update(is_superuser=True)
    client.force_login(rosa)
    form = {"username": "carl", "role": "coordinator", "usable_password": "false", "first_name": "Carl"}
    assert client.post("/admin/accounts/user/add/", form).status_code == 302
    carl = User.objects.get(username="carl")
    changed = {"username": "carl", "first_name": "Karl-Heinz", "last_name": "", "email": ""}
    assert client.post(f"/admin/accounts/user/{carl.pk}/change/", changed).status_code == 302
    made, *others = Event.objects.order_by("id")
    assert (made.verb, made.actor, made.data) == ("account.made", rosa, {"role": "coordinator"})
    assert [event.verb for event in others] == ["account.changed"]
    assert others[0].data == {"changed": ["first_name"]}
    assert "Karl" not in str(list(Event.objects.values()))


def test_passwords_that_somebody_sets_are_recorded(client, ruth):
    rosa = make.stranger("rosa", Role.RESEARCHER)
    User.objects.filter(pk=rosa.pk).update(is_superuser=True)
    client.force_login(rosa)
    new = {"password1": "a-long-new-word", "password2": "a-long-new-word", "usable_password": "true"}
    assert client.post(f"/admin/accounts/user/{ruth.pk}/password/", new).status_code == 302
    own = {"old_password": "rosa-secret-1", "new_password1": "another-new-word", "new_password2": "another-new-word"}
    assert client.post("/admin/password_change/", own).status_code == 302
    events = Event.objects.filter(verb="password.changed").order_by("id")
    assert [(event.actor, event.subject) for event in events] == [
        (rosa, f"accounts.user:{ruth.pk}"),
        (rosa, f"accounts.user:{rosa.pk}"),
    ]
