"""Second factors: given at sign-in, limited, required in service, lost and replaced."""

import re

import pytest
from allauth.mfa.utils import decrypt
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.links import make_link
from readerstudy.accounts.models import Role
from readerstudy.accounts.tokens import make_token
from readerstudy.audit.models import Event
from tests import make
from tests.identity.people import FACTOR, code_of, factors_of, give_app, give_codes, is_signed_in, sign_in

GIVE = f"{FACTOR}give/"


@pytest.fixture
def clara(db):
    return make.user("clara", Role.COORDINATOR)


@pytest.fixture
def required(settings):
    settings.SECOND_FACTOR = True


def verbs() -> list[str]:
    return list(Event.objects.order_by("id").values_list("verb", flat=True))


# --- at sign-in -----------------------------------------------------------------------------------------------
def test_a_password_alone_does_not_sign_in(clara, client):
    secret = give_app(clara)
    assert sign_in(client, "clara").url == GIVE
    assert not is_signed_in(client)
    assert "sign_in.by_password" not in verbs()
    assert client.post(GIVE, {"code": code_of(secret)}).url == "/"
    assert is_signed_in(client)
    assert verbs()[-2:] == ["sign_in.by_password", "second_factor.used"]


def test_the_field_for_the_code_is_named_in_german_too(clara, client):
    give_app(clara)
    sign_in(client, "clara")
    page = client.get(GIVE, headers={"Accept-Language": "de"}).content.decode()
    assert ("Ziffern des Codes" in page, "placeholder" in page) == (True, False)


def test_a_link_alone_does_not_sign_in(clara, client):
    secret = give_app(clara)
    link = reverse("accounts:sign_in_by_link", args=[make_link(user=clara, actor=None, at=now())])
    assert client.post(link).url == GIVE
    assert not is_signed_in(client)
    client.post(GIVE, {"code": code_of(secret)})
    assert is_signed_in(client)
    assert "sign_in.by_link" in verbs()


def test_the_page_that_was_asked_for_comes_after_the_second_factor(clara, client):
    secret = give_app(clara)
    sign_in(client, "clara", next="/desk/people/")
    assert client.post(GIVE, {"code": code_of(secret)}).url == "/desk/people/"


def test_a_code_of_the_app_works_once(clara, client):
    secret = give_app(clara)
    code = code_of(secret)
    sign_in(client, "clara")
    client.post(GIVE, {"code": code})
    other = Client()
    sign_in(other, "clara")
    assert other.post(GIVE, {"code": code}).status_code == 200
    assert not is_signed_in(other)


def test_a_recovery_code_works_once(clara):
    give_app(clara)
    code = give_codes(clara)[0]
    for expected in (True, False):
        client = Client()
        sign_in(client, "clara")
        client.post(GIVE, {"code": code})
        assert is_signed_in(client) is expected
    assert Event.objects.get(verb="second_factor.used").data["factor"] == "recovery_codes"


def test_wrong_codes_are_limited_and_recorded(clara, client):
    secret = give_app(clara)
    sign_in(client, "clara")
    for _ in range(10):
        assert b"The code or passkey is wrong." in client.post(GIVE, {"code": "000000"}).content
    assert b"Too many wrong codes." in client.post(GIVE, {"code": code_of(secret)}).content
    assert not is_signed_in(client)
    assert verbs().count("second_factor.failed") == 10


def test_the_key_of_the_app_is_stored_encrypted(clara):
    secret = give_app(clara)
    stored = clara.authenticator_set.get().data["secret"]
    assert secret not in stored
    assert len(stored) > 60


def test_a_password_makes_no_token_past_the_second_factor(clara, client):
    give_app(clara)
    answer = client.post("/api/v1/token/", {"username": "clara", "password": "clara-secret-1"}, "application/json")
    assert (answer.status_code, clara.api_tokens.count()) == (403, 0)


# --- setting up -----------------------------------------------------------------------------------------------
def test_setting_up_an_app_asks_for_its_code_and_shows_recovery_codes_once(
    clara, client, django_capture_on_commit_callbacks
):
    sign_in(client, "clara")
    page = client.get(f"{FACTOR}app/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]
    assert "data:image/svg+xml" in page
    assert client.post(f"{FACTOR}app/", {"code": "000000"}).status_code == 200
    assert factors_of(clara) == []
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"{FACTOR}app/", {"code": code_of(secret)})
    assert (answer.url, factors_of(clara)) == (f"{FACTOR}codes/", ["recovery_codes", "totp"])
    shown = client.get(answer.url).content.decode()
    codes = re.findall(r"<li><code>(\d{8})</code></li>", shown)
    assert len(set(codes)) == 10
    assert codes[0] not in client.get(answer.url).content.decode()
    assert verbs().count("second_factor.added") == 2


def test_removing_a_factor_asks_first(clara, client, django_capture_on_commit_callbacks):
    give_app(clara)
    client.force_login(clara)
    answer = client.get(f"{FACTOR}app/remove/")
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/account/again/")
    assert factors_of(clara) == ["totp"]
    assert client.post(answer.url, {"password": "guess"}).status_code == 200
    assert client.post(answer.url, {"password": "clara-secret-1"}).url == f"{FACTOR}app/remove/"
    client.post(f"{FACTOR}app/remove/")
    assert factors_of(clara) == []
    assert [verb for verb in verbs() if verb.startswith(("sign_in", "second_factor"))] == [
        "sign_in.failed",
        "sign_in.confirmed",
        "second_factor.removed",
    ]


# --- required -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["/desk/", "/admin/", "/desk/people/"])
def test_staff_without_a_second_factor_must_set_one_up_first(clara, client, required, address):
    client.force_login(clara)
    assert client.get(address).url == FACTOR
    assert b"Your role needs a second factor." in client.get(FACTOR).content
    assert client.get("/api/v1/studies/").status_code == 403
    give_app(clara)
    assert client.get(address).status_code == 200
    assert client.get("/api/v1/studies/").status_code == 200


def test_readers_need_no_second_factor(client, required, db):
    client.force_login(make.user("ruth"))
    assert is_signed_in(client)


def test_a_token_needs_no_second_factor(clara, client, required):
    _row, text = make_token(user=clara, name="notebook", at=now())
    assert client.get("/api/v1/studies/", headers={"Authorization": f"Token {text}"}).status_code == 200


def test_by_default_only_service_requires_a_second_factor(clara, client):
    client.force_login(clara)
    assert is_signed_in(client)


def test_the_last_factor_that_a_role_needs_cannot_be_removed(clara, client, required):
    give_app(clara)
    sign_in(client, "clara")
    client.post(GIVE, {"code": code_of_app(clara)})
    assert b"Your role needs a second factor." in client.post(f"{FACTOR}app/remove/").content
    assert factors_of(clara) == ["totp"]


def code_of_app(person) -> str:
    return code_of(decrypt(person.authenticator_set.get().data["secret"]))


def test_a_lost_factor_is_reset_by_a_command_that_ends_the_sessions(clara, client):
    secret = give_app(clara)
    give_codes(clara)
    sign_in(client, "clara")
    client.post(GIVE, {"code": code_of(secret)})
    call_command("reset_second_factor", "clara")
    assert factors_of(clara) == []
    assert not is_signed_in(client)
    assert Event.objects.get(verb="second_factor.reset").subject == f"accounts.user:{clara.pk}"
    sign_in(client, "clara")
    assert is_signed_in(client)
