"""Changes of accounts in the audit trail: which fields, never their values."""

from collections.abc import Collection
from datetime import datetime

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record


def record_new_account(*, person: User, actor: User | None, at: datetime) -> None:
    """Record that an account was made."""
    record("account.made", actor=actor, subject=person, at=at, role=person.role)


def record_account_change(*, person: User, changed: Collection[str], actor: User, at: datetime) -> None:
    """Record that these fields of an account were changed."""
    if changed:
        record("account.changed", actor=actor, subject=person, at=at, changed=sorted(changed))
