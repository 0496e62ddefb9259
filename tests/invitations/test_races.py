"""Two coordinators at once, with real commits, apart from the shared study, whose transaction stays open."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail as outbox
from django.db import connections

from readerstudy.accounts.models import Role, User
from readerstudy.invitations.actions import invite_readers
from readerstudy.invitations.invitees import parse_invitees
from tests import make
from tests.invitations.conftest import TERMS
from tests.make import MONDAY

LIST = "Ruth Ott <ruth@example.org>\nPaul Pott; paul@example.org\npia@example.org"


@pytest.mark.django_db(transaction=True)
def test_two_coordinators_with_one_list_make_each_account_once(small, settings):
    settings.SENDS_MAIL = True
    study, clara = make.study(), make.user("clara", Role.COORDINATOR)
    invitees = parse_invitees(LIST).invitees

    def invite(number: int) -> int:
        try:
            result = invite_readers(study=study, invitees=invitees, actor=clara, at=MONDAY, terms=TERMS)
            return len(result.letters)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as coordinators:
        assert sorted(coordinators.map(invite, range(4))) == [0, 0, 0, 3]
    assert User.objects.filter(role=Role.READER).count() == len(outbox.outbox) == 3
