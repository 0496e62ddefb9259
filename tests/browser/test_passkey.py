"""Passkeys in a real browser, with an authenticator that the browser plays."""

import pytest
from playwright.sync_api import expect

from readerstudy.accounts.models import Role
from readerstudy.audit.models import Event
from tests import make
from tests.identity.people import factors_of


@pytest.fixture
def clara(people):
    return make.user(f"passkey-{next(people)}", Role.COORDINATOR)


@pytest.fixture
def tab(page, server, settings):
    """A tab of a browser that has an authenticator with a finger on it."""
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # the server speaks HTTP
    wire = page.context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(f"{server.url}/account/sign-in/")
    yield page
    assert not [fault for fault in faults if "Content Security Policy" in fault]


def sign_in(tab, person) -> None:
    tab.get_by_label("Username").fill(person.username)
    tab.get_by_label("Password").fill(f"{person.username}-secret-1")
    tab.keyboard.press("Enter")


def menu_of(tab, person):
    """The menu below the person's name, which is there for everybody who is signed in at the desk."""
    return tab.locator("summary", has_text=person.get_full_name() or person.username)


def sign_out(tab, person) -> None:
    menu_of(tab, person).click()
    tab.get_by_role("button", name="Sign out").click()
    expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("is_alone", [False, True])
def test_a_passkey_is_a_second_factor_and_can_be_enough_alone(tab, server, clara, is_alone):
    sign_in(tab, clara)
    expect(menu_of(tab, clara)).to_be_visible()
    tab.goto(f"{server.url}/account/second-factor/passkeys/add/")
    tab.get_by_label("Name of the passkey").fill("desk")
    if is_alone:
        tab.get_by_label("Sign in with it alone").check()
    tab.get_by_role("button", name="Add a passkey").click()
    expect(tab.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert factors_of(clara) == ["recovery_codes", "webauthn"]
    sign_out(tab, clara)
    if is_alone:
        tab.get_by_role("button", name="Sign in with a passkey").click()
    else:
        sign_in(tab, clara)
        expect(tab.get_by_role("heading", name="Second factor")).to_be_visible()
        tab.get_by_role("button", name="Use a passkey").click()
    expect(menu_of(tab, clara)).to_be_visible()
    verb = "sign_in.by_passkey" if is_alone else "second_factor.used"
    assert Event.objects.filter(verb=verb, actor=clara).exists()
