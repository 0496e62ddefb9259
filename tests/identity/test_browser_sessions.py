"""Sessions and their people are read by prepared statements; a right that ended opens nothing any more."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils.timezone import now

from readerstudy.accounts.browser_sessions import Accounts, SessionStore
from readerstudy.accounts.models import Role, User
from tests import make

READING = "/api/v1/reading/"


@pytest.fixture
def rita(db):
    return make.user("rita", Role.READER)


@pytest.fixture
def browser(rita):
    """Rita's browser, after its connection has prepared the statements."""
    client = Client()
    client.force_login(rita)
    assert client.get(READING).status_code == 200
    return client


def is_out(browser: Client) -> bool:
    return browser.get(READING).status_code == 401


def test_a_new_password_ends_the_session_with_the_next_request(rita, browser):
    rita.set_password("another-long-word")
    rita.save()
    assert is_out(browser)
    assert not Session.objects.exists()


@pytest.mark.parametrize("field", [{"is_active": False}, {"password": "!"}])
def test_a_row_that_was_changed_past_the_model_counts_too(rita, browser, field):
    User.objects.filter(pk=rita.pk).update(**field)
    assert is_out(browser)


def test_a_role_that_was_taken_away_counts_at_once(rita, browser):
    User.objects.filter(pk=rita.pk).update(role=Role.COORDINATOR)
    assert browser.get(READING).status_code == 403
    User.objects.filter(pk=rita.pk).update(role=Role.READER)
    assert browser.get(READING).status_code == 200


def test_a_session_that_is_over_or_deleted_opens_nothing(browser):
    key = browser.session.session_key
    Session.objects.filter(pk=key).update(expire_date=now() + timedelta(minutes=1))
    assert not is_out(browser)
    Session.objects.filter(pk=key).update(expire_date=now() - timedelta(seconds=1))
    assert is_out(browser)


def test_a_session_that_was_ended_elsewhere_opens_nothing(browser):
    SessionStore(browser.session.session_key).delete()
    assert is_out(browser)


def test_an_account_that_is_gone_opens_nothing(browser):
    assert Accounts().get_user(-1) is None
    session = browser.session
    session[SESSION_KEY] = "-1"
    session.save()
    assert is_out(browser)


@pytest.mark.parametrize("key", ["x", "x" * 32, "x" * 5000, "' OR ''='", "é" * 32])
def test_a_key_that_nobody_was_given_opens_nothing(rita, key):
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = key
    assert is_out(browser)


def test_a_session_of_an_earlier_version_stays_signed_in(rita):
    """Readers who came by a link could not sign in again without a new one."""
    earlier = db.SessionStore()
    earlier[SESSION_KEY], earlier[HASH_SESSION_KEY] = str(rita.pk), rita.get_session_auth_hash()
    earlier[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    earlier.create()
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = str(earlier.session_key)
    assert browser.get(READING).status_code == 200
    assert SessionStore(earlier.session_key)[SESSION_KEY] == str(rita.pk)
    User.objects.filter(pk=rita.pk).update(is_active=False)
    assert is_out(browser)


def test_a_verdict_still_needs_the_token_of_the_form(rita):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(rita)
    assert browser.post(f"{READING}x/sessions/1/verdicts/", {}, content_type="application/json").status_code == 403
