"""What follows a transaction does not undo it."""

import pytest
from django.db import transaction

from readerstudy.accounts.models import Role, User
from readerstudy.after_commit import after_commit
from tests import make


def fail(reason: str) -> None:
    raise OSError(reason)


@pytest.mark.django_db(transaction=True)
def test_a_failure_after_the_commit_is_logged_and_changes_nothing(caplog):
    with transaction.atomic():
        make.user("rita", Role.READER)
        after_commit(fail, "no room")
    assert User.objects.filter(username="rita").exists()
    assert ("fail" in caplog.text, "no room" in caplog.text) == (True, True)


@pytest.mark.django_db(transaction=True)
def test_nothing_follows_a_transaction_that_is_undone(caplog):
    def give_up() -> None:
        with transaction.atomic():
            after_commit(fail, "no room")
            raise KeyError

    with pytest.raises(KeyError):
        give_up()
    assert "no room" not in caplog.text
