"""kill -9 of the server and of the browser while a verdict is on its way: it counts, once."""

import socket

import pytest

from tests import walk
from tests.browser.conftest import CHROMIUM
from tests.browser.room import Room
from tests.browser.served import Browser, Gunicorn


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        return taken.getsockname()[1]


@pytest.fixture
def gunicorn(study, tmp_path):
    folder = tmp_path / "var"
    folder.mkdir()
    gunicorn = Gunicorn(free_port(), folder)
    gunicorn.start()
    yield gunicorn
    gunicorn.kill()


@pytest.fixture
def chromium(browser_type_launch_args, tmp_path):
    chromium = Browser(CHROMIUM, browser_type_launch_args["args"], tmp_path / "profile")
    yield chromium
    chromium.kill()


@pytest.fixture
def room(page, gunicorn, study, rita, sign_in):
    """Rita's room under gunicorn; the cookie of one server is good for the other."""
    sign_in(page.context, rita)
    room = Room(page, gunicorn.url, study.code, rita)
    begin_reading(room)
    yield room
    assert room.mishaps == []


def begin_reading(room: Room) -> None:
    walk.finish_session(walk.client_of(room.reader), room.study, 1)
    room.enter(2)


def test_a_killed_server_gets_the_verdict_when_it_is_back(room, page, gunicorn):
    gunicorn.kill()
    room.press("2")
    room.in_state("offline")
    room.says("Waiting for the network")
    assert room.readings(2) == []
    gunicorn.start()
    room.stands_at(2)
    assert room.verdicts(2) == ["not_real"]
    room.press("3")
    room.stands_at(3)
    assert room.verdicts(2) == ["not_real", "unsure"]


def test_a_server_killed_after_it_stored_the_verdict_counts_it_once(room, page, gunicorn):
    tries = []

    def store_and_die(route):
        tries.append(route)
        if len(tries) > 1:
            return route.continue_()
        route.fetch()
        gunicorn.kill()
        return route.abort()

    page.route("**/verdicts/", store_and_die)
    room.press("1")
    room.in_state("offline")
    gunicorn.start()
    room.stands_at(2)
    assert len(tries) > 1
    assert room.verdicts(2) == ["real"]


def test_a_killed_browser_delivers_the_verdict_when_it_is_back(playwright, chromium, server, study, rita, sign_in):
    """Killed as soon as the page says that it waits; the reader starts it again and signs in again."""
    page = opened(playwright, chromium)
    room = Room(page, server.url, study.code, rita)
    sign_in(page.context, rita)
    begin_reading(room)
    page.context.set_offline(True)
    room.press("2")
    room.in_state("offline")
    chromium.kill()
    assert room.readings(2) == []
    page = opened(playwright, chromium)
    page.context.clear_cookies()
    room = Room(page, server.url, study.code, rita)
    page.goto(room.address(2))
    room.sign_in()
    room.stands_at(2)
    assert room.verdicts(2) == ["not_real"]
    page.reload()
    room.stands_at(2)
    assert room.verdicts(2) == ["not_real"]


def opened(playwright, chromium: Browser):
    browser = playwright.chromium.connect_over_cdp(chromium.start(), timeout=120_000)
    return browser.contexts[0].pages[0]
