"""Second factors: who needs one, who has one, and taking lost ones away."""

from datetime import datetime
from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record

# Recovery codes replace a lost factor once; alone they are none.
FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def needs_factor(user: User) -> bool:
    """Return whether the person must not work without a second factor: coordinators and researchers in service."""
    return settings.SECOND_FACTOR and not user.is_reader


def has_factor(user: User, *, without: int | None = None) -> bool:
    """Return whether the person has set up a second factor, that of the key `without` left aside."""
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exclude(pk=without).exists())


@transaction.atomic
def reset_factors(*, person: User, actor: User | None, at: datetime) -> int:
    """Remove all second factors of a person who lost them, and end their sessions; return how many there were."""
    removed: dict[str, Any] = Authenticator.objects.filter(user=person).delete()[1]
    for session in UserSession.objects.filter(user=person):
        session.end()
    record("second_factor.reset", actor=actor, subject=person, at=at)
    return sum(removed.values())
