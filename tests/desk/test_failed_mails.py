"""Mails that fail, with real commits. Apart from the module of the shared study, whose transaction stays open."""

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.accounts.models import Role
from tests import make

FIVE = "\n".join(f"{name}@example.org" for name in ("anna", "bert", "cleo", "dora", "emil"))


@pytest.mark.django_db(transaction=True)
def test_the_message_says_how_many_mails_failed(small, settings):
    """With a real commit, since the mails are sent after it and within the request."""
    settings.SENDS_MAIL, settings.EMAIL_BACKEND = True, "tests.invitations.failing_mail.Unreachable"
    study, client = make.study(), Client()
    client.force_login(make.user("clara", Role.COORDINATOR))
    page = client.post(
        reverse("desk:people-invite", args=[study.code]), {"text": FIVE, "language": "en", "days": "14"}, follow=True
    ).content.decode()
    assert "5 readers were invited. 5 mails were not sent." in page
