"""Events of allauth in the audit trail: second factors added, removed and refused, and signing in again."""

from typing import Any

from allauth.account.signals import authentication_step_completed
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record


def connect() -> None:
    """Have the receivers called; once, when the application starts."""
    signals.authenticator_added.connect(_added)
    signals.authenticator_removed.connect(_removed)
    signals.authenticator_reset.connect(_renewed)
    signals.authentication_failed.connect(_failed)
    authentication_step_completed.connect(_confirmed)


def _added(user: User, authenticator: Authenticator, **values: Any) -> None:
    record("second_factor.added", actor=user, subject=user, at=now(), factor=authenticator.type)


def _removed(user: User, authenticator: Authenticator, **values: Any) -> None:
    record("second_factor.removed", actor=user, subject=user, at=now(), factor=authenticator.type)


def _renewed(user: User, authenticator: Authenticator, **values: Any) -> None:
    record("second_factor.renewed", actor=user, subject=user, at=now(), factor=authenticator.type)


def _failed(user: User, authenticator: Authenticator, **values: Any) -> None:
    record("second_factor.failed", actor=None, subject=user, at=now(), factor=authenticator.type)


def _confirmed(user: User, method: str, reauthenticated: bool = False, **values: Any) -> None:
    if reauthenticated:
        record("sign_in.confirmed", actor=user, subject=user, at=now(), method=method)
