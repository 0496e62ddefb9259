"""Events of allauth in the audit trail: second factors added, removed and refused, and signing in again."""

from datetime import timedelta
from typing import Any, Final

from allauth.account.signals import authentication_step_completed
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import validate_totp_code
from allauth.mfa.utils import decrypt
from django.http import HttpRequest
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.models import Event

# As `ACCOUNT_RATE_LIMITS` says of wrong codes.
MOST_CODES: Final = 10
PERIOD: Final = timedelta(minutes=15)


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


def _failed(user: User, authenticator: Authenticator, request: HttpRequest, **values: Any) -> None:
    """Record a wrong code or passkey, the first that reaches the limit, and a right code that was used before."""
    at = now()
    record("second_factor.failed", actor=None, subject=user, at=at, factor=authenticator.type)
    about = Event.objects.filter(subject=f"{user._meta.label_lower}:{user.pk}", at__gt=at - PERIOD)
    failed, blocked = (about.filter(verb=f"second_factor.{verb}") for verb in ("failed", "blocked"))
    if failed.count() >= MOST_CODES and not blocked.exists():
        record("second_factor.blocked", actor=None, subject=user, at=at)
    if authenticator.type == Authenticator.Type.TOTP and _is_right(authenticator, request.POST.get("code", "")):
        record("second_factor.repeated", actor=None, subject=user, at=at)


def _is_right(app: Authenticator, code: str) -> bool:
    """Return whether the app shows this code now. A right code is refused only if it was used before."""
    return bool(validate_totp_code(decrypt(app.data["secret"]), code))


def _confirmed(user: User, method: str, reauthenticated: bool = False, **values: Any) -> None:
    if reauthenticated:
        record("sign_in.confirmed", actor=user, subject=user, at=now(), method=method)
