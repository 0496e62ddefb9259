"""Single sign-on against an OpenID Connect provider: accounts made and linked, roles, and what is refused."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from readerstudy.accounts.models import Role, User
from readerstudy.audit.models import Event
from readerstudy.configuration import single_sign_on
from readerstudy.identity.single_sign_on import role_of
from tests import make
from tests.identity.people import code_of, give_app, is_signed_in
from tests.identity.provider import CLIENT, SECRET, serve

LOGIN = "/account/oidc/openid/login/"
ANNA = {"sub": "1234", "email": "anna@example.org", "email_verified": True, "preferred_username": "anna"}
NAMES = {"given_name": "Anna", "family_name": "Ott"}


@pytest.fixture(scope="module")
def server():
    with serve() as provider:
        yield provider


@pytest.fixture
def provider(server, settings, db):
    server.person, server.info, server.refusal, server.audience, server.issuer = {}, {}, "", CLIENT, ""
    app = {
        "provider_id": single_sign_on.OIDC,
        "name": "Hospital",
        "client_id": CLIENT,
        "secret": SECRET,
        "settings": {"server_url": server.url},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}
    settings.SSO_ROLES = {"desk": "coordinator", "research": "researcher", "readers": "reader"}
    return server


def come_back(client: Client, after: str = "") -> str:
    """Go to the provider as a browser does; return the address that it leads back to."""
    leave = client.get(LOGIN, {"next": after} if after else {})
    assert leave.status_code == 302
    back = httpx.get(leave.url, trust_env=False)
    return urlsplit(back.headers["Location"])._replace(scheme="", netloc="").geturl()


def sign_in(client: Client, after: str = ""):
    return client.get(come_back(client, after))


def verbs() -> list[str]:
    return list(Event.objects.order_by("id").values_list("verb", flat=True))


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (None, Role.READER),
        ([], Role.READER),
        (["staff"], Role.READER),
        ("desk", Role.COORDINATOR),
        (["readers", "desk"], Role.COORDINATOR),
        (["desk", "research"], Role.RESEARCHER),
    ],
)
def test_a_new_account_has_the_role_that_a_claim_gives_and_no_study(provider, client, groups, role):
    provider.person = {**ANNA, **NAMES, **({} if groups is None else {"groups": groups})}
    assert sign_in(client).url == "/"
    anna = User.objects.get()
    assert (anna.username, anna.get_full_name(), anna.email) == ("anna", "Anna Ott", "anna@example.org")
    assert (anna.role, anna.is_staff, anna.is_superuser) == (role, role != Role.READER, False)
    assert not anna.has_usable_password()
    assert is_signed_in(client)
    assert verbs() == ["account.made", "account.linked", "sign_in.by_sso"]
    assert Event.objects.get(verb="sign_in.by_sso").data == {"provider": "openid"}
    assert not SocialAccount.objects.get().extra_data, "what the provider says is not kept"


def test_a_verified_address_signs_in_to_its_account_and_keeps_the_role(provider, client):
    clara = make.user("clara", Role.COORDINATOR, email="Clara@Example.org")
    provider.person = {**ANNA, "email": "clara@example.org", "groups": ["research"]}
    sign_in(client)
    assert client.session["_auth_user_id"] == str(clara.pk)
    clara.refresh_from_db()
    assert (clara.role, User.objects.count()) == (Role.COORDINATOR, 1)
    assert verbs() == ["account.linked", "sign_in.by_sso"]


def test_a_linked_account_is_found_again_whatever_its_address(provider):
    clara = make.user("clara", Role.COORDINATOR, email="clara@example.org")
    provider.person = {**ANNA, "email": "clara@example.org"}
    sign_in(Client())
    provider.person = {**ANNA, "email": "married@example.org"}
    client = Client()
    sign_in(client)
    assert client.session["_auth_user_id"] == str(clara.pk)
    assert User.objects.count() == 1
    assert not SocialAccount.objects.get().extra_data, "what the provider says is not kept"


def test_an_address_that_is_not_verified_opens_no_account(provider, client):
    clara = make.user("clara", Role.COORDINATOR, email="clara@example.org")
    provider.person = {**ANNA, "email": "clara@example.org", "email_verified": False}
    sign_in(client)
    new = User.objects.exclude(pk=clara.pk).get()
    assert client.session["_auth_user_id"] == str(new.pk)
    assert (new.username, new.email, new.role) == ("anna", "", Role.READER)


def test_a_user_name_that_exists_is_not_taken_over(provider, client):
    make.user("anna", Role.RESEARCHER)
    provider.person = ANNA
    sign_in(client)
    new = User.objects.get(email="anna@example.org")
    assert (new.username != "anna", new.role) == (True, Role.READER)


@pytest.mark.parametrize("case", ["two accounts", "deactivated", "linked and deactivated"])
def test_what_is_not_clear_is_refused(provider, client, case):
    clara = make.user("clara", Role.COORDINATOR, email="anna@example.org", is_active=case != "deactivated")
    if case == "two accounts":
        make.user("carl", Role.COORDINATOR, email="ANNA@example.org")
    provider.person = ANNA
    if case == "linked and deactivated":
        sign_in(Client())
        clara.is_active = False
        clara.save()
    answer = sign_in(client)
    assert answer.status_code == 403
    assert (b"Several accounts" if case == "two accounts" else b"Your account is deactivated.") in answer.content
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("case", ["state", "code", "audience", "cancelled", "another person", "no session"])
def test_a_forged_answer_signs_nobody_in(provider, client, case):
    make.user("clara", Role.COORDINATOR, email="anna@example.org")
    provider.person = ANNA
    match case:
        case "audience":
            provider.audience = "another-application"
        case "cancelled":
            provider.refusal = "access_denied"
        case "another person":
            provider.info = {"sub": "9999"}
    back = urlsplit(come_back(client))
    query = {name: values[0] for name, values in parse_qs(back.query).items()}
    if case in ("state", "code"):
        query[case] = "forged"
    browser = Client() if case == "no session" else client
    answer = browser.get(back.path, query)
    assert answer.status_code in (302, 401, 403)
    assert "_auth_user_id" not in browser.session
    assert "sign_in.by_sso" not in verbs()
    assert Event.objects.get(verb="sign_in.sso_refused").data["provider"]


def test_a_second_factor_that_is_set_up_here_is_asked_here(provider, client):
    clara = make.user("clara", Role.COORDINATOR, email="anna@example.org")
    secret = give_app(clara)
    provider.person = ANNA
    assert sign_in(client, "/desk/people/").url == "/account/second-factor/give/"
    assert not is_signed_in(client)
    assert client.post("/account/second-factor/give/", {"code": code_of(secret)}).url == "/desk/people/"


@pytest.mark.parametrize("is_strong", [False, True])
def test_the_other_server_may_ask_for_the_second_factor(provider, client, settings, is_strong):
    settings.SECOND_FACTOR, settings.SSO_SECOND_FACTOR = True, is_strong
    make.user("clara", Role.COORDINATOR, email="anna@example.org")
    provider.person = ANNA
    sign_in(client)
    answer = client.get("/desk/people/")
    assert answer.status_code == (200 if is_strong else 302)
    other = Client()
    other.force_login(User.objects.get())
    assert other.get("/desk/people/").status_code == 302


def test_the_sign_in_page_offers_it_only_where_it_is_set_up(provider, client, settings):
    page = client.get("/account/sign-in/?next=/desk/").content.decode()
    assert f'href="{LOGIN}?next=%2Fdesk%2F">Hospital</a>' in page
    settings.SOCIALACCOUNT_PROVIDERS = {}
    assert "Hospital" not in client.get("/account/sign-in/").content.decode()
    assert client.get(LOGIN).status_code == 404


def test_the_role_of_a_value_that_nobody_listed_is_a_readers(settings):
    settings.SSO_ROLES = {}
    assert role_of(["research"]) == Role.READER


# --- settings -------------------------------------------------------------------------------------------------
OPENID = {"OIDC_URL": "https://login.example.org/x/", "OIDC_CLIENT_ID": "us", "OIDC_CLIENT_SECRET": "s"}


@pytest.fixture
def given(monkeypatch):
    def give(**values: str) -> None:
        for name in (*OPENID, "SAML_METADATA_URL", "SAML_ENTITY_ID", "LDAP_URL", "LDAP_USER_DN", "SSO_ROLES"):
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return give


def test_openid_connect_is_off_without_its_address(given):
    given()
    assert (single_sign_on.providers("x"), single_sign_on.ldap(), single_sign_on.roles_by_value()) == ({}, {}, {})
    given(**OPENID)
    (app,) = single_sign_on.providers("Hospital")["openid_connect"]["APPS"]
    assert (app["name"], app["settings"]["server_url"]) == ("Hospital", "https://login.example.org/x")


def test_values_of_the_claim_give_roles(given):
    given(SSO_ROLES="researcher=CN=Research; ou=groups, coordinator=desk")
    assert single_sign_on.roles_by_value() == {"cn=research,ou=groups": "researcher", "desk": "coordinator"}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"SSO_ROLES": "boss=all"}, "SSO_ROLES has the part 'boss=all'"),
        ({"SSO_ROLES": "researcher="}, "SSO_ROLES has the part"),
        ({"SSO_ROLES": "researcher=a,coordinator=a"}, "gives 'a' two roles"),
        ({"OIDC_URL": "http://login.example.org"}, "give an address with https://"),
        ({"OIDC_URL": "https://login.example.org"}, "OIDC_CLIENT_ID is missing"),
        ({"SAML_METADATA_URL": "http://login.example.org"}, "give an address with https://"),
        ({"SAML_METADATA_URL": "https://login.example.org/metadata"}, r"install the extra \[saml\]"),
        ({"LDAP_URL": "https://directory.example.org"}, "give ldaps://directory.example.org"),
        ({"LDAP_URL": "ldaps://directory.example.org"}, r"install the extra \[ldap\]"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(given, values, sentence, monkeypatch):
    monkeypatch.setattr(single_sign_on, "find_spec", lambda module: None)
    given(**values)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        _ = single_sign_on.roles_by_value(), single_sign_on.providers("x"), single_sign_on.ldap()


def test_a_directory_is_reached_by_tls_and_a_place_for_users(given, monkeypatch):
    pytest.importorskip("ldap", reason="needs python-ldap: requirements/single_sign_on.txt")
    monkeypatch.setattr(single_sign_on, "find_spec", lambda module: module)
    place = "uid=%(user)s,ou=people,dc=example,dc=org"
    given(LDAP_URL="ldap://directory.example.org", LDAP_USER_DN=place)
    values = single_sign_on.ldap()
    assert (values["AUTH_LDAP_START_TLS"], values["AUTH_LDAP_USER_DN_TEMPLATE"]) == (True, place)
    given(LDAP_URL="ldaps://directory.example.org", LDAP_USER_DN="uid=rosa,dc=org")
    with pytest.raises(ImproperlyConfigured, match="LDAP_USER_DN must have"):
        single_sign_on.ldap()


def test_saml_wants_signed_assertions_of_one_provider(given, monkeypatch):
    monkeypatch.setattr(single_sign_on, "find_spec", lambda module: module)
    given(SAML_METADATA_URL="https://login.example.org/metadata", SAML_ENTITY_ID="https://login.example.org/idp")
    (app,) = single_sign_on.providers("Hospital")["saml"]["APPS"]
    assert app["settings"]["idp"]["entity_id"] == app["provider_id"] == "https://login.example.org/idp"
    assert app["settings"]["advanced"]["want_assertion_signed"] is True
