"""Sign-in links: each works once and for a limited time, and its token is stored and logged nowhere."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.links import DAYS, LinkRefused, find_link, make_link, open_link, revoke_links, use_link
from readerstudy.accounts.models import LinkState, SignInLink
from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.logs.filters import HideSignInLinks
from tests import make
from tests.make import MONDAY

LATER = MONDAY + timedelta(hours=1)


@pytest.fixture
def ruth(db):
    return make.user("ruth", first_name="Ruth", last_name="Ott")


def link_of(user, *, days: int = DAYS) -> str:
    return reverse("accounts:sign_in_by_link", args=[make_link(user=user, actor=None, at=now(), days=days)])


def who(client: Client) -> str:
    return client.get("/").wsgi_request.user.username


# --- the page -------------------------------------------------------------------------------------------------
def test_a_link_asks_first_and_signs_in_by_its_button(ruth, client):
    link = link_of(ruth)
    page = client.get(link)
    assert "Sign in as Ruth Ott" in page.content.decode()
    assert who(client) == ""
    assert client.post(link).headers["Location"] == "/"
    assert who(client) == "ruth"


def test_a_mail_scanner_does_not_use_a_link_up(ruth, client):
    link = link_of(ruth)
    for _ in range(3):
        assert Client().head(link).status_code == 200
    assert SignInLink.objects.get().opened_at is None
    for _ in range(3):
        assert Client().get(link).status_code == 200
    assert SignInLink.objects.get().state(at=now()) == LinkState.OPENED
    client.post(link)
    assert who(client) == "ruth"


def test_a_link_works_once(ruth, client):
    link = link_of(ruth)
    Client().post(link)
    for answer in (client.get(link), client.post(link)):
        assert answer.status_code == 410
        assert "This sign-in link has been used." in answer.content.decode()
    assert who(client) == ""


def test_a_refused_link_says_why(ruth, client):
    revoked, unknown = link_of(ruth), reverse("accounts:sign_in_by_link", args=["no-such-token"])
    link_of(ruth)
    for link, sentence in ((revoked, "was replaced or revoked"), (unknown, "is unknown")):
        for answer in (client.get(link), client.post(link)):
            assert answer.status_code == 410
            assert sentence in answer.content.decode()
    assert who(client) == ""


def test_a_deactivated_user_is_refused(ruth, client):
    link = link_of(ruth)
    ruth.is_active = False
    ruth.save()
    assert "Your account is deactivated." in client.post(link).content.decode()
    assert who(client) == ""
    with pytest.raises(NotAllowed, match="ruth is deactivated"):
        make_link(user=ruth, actor=None, at=MONDAY)


def test_a_forged_post_without_the_page_is_refused(ruth):
    strict = Client(enforce_csrf_checks=True)
    link = link_of(ruth)
    assert strict.post(link).status_code == 403
    token = strict.get(link).context["csrf_token"]
    assert strict.post(link, {"csrfmiddlewaretoken": str(token)}).status_code == 302


def test_no_address_of_a_link_leaves_the_browser_or_its_cache(ruth, client):
    link = link_of(ruth)
    for answer in (client.get(link), Client().head(link), client.post(link), client.get(link)):
        assert answer["Cache-Control"] == "no-store"
    page = client.get(link)
    assert page["Referrer-Policy"] == "strict-origin"
    assert "http" not in page.content.decode().replace("http-equiv", "")


# --- the rules ------------------------------------------------------------------------------------------------
def test_a_link_expires_after_its_days(ruth):
    token = make_link(user=ruth, actor=None, at=MONDAY, days=3)
    assert open_link(token, at=MONDAY + timedelta(days=2, hours=23)).user == ruth
    for work in (open_link, use_link):
        with pytest.raises(LinkRefused, match="has expired"):
            work(token, at=MONDAY + timedelta(days=3))
    assert find_link(token).state(at=MONDAY + timedelta(days=3)) == LinkState.EXPIRED


@pytest.mark.parametrize("days", [0, -1, 366])
def test_the_days_of_a_link_have_bounds(ruth, days):
    with pytest.raises(BadInput, match="1 to 365 days"):
        make_link(user=ruth, actor=None, at=MONDAY, days=days)


def test_a_new_link_revokes_the_unused_ones_of_that_user_only(ruth, clara):
    theirs = make_link(user=clara, actor=None, at=MONDAY)
    first = make_link(user=ruth, actor=clara, at=MONDAY)
    use_link(first, at=LATER)
    second = make_link(user=ruth, actor=clara, at=LATER)
    third = make_link(user=ruth, actor=clara, at=LATER)
    states = [find_link(token).state(at=LATER).value for token in (theirs, first, second, third)]
    assert states == ["new", "used", "revoked", "new"]


def test_revoking_leaves_used_links_as_they_are(ruth, clara):
    use_link(make_link(user=ruth, actor=clara, at=MONDAY), at=LATER)
    token = make_link(user=ruth, actor=clara, at=LATER)
    assert revoke_links(user=ruth, actor=clara, at=LATER) == 1
    assert revoke_links(user=ruth, actor=clara, at=LATER) == 0
    with pytest.raises(LinkRefused, match="revoked"):
        use_link(token, at=LATER)


def test_the_database_refuses_two_open_links_of_one_user(ruth):
    make_link(user=ruth, actor=None, at=MONDAY)
    expires = MONDAY + timedelta(days=1)
    with pytest.raises(IntegrityError, match="sign_in_link_one_open"), transaction.atomic():
        SignInLink.objects.create(user=ruth, token_hash="x", created_at=MONDAY, expires_at=expires)


@pytest.mark.django_db(transaction=True)
def test_of_eight_requests_at_once_one_signs_in():
    ruth = make.user("ruth")
    link = link_of(ruth)

    def sign_in(number: int) -> int:
        try:
            return Client().post(link).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as browsers:
        assert sorted(browsers.map(sign_in, range(8))) == [302, *[410] * 7]
    assert Event.objects.filter(verb="link.used").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_eight_links_made_at_once_one_is_open():
    ruth = make.user("ruth")

    def make_one(number: int) -> str:
        try:
            return make_link(user=ruth, actor=None, at=MONDAY)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as coordinators:
        tokens = list(coordinators.map(make_one, range(8)))
    states = [find_link(token).state(at=MONDAY).value for token in tokens]
    assert sorted(states) == ["new", *["revoked"] * 7]


# --- the record -----------------------------------------------------------------------------------------------
def test_every_step_is_audited_and_no_record_has_the_token(ruth, clara):
    token = make_link(user=ruth, actor=clara, at=MONDAY)
    open_link(token, at=LATER)
    open_link(token, at=LATER)
    use_link(token, at=LATER)
    make_link(user=ruth, actor=clara, at=LATER)
    revoke_links(user=ruth, actor=clara, at=LATER)
    events = Event.objects.filter(verb__startswith="link.").order_by("id")
    assert [event.verb for event in events] == ["link.made", "link.opened", "link.used", "link.made", "link.revoked"]
    assert [event.actor for event in events] == [clara, None, ruth, clara, clara]
    assert {event.subject for event in events} == {f"accounts.user:{ruth.pk}"}
    assert token not in json.dumps(list(events.values()), default=str)
    assert token not in json.dumps(list(SignInLink.objects.values()), default=str)


def test_no_log_line_has_the_token(ruth, settings, caplog):
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["hide_sign_in_links"]
    link = link_of(ruth)
    token = link.rstrip("/").rsplit("/", 1)[-1]
    strict = Client(enforce_csrf_checks=True)
    with caplog.at_level(logging.DEBUG):
        strict.post(link)
        Client().post(link)
        Client().get(link)
        Client().put(link)
    lines = [record.getMessage() for record in caplog.records if "/account/sign-in/" in record.getMessage()]
    assert len(lines) == 3, "Django logs the address of refused requests, or this test proves nothing."
    assert not [line for line in lines if token in line]


def test_the_filter_hides_the_token_and_nothing_else():
    for message, shown in (
        ("Gone: /account/sign-in/abc-DEF_1/", "Gone: /account/sign-in/…/"),
        ('"GET /account/sign-in/abc?next=/ HTTP/1.1" 200', '"GET /account/sign-in/…?next=/ HTTP/1.1" 200'),
        ("Not Found: /account/sign-in/", "Not Found: /account/sign-in/"),
    ):
        record = logging.LogRecord("django.request", logging.WARNING, "", 1, "%s", (message,), None)
        assert HideSignInLinks().filter(record)
        assert record.getMessage() == shown


# --- the command ----------------------------------------------------------------------------------------------
def test_the_command_prints_a_link_that_signs_in(ruth, client, capsys):
    call_command("sign_in_link", "ruth", url="http://testserver/")
    link = capsys.readouterr().out.strip()
    assert link.startswith("http://testserver/account/sign-in/")
    client.post(link)
    assert who(client) == "ruth"


def test_the_command_names_an_unknown_user(db):
    with pytest.raises(CommandError, match="no user with the name 'nobody'"):
        call_command("sign_in_link", "nobody")
