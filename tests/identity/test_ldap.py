"""Passwords of a directory, against a real one: whose account they open, with which role, and what is refused."""

from importlib.util import find_spec

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from readerstudy.accounts.models import Role, User
from readerstudy.audit.models import Event
from readerstudy.configuration import single_sign_on
from tests import make
from tests.identity.directory import GROUP, PASSWORD, PLACE, SLAPD, free_port, serve
from tests.identity.people import is_signed_in, sign_in

pytestmark = [
    pytest.mark.skipif(not SLAPD, reason="needs OpenLDAP's slapd: `make setup-test` installs it"),
    pytest.mark.skipif(not find_spec("ldap"), reason="needs python-ldap: requirements/single_sign_on.txt"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("directory")) as directory:
        yield directory


@pytest.fixture
def configure(settings, monkeypatch, db):
    """Switch LDAP on as the environment does."""

    def by(**values: str) -> None:
        for name, value in {"LDAP_USER_DN": PLACE, **values}.items():
            monkeypatch.setenv(name, value)
        for name, value in single_sign_on.ldap().items():
            setattr(settings, name, value)
        settings.AUTHENTICATION_BACKENDS = [
            "readerstudy.accounts.browser_sessions.Accounts",
            "readerstudy.identity.ldap.DirectoryBackend",
        ]
        monkeypatch.setenv("SSO_ROLES", f"researcher={GROUP.replace(',', ';').lower()}")
        settings.SSO_ROLE_CLAIM, settings.SSO_ROLES = "memberOf", single_sign_on.roles_by_value()

    return by


@pytest.fixture
def directory(server, configure):
    configure(LDAP_URL=server.url)
    return server


def without_password(name: str, role: Role = Role.COORDINATOR, **values) -> User:
    person = make.user(name, role, **values)
    person.set_unusable_password()
    person.save()
    return person


def enter(name: str, password: str = PASSWORD) -> Client:
    client = Client()
    sign_in(client, name, password)
    return client


def verbs() -> list[str]:
    return list(Event.objects.order_by("id").values_list("verb", flat=True))


@pytest.mark.parametrize(("name", "role"), [("anna", Role.READER), ("rosa", Role.RESEARCHER)])
def test_a_password_of_the_directory_makes_an_account_with_the_role_of_its_group(directory, name, role):
    client = enter(name)
    assert is_signed_in(client)
    user = User.objects.get()
    assert (user.username, user.role, user.is_staff) == (name, role, role != Role.READER)
    assert (user.email.lower(), user.has_usable_password()) == (f"{name}@example.org", False)
    assert user.first_name == name.title()
    assert verbs() == ["account.made", "account.linked", "sign_in.by_password"]
    assert is_signed_in(enter(name.upper())), "the same account, in capital letters"
    assert User.objects.count() == 1


@pytest.mark.parametrize("password", ["wrong", " ", f"{PASSWORD} "])
def test_a_wrong_password_signs_nobody_in_and_is_recorded(directory, password):
    answer = sign_in(Client(), "anna", password)
    assert b"The user name or the password is wrong." in answer.content
    assert (User.objects.count(), verbs()) == (0, ["sign_in.unknown"])


def test_an_empty_password_is_never_taken_as_a_right_one(directory):
    """A directory answers yes to a name without password (RFC 4513, 5.1.2)."""
    client = Client()
    client.post("/account/sign-in/", {"username": "anna", "password": ""})
    answer = client.post("/api/v1/token/", {"username": "anna", "password": ""}, "application/json")
    assert (answer.status_code, User.objects.count()) == (400, 0)


@pytest.mark.parametrize("name", ["*", "anna,ou=people,dc=example,dc=org", "anna)(uid=*", "a\\6ena", "nobody"])
def test_a_name_is_no_pattern_and_no_place_of_the_directory(directory, name):
    assert not is_signed_in(enter(name))
    assert User.objects.count() == 0


@pytest.mark.parametrize("name", ["anna", "Anna", "ANNA"])
def test_an_account_with_a_password_here_is_not_opened_by_the_directory(directory, name):
    anna = make.user("anna", Role.COORDINATOR, email="anna@example.org")
    assert not is_signed_in(enter(name))
    anna.refresh_from_db()
    assert (anna.role, anna.has_usable_password(), User.objects.count()) == (Role.COORDINATOR, True, 1)
    assert is_signed_in(enter("anna", "anna-secret-1"))


@pytest.mark.parametrize("address", ["", "other@example.org", "anna@example.org"])
@pytest.mark.parametrize("name", ["anna", "Anna"])
def test_an_invited_account_is_opened_by_its_address_only_and_keeps_its_role(directory, name, address):
    anna = without_password("anna", email=address)
    assert is_signed_in(enter(name)) is (address == "anna@example.org")
    anna.refresh_from_db()
    assert (anna.role, anna.email, User.objects.count()) == (Role.COORDINATOR, address, 1)
    assert "account.made" not in verbs()


def test_two_accounts_that_differ_in_capitals_are_not_clear_and_refused(directory):
    for name in ("anna", "ANNA"):
        without_password(name, email="anna@example.org")
    assert not is_signed_in(enter("anna"))


def test_a_deactivated_account_stays_closed(directory):
    without_password("anna", email="anna@example.org", is_active=False)
    answer = sign_in(Client(), "anna", PASSWORD)
    assert answer.status_code == 403
    assert b"Your account is deactivated." in answer.content


def test_wrong_passwords_of_the_directory_are_limited_too(directory):
    without_password("anna", email="anna@example.org")
    for _ in range(10):
        enter("anna", "wrong")
    assert sign_in(Client(), "anna", PASSWORD).status_code == 429
    assert "sign_in.blocked" in verbs()


def test_a_directory_that_is_down_closes_no_other_way_in(configure):
    configure(LDAP_URL=f"ldap://127.0.0.1:{free_port()}")
    make.user("ruth")
    assert b"The user name or the password is wrong." in sign_in(Client(), "anna", PASSWORD).content
    assert is_signed_in(enter("ruth", "ruth-secret-1"))


# --- TLS --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_password_is_sent_only_to_a_server_with_a_certificate_to_trust(server, configure, is_trusted):
    configure(LDAP_URL=server.tls_url, **({"LDAP_CA_FILE": str(server.authority)} if is_trusted else {}))
    assert is_signed_in(enter("anna")) is is_trusted


def test_a_certificate_for_another_name_is_refused(server, configure):
    address = server.tls_url.replace("127.0.0.1", "localhost")
    configure(LDAP_URL=address, LDAP_CA_FILE=str(server.authority))
    assert not is_signed_in(enter("anna"))


@pytest.mark.parametrize("is_trusted", [True, False])
def test_starttls_checks_the_certificate_too(server, configure, settings, monkeypatch, is_trusted):
    monkeypatch.setattr(single_sign_on, "is_this_machine", lambda host: False)  # as beyond the loopback
    configure(LDAP_URL=server.url, **({"LDAP_CA_FILE": str(server.authority)} if is_trusted else {}))
    assert settings.AUTH_LDAP_START_TLS is True
    assert is_signed_in(enter("anna")) is is_trusted


def test_a_file_of_the_authority_that_is_missing_stops_the_start(configure):
    with pytest.raises(ImproperlyConfigured, match="LDAP_CA_FILE is '/nowhere'"):
        configure(LDAP_URL="ldaps://directory.example.org", LDAP_CA_FILE="/nowhere")
