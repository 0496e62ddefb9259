"""The study of the module, and browsers' clients signed in to the administration."""

import pytest
from django.test import Client

from tests.api.conftest import drawn, quick_passwords, study

__all__ = ["drawn", "quick_passwords", "study"]


@pytest.fixture
def signed_in():
    def sign_in(person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return sign_in
