"""Single sign-on by SAML: signed answers sign in, and everything else is refused with a sentence and an event."""

import base64
from datetime import timedelta

import pytest
from allauth.socialaccount import providers
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from django.test import Client

from readerstudy.accounts.models import Role, User
from readerstudy.audit.models import Event
from readerstudy.configuration import single_sign_on
from tests import make
from tests.configuration.test_settings import start
from tests.identity.people import code_of, give_app, is_signed_in
from tests.identity.saml_provider import ENTITY, MAIL, NICKNAME, VERIFIED, new_key, read_request, serve

LOGIN, ACS, METADATA, LOGOUT = (f"/account/saml/saml/{part}/" for part in ("login", "acs", "metadata", "sls"))
HOST = "study.example.org"
ANNA = {MAIL: ["anna@example.org"], VERIFIED: ["true"], NICKNAME: ["anna"]}
REFUSED = b"Signing in at the other server did not work."


@pytest.fixture(scope="module")
def server():
    with serve() as provider:
        yield provider


@pytest.fixture
def provider(server, settings, monkeypatch, db):
    from allauth.socialaccount.providers.saml.provider import SAMLProvider

    monkeypatch.setenv("SAML_METADATA_URL", f"{server.url}/metadata")
    monkeypatch.setenv("SAML_ENTITY_ID", ENTITY)
    settings.SOCIALACCOUNT_PROVIDERS = single_sign_on.providers("Hospital")
    settings.ROOT_URLCONF, settings.ALLOWED_HOSTS = "tests.identity.saml_addresses", [HOST, "testserver"]
    settings.SSO_ROLE_CLAIM, settings.SSO_ROLES = "groups", {"desk": "coordinator", "research": "researcher"}
    # As its row in INSTALLED_APPS does, before the first request.
    monkeypatch.setitem(providers.registry.provider_map, SAMLProvider.id, SAMLProvider)
    return server


def browser(**headers: str) -> Client:
    return Client(headers={"Host": HOST, **headers})


def leave(client: Client, after: str = "") -> str:
    """Go to the provider; return the address to which the browser is sent."""
    answer = client.get(LOGIN, {"next": after} if after else {})
    assert answer.status_code == 302
    return answer.url


def come_back(client: Client, response: str):
    """Post the provider's answer as its page does, and follow to the end of the sign-in."""
    posted = client.post(ACS, {"SAMLResponse": response, "RelayState": ""})
    assert posted.status_code == 302
    return client.get(posted.url)


def sign_in(provider, client: Client, attributes: dict, after: str = "", **wrong):
    return come_back(client, provider.answer(leave(client, after), attributes, **wrong))


def verbs() -> list[str]:
    return list(Event.objects.order_by("id").values_list("verb", flat=True))


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ([], Role.READER),
        (["staff"], Role.READER),
        (["desk"], Role.COORDINATOR),
        (["desk", "research"], Role.RESEARCHER),
    ],
)
def test_a_signed_answer_signs_in_with_the_role_of_the_group_and_no_study(provider, groups, role):
    client = browser()
    answer = sign_in(provider, client, {**ANNA, "groups": groups}, "/account/")
    assert (answer.status_code, answer.url) == (302, "/account/")
    assert is_signed_in(client)
    anna = User.objects.get()
    assert (anna.username, anna.email, anna.role) == ("anna", "anna@example.org", role)
    assert not anna.has_usable_password()
    assert verbs() == ["account.made", "account.linked", "sign_in.by_sso"]
    assert not SocialAccount.objects.get().extra_data, "what the provider says is not kept"


def test_a_verified_address_opens_its_account_and_an_unverified_one_does_not(provider):
    clara = make.user("clara", Role.COORDINATOR, email="anna@example.org")
    client = browser()
    sign_in(provider, client, {MAIL: ["anna@example.org"]}, name="somebody-else")
    assert client.session["_auth_user_id"] != str(clara.pk)
    client = browser()
    sign_in(provider, client, {**ANNA, "groups": ["research"]})
    assert client.session["_auth_user_id"] == str(clara.pk)
    clara.refresh_from_db()
    assert clara.role == Role.COORDINATOR


def test_a_second_factor_that_is_set_up_here_is_asked_here(provider):
    clara = make.user("clara", Role.COORDINATOR, email="anna@example.org")
    secret = give_app(clara)
    client = browser()
    assert sign_in(provider, client, ANNA).url.startswith("/account/second-factor/give/")
    assert not is_signed_in(client)
    client.post("/account/second-factor/give/", {"code": code_of(secret)})
    assert is_signed_in(client)


def test_a_deactivated_account_stays_closed(provider):
    make.user("clara", Role.COORDINATOR, email="anna@example.org", is_active=False)
    answer = sign_in(provider, browser(), ANNA)
    assert (answer.status_code, b"Your account is deactivated." in answer.content) == (403, True)


# --- refused ------------------------------------------------------------------------------------------------------
WRONG = {
    "unsigned": {"signature": "none"},
    "only the envelope is signed": {"signature": "response"},
    "signed by SHA-1": {"method": "sha1"},
    "expired": {"age": timedelta(minutes=20)},
    "of the future": {"age": -timedelta(minutes=20)},
    "for another application": {"audience": "https://other.example.org/metadata"},
    "of another provider": {"issuer": "https://evil.example.org/idp"},
    "sent to another address": {"destination": "https://other.example.org/acs/"},
    "to a request that nobody made": {"in_response_to": "_0123456789"},
    "to no request": {"in_response_to": ""},
}


def assert_refused(client: Client, answer) -> None:
    assert (answer.status_code, REFUSED in answer.content) == (403, True)
    assert "_auth_user_id" not in client.session
    assert User.objects.count() == 0
    event = Event.objects.get(verb="sign_in.sso_refused")
    assert (event.actor, event.data["provider"] in (ENTITY, "saml"), event.address) == (None, True, "127.0.0.1")
    assert verbs() == ["sign_in.sso_refused"], "one event, not two"


@pytest.mark.parametrize("case", WRONG)
def test_an_answer_that_is_wrong_is_refused_with_a_sentence_and_an_event(provider, case):
    client = browser()
    assert_refused(client, sign_in(provider, client, ANNA, **WRONG[case]))


def test_an_answer_signed_by_somebody_else_is_refused(provider):
    client = browser()
    assert_refused(client, sign_in(provider, client, ANNA, key=new_key()[0]))


def test_an_answer_that_was_changed_after_it_was_signed_is_refused(provider):
    client = browser()
    response = base64.b64decode(provider.answer(leave(client), {**ANNA, "groups": ["staff"]}))
    changed = response.replace(b">staff<", b">research<")
    assert changed != response
    assert_refused(client, come_back(client, base64.b64encode(changed).decode()))


def test_a_second_assertion_around_the_signed_one_is_refused(provider):
    """XML signature wrapping: the signature is valid, but of another assertion than the first."""
    client = browser()
    response = base64.b64decode(provider.answer(leave(client), ANNA)).decode()
    start, end = response.index("<saml:Assertion"), response.index("</saml:Assertion>") + len("</saml:Assertion>")
    signed = response[start:end]
    forged = (
        signed[: signed.index("<ds:Signature")] + signed[signed.index("</ds:Signature>") + len("</ds:Signature>") :]
    )
    forged = forged.replace('ID="_', 'ID="_f', 1).replace("anna@example.org", "boss@example.org")
    wrapped = response[:start] + forged + signed + response[end:]
    assert_refused(client, come_back(client, base64.b64encode(wrapped.encode()).decode()))


@pytest.mark.parametrize(
    "response", ["", "no base 64", base64.b64encode(b"<a").decode(), base64.b64encode(b"<a/>").decode()]
)
def test_what_is_no_answer_is_refused(provider, response):
    client = browser()
    leave(client)
    assert_refused(client, come_back(client, response))


def test_an_answer_with_entities_of_a_document_type_is_refused(provider):
    client = browser()
    response = base64.b64decode(provider.answer(leave(client), ANNA))
    entity = b'<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/hostname">]>'
    changed = entity + response.replace(b">anna<", b">&file;<")
    assert_refused(client, come_back(client, base64.b64encode(changed).decode()))


@pytest.mark.parametrize("where", ["the same browser", "another browser"])
def test_an_answer_is_taken_once_and_only_in_the_browser_that_asked(provider, where):
    client = browser()
    response = provider.answer(leave(client), ANNA)
    if where == "the same browser":
        come_back(client, response)
        client.post("/account/sign-out/")
    else:
        client = browser()
        leave(client)
    events = Event.objects.filter(verb="sign_in.sso_refused")
    assert events.count() == 0
    answer = come_back(client, response)
    assert (answer.status_code, REFUSED in answer.content) == (403, True)
    assert "_auth_user_id" not in client.session
    assert events.count() == 1


def test_nobody_finishes_a_sign_in_without_an_answer(provider):
    client = browser()
    assert_refused(client, client.get(f"{ACS}finish/"))


def test_a_very_long_answer_is_not_kept(provider):
    answer = browser().post(ACS, {"SAMLResponse": "A" * 200_001})
    assert (answer.status_code, REFUSED in answer.content) == (403, True)
    assert Event.objects.get().verb == "sign_in.sso_refused"
    assert not Session.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_link_of_another_site_signs_anybody_out(provider, method):
    client = browser()
    client.force_login(make.user("ruth"))
    assert getattr(client, method)(LOGOUT, {"SAMLRequest": "PGEvPg=="}).status_code == 404
    assert is_signed_in(client)


# --- the server -----------------------------------------------------------------------------------------------------
def test_the_metadata_and_the_request_name_the_address_for_answers(provider):
    client = browser()
    metadata = client.get(METADATA)
    assert metadata.status_code == 200
    assert f"http://{HOST}{ACS}" in metadata.content.decode()
    assert read_request(leave(client)).get("AssertionConsumerServiceURL") == f"http://{HOST}{ACS}"
    assert b'WantAssertionsSigned="true"' in metadata.content


def test_the_sign_in_page_has_its_button(provider):
    assert f'href="{LOGIN}">Hospital</a>' in browser().get("/account/sign-in/").content.decode()


def test_a_server_with_saml_starts_with_its_addresses(tmp_path):
    """Settings and addresses as an operator switches them on, in a process of their own."""
    program = (
        "import django; django.setup(); from django.urls import resolve; "
        f"print(resolve('{LOGIN}').url_name, resolve('{ACS}finish/').func.__module__)"
    )
    metadata = "https://login.example.org/metadata"
    run = start(tmp_path, program, SAML_METADATA_URL=metadata, SAML_ENTITY_ID=ENTITY)
    assert run.stdout.split() == ["saml_login", "readerstudy.identity.saml"], run.stderr[-2000:]
