"""Every address of the lab is for researchers; others sign in or get status 403."""

import pytest
from django.urls import reverse

from readerstudy.lab.urls import urlpatterns
from tests import make

VALUES = {
    "code": "tiny",
    "number": 1,
    "kind": "train-gan",
    "name": "cad",
    "picture": "curves.png",
    "key": "roc",
    "panel": "real",
}
ADDRESSES = [
    reverse(f"lab:{pattern.name}", kwargs={name: VALUES[name] for name in pattern.pattern.converters})
    for pattern in urlpatterns
]
POSTS = ("cancel", "retry", "exclude")


def fetch(client, address: str):
    return client.post(address) if address.rstrip("/").endswith(POSTS) else client.get(address)


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_lab_is_closed_to_everyone_but_researchers(address, client, clara):
    response = fetch(client, address)
    assert (response.status_code, response.url.partition("?")[0]) == (302, reverse("accounts:sign_in"))
    for person in (clara, make.user("ronja")):
        client.force_login(person)
        assert fetch(client, address).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("address", [address for address in ADDRESSES if address.rstrip("/").endswith(POSTS)])
def test_changes_need_a_post_request(address, client, rosa):
    client.force_login(rosa)
    assert client.get(address).status_code == 405


@pytest.mark.django_db
def test_only_researchers_see_a_link_to_the_lab(client, rosa, clara):
    client.force_login(rosa)
    assert reverse("lab:jobs") in client.get("/", follow=True).content.decode()
    client.force_login(clara)
    assert reverse("lab:jobs") not in client.get("/", follow=True).content.decode()
