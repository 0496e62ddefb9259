"""A reader's own keys: stored for the reader alone, replaced as a whole, checked before they are stored."""

import pytest

from readerstudy.accounts.models import Role
from tests import make, walk

URL = "/api/v1/reading/keys/picture/"


@pytest.fixture
def rita(db):
    return make.user("rita", Role.READER)


def stored(person) -> dict:
    person.refresh_from_db()
    return person.reading_keys


def test_keys_belong_to_their_reader_and_are_replaced(rita):
    paul = make.user("paul", Role.READER)
    client = walk.client_of(rita)
    assert client.put(URL, {"keys": {"invert": ["k"]}}, format="json").json() == {"keys": {"invert": ["k"]}}
    assert client.put(URL, {"keys": {"fit": ["Shift+ArrowUp"]}}, format="json").status_code == 200
    assert stored(rita) == {"picture": {"fit": ["Shift+ArrowUp"]}}
    assert stored(paul) == {}
    assert client.put(URL, {"keys": {}}, format="json").status_code == 200
    assert stored(rita) == {}


@pytest.mark.parametrize(
    "keys",
    [
        {"in vert": ["k"]},
        {"": ["k"]},
        {"invert": []},
        {"invert": ["k", "n"]},
        {"invert": "k"},
        {"invert": ["k" * 33]},
        {"invert": [""]},
        {f"c{'x' * number}": ["k"] for number in range(65)},
        ["invert"],
        None,
    ],
)
def test_what_cannot_be_keys_is_refused_and_changes_nothing(rita, keys):
    client = walk.client_of(rita)
    client.put(URL, {"keys": {"invert": ["k"]}}, format="json")
    assert client.put(URL, {"keys": keys}, format="json").status_code == 400
    assert stored(rita) == {"picture": {"invert": ["k"]}}


def test_an_unknown_form_is_not_found(rita):
    answer = walk.client_of(rita).put("/api/v1/reading/keys/hologram/", {"keys": {}}, format="json")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such form of images.")


def test_nobody_but_readers_has_keys(db):
    clara = walk.client_of(make.user("clara", Role.COORDINATOR))
    assert clara.put(URL, {"keys": {}}, format="json").status_code == 403
