"""A real Chromium against the real server, with the strict content security policy on."""

import os
from collections.abc import Callable

import pytest
from django.test import Client

from tests.browser.room import Room

# Playwright's loop runs in the thread that uses the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    if not os.path.exists(CHROMIUM):
        pytest.skip(f"Browser tests need Debian's chromium at {CHROMIUM}.")
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": QUIET}


@pytest.fixture
def sign_in(live_server) -> Callable:
    """Give a browser context the cookie of a signed-in person."""

    def sign_in(context, person) -> None:
        client = Client()
        client.force_login(person)
        cookie = client.cookies["sessionid"]
        context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])

    return sign_in


@pytest.fixture
def room(page, context, live_server, transactional_db, study, rita, sign_in):
    """Rita's reading room, signed in; whatever the page's scripts trip over fails the test."""
    sign_in(context, rita)
    room = Room(page, live_server.url, study.code)
    yield room
    assert room.mishaps == []
