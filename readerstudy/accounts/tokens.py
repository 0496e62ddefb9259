"""API tokens: made, found and revoked. Every step but their use is recorded in the audit trail."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from readerstudy.accounts.models import ApiToken, Scope, User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotAllowed

DAYS: Final = 90
LONGEST_DAYS: Final = 365
TOKEN_BYTES: Final = 32
# A token is marked as used at most once in this time, so that programs do not write with each request.
USE_NOTED_EVERY: Final = timedelta(minutes=1)


def scopes_of(user: User) -> list[Scope]:
    """Return the scopes that the user's tokens may have."""
    return [Scope.READING] if user.is_reader else [Scope.READ, Scope.STUDIES, Scope.JOBS]


@transaction.atomic
def make_token(
    *, user: User, name: str, at: datetime, days: int = DAYS, scopes: Collection[str] | None = None
) -> tuple[ApiToken, str]:
    """Return a new token of the user's own as a row, and its text, which nobody can see again.

    Without `scopes` it has all that the user may give. Raises BadInput for an empty or long name, days out of range,
    or scopes that are unknown or not the user's.
    """
    name, allowed = " ".join(name.split()), scopes_of(user)
    chosen = allowed if scopes is None else [scope for scope in allowed if scope in scopes]
    if not name or len(name) > 64 or "\0" in name:
        raise BadInput(_("Give the token a name of at most 64 characters."))
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInput(_("An API token is valid for 1 to %(days)d days.") % {"days": LONGEST_DAYS})
    if not chosen or (scopes is not None and len(chosen) != len(set(scopes))):
        raise BadInput(_("Choose one or more scopes of: %(scopes)s.") % {"scopes": ", ".join(allowed)})
    text = secrets.token_urlsafe(TOKEN_BYTES)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=text[:8],
        token_hash=_hash(text),
        scopes=chosen,
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    record("token.made", actor=user, subject=user, at=at, token=token.pk, name=name, days=days, scopes=chosen)
    return token, text


@transaction.atomic
def revoke_token(*, token: ApiToken, actor: User, at: datetime) -> None:
    """Revoke one's own token. Does nothing if it was revoked before; raises NotAllowed for others' tokens."""
    if token.user_id != actor.pk:
        raise NotAllowed(_("This token belongs to somebody else."))
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at):
        record("token.revoked", actor=actor, subject=token.user, at=at, token=token.pk, name=token.name)


def use_token(text: str, *, at: datetime) -> ApiToken | None:
    """Return the usable token of this text with its active user, and note its use; None if there is none."""
    token = ApiToken.objects.filter(token_hash=_hash(text)).select_related("user").first()
    if token is None or not token.is_usable(at=at) or not token.user.is_active:
        return None
    not_noted = Q(last_used_at=None) | Q(last_used_at__lt=at - USE_NOTED_EVERY)
    if token.last_used_at is None or token.last_used_at < at - USE_NOTED_EVERY:
        ApiToken.objects.filter(not_noted, pk=token.pk).update(last_used_at=at)
    return token


def _hash(text: str) -> str:
    """Return the hash under which a token is stored. Its 256 random bits need neither salt nor a slow hash."""
    return sha256(text.encode()).hexdigest()
