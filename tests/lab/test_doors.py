"""The lab is for researchers: strangers sign in first, readers and coordinators get a sentence, at every door."""

import pytest
from django.urls import reverse

from readerstudy.lab.urls import urlpatterns
from tests import make

VALUES = {"number": 1, "kind": "train-gan", "name": "cad", "picture": "curves.png", "key": "roc", "panel": "real"}
DOORS = [
    reverse(f"lab:{door.name}", kwargs={name: VALUES[name] for name in door.pattern.converters}) for door in urlpatterns
]
POSTS = ("cancel", "retry", "exclude")


def knock(client, door: str):
    return client.post(door) if door.rstrip("/").endswith(POSTS) else client.get(door)


@pytest.mark.django_db
@pytest.mark.parametrize("door", DOORS)
def test_a_coordinator_and_a_reader_are_refused_and_a_stranger_is_sent_to_sign_in(door, client, clara):
    answer = knock(client, door)
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, reverse("accounts:sign_in"))
    for person in (clara, make.user("ronja")):
        client.force_login(person)
        assert knock(client, door).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("door", [door for door in DOORS if door.rstrip("/").endswith(POSTS)])
def test_what_changes_something_is_done_by_post_only(door, client, rosa):
    client.force_login(rosa)
    assert client.get(door).status_code == 405


@pytest.mark.django_db
def test_the_start_page_shows_the_lab_to_researchers_only(client, rosa, clara):
    client.force_login(rosa)
    assert reverse("lab:jobs") in client.get("/").content.decode()
    client.force_login(clara)
    assert reverse("lab:jobs") not in client.get("/").content.decode()
