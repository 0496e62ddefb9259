"""One's own sessions: listed, ended, and ended for staff after a time without anything done."""

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils.timezone import now

from readerstudy.accounts.models import Role
from readerstudy.audit.models import Event
from readerstudy.identity.devices import device_of
from tests import make
from tests.identity.people import is_signed_in, sign_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36"


@pytest.fixture
def clara(db):
    return make.user("clara", Role.COORDINATOR)


def browser(agent: str = FIREFOX) -> Client:
    return Client(headers={"User-Agent": agent})


def let_rest(client: Client, minutes: float) -> None:
    at = now() - timedelta(minutes=minutes)
    UserSession.objects.filter(session_key=client.session.session_key).update(last_seen_at=at)


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (FIREFOX, "Firefox, Linux"),
        (CHROME, "Chrome, Windows"),
        (f"{CHROME} Edg/150.0", "Edge, Windows"),
        ("curl/8.0", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_device_has_the_name_of_its_browser_and_system(agent, expected):
    assert device_of(agent) == expected


@pytest.mark.parametrize("role", [Role.READER, Role.COORDINATOR])
def test_everybody_sees_and_ends_their_own_sessions(db, role):
    make.user("ruth", role)
    here, there = browser(), browser(CHROME)
    sign_in(here, "ruth"), sign_in(there, "ruth")
    page = here.get("/account/")
    assert sorted(device for _row, device in page.context["sessions"]) == ["Chrome, Windows", "Firefox, Linux"]
    assert page.content.decode().count("this browser") == 1
    other = next(row for row, device in page.context["sessions"] if device.startswith("Chrome"))
    assert here.post(f"/account/sessions/{other.pk}/end/").url == "/account/"
    assert (is_signed_in(here), is_signed_in(there)) == (True, False)
    assert Event.objects.filter(verb="sign_in.ended_elsewhere").count() == 1


def test_nobody_ends_the_session_of_somebody_else(clara):
    make.user("ruth")
    own, other = browser(), browser()
    sign_in(own, "clara"), sign_in(other, "ruth")
    foreign = UserSession.objects.get(user__username="ruth")
    assert own.post(f"/account/sessions/{foreign.pk}/end/").status_code == 404
    assert is_signed_in(other)


def test_a_session_whose_password_was_changed_elsewhere_is_gone_from_the_list(clara):
    here, there = browser(), browser(CHROME)
    sign_in(here, "clara"), sign_in(there, "clara")
    new = {"old_password": "clara-secret-1", "new_password1": "a-long-new-word", "new_password2": "a-long-new-word"}
    assert here.post("/account/password/", new).url == "/account/"
    assert [device for _row, device in here.get("/account/").context["sessions"]] == ["Firefox, Linux"]
    assert not is_signed_in(there)


@pytest.mark.parametrize("minutes", [0, 300])
def test_the_time_of_the_last_use_is_noted(clara, settings, monkeypatch, minutes):
    settings.IDLE_MINUTES = minutes
    client = browser()
    sign_in(client, "clara")
    row = UserSession.objects.get()
    for has_passed in (False, True):
        monkeypatch.setattr("readerstudy.identity.middleware.SEEN_EVERY", timedelta(hours=0 if has_passed else 2))
        let_rest(client, 60)
        client.get("/account/")
        row.refresh_from_db()
        assert (now() - row.last_seen_at < timedelta(minutes=1)) is has_passed


# --- signed out after a time ------------------------------------------------------------------------------------
@pytest.fixture
def half_an_hour(settings):
    settings.IDLE_MINUTES = 30


def test_staff_are_signed_out_after_half_an_hour_and_see_why(clara, half_an_hour):
    client = browser()
    sign_in(client, "clara")
    let_rest(client, 29)
    assert is_signed_in(client)
    let_rest(client, 31)
    answer = client.get("/desk/people/")
    assert answer.url == "/account/sign-in/?next=%2Fdesk%2Fpeople%2F"
    assert b"because nothing was done for 30 minutes" in client.get(answer.url).content
    assert Event.objects.get(verb="sign_in.timed_out").subject == f"accounts.user:{clara.pk}"
    assert sign_in(client, "clara", next="/desk/people/").url == "/desk/people/"


def test_readers_are_never_signed_out_by_resting(db, half_an_hour):
    make.user("ruth")
    client = browser()
    sign_in(client, "ruth")
    let_rest(client, 11 * 60)
    assert is_signed_in(client)


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(clara, half_an_hour):
    client = browser()
    sign_in(client, "clara")
    let_rest(client, 20)
    poll = {"X-Poll": "1", "HX-Request": "true", "HX-Current-URL": "http://testserver/lab/jobs/1/"}
    client.get("/desk/", headers=poll)
    assert now() - UserSession.objects.get().last_seen_at > timedelta(minutes=19)
    let_rest(client, 31)
    answer = client.get("/desk/", headers=poll)
    assert answer.headers["HX-Redirect"] == "/account/sign-in/?next=%2Flab%2Fjobs%2F1%2F"


def test_every_page_that_asks_by_itself_says_so():
    polls = [path.read_text() for path in Path("templates").rglob("*.html") if "every " in path.read_text()]
    parts = [tag for text in polls for tag in re.findall(r"<[^<]*hx-trigger=\"every[^<]*>", text)]
    assert len(parts) >= 3
    assert not [part for part in parts if "X-Poll" not in part]


def test_a_form_that_comes_too_late_waits_for_its_person(clara, half_an_hour):
    client = browser()
    sign_in(client, "clara")
    let_rest(client, 31)
    answer = client.post("/desk/studies/new/", {"title": "What I typed for half an hour"})
    after = sign_in(client, "clara", next="/account/go-on/")
    assert "go-on" in answer.url
    page = client.get(after.url)
    assert (page.context["address"], page.context["fields"]) == (
        "/desk/studies/new/",
        [("title", "What I typed for half an hour")],
    )


def test_the_api_answers_a_rested_session_with_401(clara, half_an_hour):
    client = browser()
    sign_in(client, "clara")
    let_rest(client, 31)
    answer = client.get("/api/v1/studies/")
    assert (answer.status_code, "nothing was done" in answer.json()["detail"]) == (401, True)


# --- the longest time of a session ------------------------------------------------------------------------------
@pytest.mark.parametrize("role", [Role.READER, Role.COORDINATOR])
def test_a_session_ends_twelve_hours_after_the_sign_in_whatever_is_stored_in_it(db, role, monkeypatch):
    make.user("ruth", role)
    client = browser()
    sign_in(client, "ruth")
    begun, hours = time.time(), 12 * 3600
    monkeypatch.setattr("readerstudy.identity.middleware.time.time", lambda: begun + hours - 60)
    session = client.session
    session["something"] = 1
    session.save()
    assert is_signed_in(client)
    monkeypatch.setattr("readerstudy.identity.middleware.time.time", lambda: begun + hours + 1)
    answer = client.get("/account/", follow=True)
    assert b"You were signed out because you signed in 12 hours ago." in answer.content
    assert not is_signed_in(client)
    assert Event.objects.filter(verb="sign_in.expired").count() == 1


def test_a_new_sign_in_begins_a_new_session_and_giving_the_password_again_does_not(clara, settings, monkeypatch):
    client = browser()
    sign_in(client, "clara")
    began = client.session["signed_in_at"]
    later = time.time() + 3600
    monkeypatch.setattr("readerstudy.identity.middleware.time.time", lambda: later)
    client.post("/account/again/", {"password": "clara-secret-1"})
    new = {"old_password": "clara-secret-1", "new_password1": "a-long-new-word", "new_password2": "a-long-new-word"}
    assert client.post("/account/password/", new).url == "/account/"
    assert client.session["signed_in_at"] == began
    client.post("/account/sign-out/")
    sign_in(client, "clara", "a-long-new-word")
    assert client.session["signed_in_at"] == int(later)


def test_all_other_browsers_are_ended_at_once(clara):
    here, others = browser(), [browser(CHROME), browser(CHROME)]
    for client in (here, *others):
        sign_in(client, "clara")
    assert here.post("/account/sessions/end-others/").url == "/account/"
    assert [is_signed_in(client) for client in (here, *others)] == [True, False, False]
    assert Event.objects.filter(verb="sign_in.ended_elsewhere").count() == 2
    assert b"Sign all other browsers out" not in here.get("/account/").content
