"""One drawn study for a module, and mails that go to Django's outbox."""

import pytest
from django.test import Client

from readerstudy.accounts.models import Role
from readerstudy.invitations.letters import Terms
from tests import make
from tests.api.conftest import drawn, quick_passwords, study

__all__ = ["drawn", "quick_passwords", "study"]

TERMS = Terms(base_url="https://study.example.org/", language="en")


@pytest.fixture
def clara(db):
    return make.user("clara", Role.COORDINATOR, first_name="Clara", last_name="Coe", email="clara@example.org")


@pytest.fixture
def by_mail(settings):
    settings.SENDS_MAIL = True


@pytest.fixture
def signed_in():
    def sign_in(person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return sign_in
