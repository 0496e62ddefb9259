"""A real Chromium against the real server, with the strict content security policy on.

One study serves all tests of this folder, and each test has readers of its own: drawing a study for every test
would take longer than the tests.
"""

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from readerstudy.accounts.models import Role
from tests import make, walk
from tests.browser.room import PATIENCE, Room

# Playwright's loop runs in the thread that uses the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

WATCH_LETTERS = Path(__file__).with_name("watch_letters.js")
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


expect.set_options(timeout=PATIENCE)


@pytest.fixture
def context(context):
    """pytest-playwright's browser context, with time enough for a busy machine."""
    context.set_default_timeout(PATIENCE)
    return context


@pytest.fixture(autouse=True)
def media():
    """The pictures stay where the shared study has them; see `study`."""


@pytest.fixture(scope="package")
def transactional_db(django_db_setup, django_db_blocker):
    """The test database, shared by the tests of this folder and emptied after the last.

    Under pytest-django's own name for it: by that name it knows that these tests need a database.
    """
    database = connection.settings_dict
    assert database["NAME"] == database["TEST"]["NAME"], "This would empty a database that is in use."
    with django_db_blocker.unblock():
        yield
        call_command("flush", interactive=False, verbosity=0)
        # While Playwright's loop runs, Django keeps a second connection, which nobody else would close.
        connection.close()


@pytest.fixture(scope="package")
def study(transactional_db, tmp_path_factory):
    """A drawn study of 3, 3, 14, 3 and 14 small images."""
    changed = override_settings(
        MEDIA_ROOT=tmp_path_factory.mktemp("media"),
        ALLOWED_HOSTS=["localhost", "testserver"],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    )
    with changed, pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda handle: None)
        make.small_resolutions(patch)
        # The display check and the breaks have tests of their own.
        rules = {"display_check": "off", "break_every": 0, "names_direction": True}
        yield make.study(changes={"every": rules})


WITH_EVERYTHING = {
    "every": {"display_check": "off"},
    "session": {
        "1": {"rest_hours": 1},
        "2": {
            "display_check": "required",
            "practice": True,
            "questions": ["confidence", "diagnosis", "mark"],
            "break_every": 2,
            "idle_s": 5,
        },
        "3": {"display_check": "advised", "frame_ms": 600},
    },
}


@pytest.fixture(scope="package")
def rich_study(study):
    """The same images in a plan that asks for everything in session 2."""
    return make.study("rich", changes=WITH_EVERYTHING)


GRACE = 2000
KIND = {"display_check": "off", "break_every": 0, "break_minutes": 5, "grace_ms": GRACE}


@pytest.fixture(scope="package")
def kind_study(study):
    """The same images in a plan that lets readers take an answer back and offers breaks by time."""
    return make.study("kind", changes={"every": KIND, "session": {"3": {"questions": ["confidence"]}}})


@pytest.fixture(scope="package")
def server(study):
    """The application on a port of this machine."""
    server = LiveServer("localhost")
    yield server
    server.stop()


@pytest.fixture(scope="package")
def people():
    """Numbers, for no two tests may share a person."""
    return count(1)


@pytest.fixture
def rita(study, people):
    """A reader who has read nothing yet."""
    return make.reader_in(study, f"rita-{next(people)}")


@pytest.fixture
def clara(study, people):
    return make.user(f"clara-{next(people)}", Role.COORDINATOR)


@pytest.fixture
def sign_in(server) -> Callable:
    """Give a browser context the cookie of a signed-in person."""

    def sign_in(context, person) -> None:
        client = Client()
        client.force_login(person)
        cookie = client.cookies["sessionid"]
        context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": server.url}])

    return sign_in


@pytest.fixture
def room(page, context, server, study, rita, sign_in):
    """Rita's reading room, signed in; whatever the page's scripts trip over fails the test."""
    sign_in(context, rita)
    room = Room(page, server.url, study.code, rita)
    yield room
    assert room.mishaps == []


@pytest.fixture
def rich(page, context, server, rich_study, people, sign_in):
    """Rosa's reading room in the study with everything; session 1 is behind her."""
    rosa = make.reader_in(rich_study, f"rosa-{next(people)}")
    walk.finish_session(walk.client_of(rosa), rich_study.code, 1)
    sign_in(context, rosa)
    page.add_init_script(path=WATCH_LETTERS)
    room = Room(page, server.url, rich_study.code, rosa)
    yield room
    assert room.mishaps == []
