"""Sign-in links: each signs in one user once, for a limited time. Every step is recorded in the audit trail."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from readerstudy.accounts.models import LinkState, SignInLink, User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotAllowed

DAYS: Final = 14
LONGEST_DAYS: Final = 365
TOKEN_BYTES: Final = 32
SALT: Final = "readerstudy.accounts.sign_in_link"


class LinkRefused(NotAllowed):
    """The sign-in link cannot sign anybody in; the message says why."""


def link_expiry(*, at: datetime, days: int) -> datetime:
    """Return when a link that is valid for `days` expires. Raises BadInput if the number is out of range."""
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInput(_("A sign-in link is valid for 1 to %(days)d days.") % {"days": LONGEST_DAYS})
    return at + timedelta(days=days)


def require_active(user: User) -> None:
    """Raise NotAllowed if the account is deactivated."""
    if not user.is_active:
        raise NotAllowed(_("The account %(person)s is deactivated.") % {"person": user})


@transaction.atomic
def make_link(
    *, user: User, actor: User | None, at: datetime, days: int = DAYS, expires_at: datetime | None = None
) -> str:
    """Return the token of a new link, valid for `days` days or until `expires_at`. Unused older links are revoked.

    Raises NotAllowed if the account is deactivated, BadInput if `days` is out of range.
    """
    expires_at = expires_at or link_expiry(at=at, days=days)
    # Locks the user: of two requests at once, the later one revokes the link of the earlier one.
    user = User.objects.select_for_update().get(pk=user.pk)
    require_active(user)
    revoke_links(user=user, actor=actor, at=at)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = SignInLink.objects.create(
        user=user,
        token_hash=_hash(token),
        created_at=at,
        created_by=actor,
        expires_at=expires_at,
    )
    record("link.made", actor=actor, subject=user, at=at, link=link.pk, days=(expires_at - at).days)
    return token


@transaction.atomic
def revoke_links(*, user: User, actor: User | None, at: datetime) -> int:
    """Revoke the unused links of a user; return how many there were."""
    unused = SignInLink.objects.filter(user=user, used_at=None, revoked_at=None)
    revoked = 0
    for pk in unused.values_list("pk", flat=True):
        if SignInLink.objects.filter(pk=pk, used_at=None, revoked_at=None).update(revoked_at=at):
            record("link.revoked", actor=actor, subject=user, at=at, link=pk)
            revoked += 1
    return revoked


def find_link(token: str) -> SignInLink | None:
    """Return the link of this token in whatever state; None if there is none."""
    return SignInLink.objects.filter(token_hash=_hash(token)).select_related("user").first()


@transaction.atomic
def open_link(token: str, *, at: datetime) -> SignInLink:
    """Return the link for the page that asks to sign in, and record its first opening. Raises LinkRefused."""
    link = _usable(token, at=at)
    if SignInLink.objects.filter(pk=link.pk, opened_at=None).update(opened_at=at):
        record("link.opened", actor=None, subject=link.user, at=at, link=link.pk)
    return link


@transaction.atomic
def use_link(token: str, *, at: datetime) -> User:
    """Return the user whom the link signs in, and use it up. Of two requests at once, one gets LinkRefused."""
    link = _usable(token, at=at)
    # No join in this statement: PostgreSQL then checks the conditions again after waiting for another request.
    unused = SignInLink.objects.filter(pk=link.pk, used_at=None, revoked_at=None, expires_at__gt=at)
    if not unused.update(used_at=at):
        link.refresh_from_db()
        raise LinkRefused(_reason(link, at=at))
    record("link.used", actor=link.user, subject=link.user, at=at, link=link.pk)
    return link.user


def _usable(token: str, *, at: datetime) -> SignInLink:
    link = find_link(token)
    if link is None:
        raise LinkRefused(_("This sign-in link is unknown. Check that it was copied completely."))
    if reason := _reason(link, at=at):
        raise LinkRefused(reason)
    return link


def _reason(link: SignInLink, *, at: datetime) -> str:
    """Return why a link cannot be used; empty if it can."""
    if not link.user.is_active:
        return _("Your account is deactivated.")
    match link.state(at=at):
        case LinkState.USED:
            return _("This sign-in link has been used. Each link works once.")
        case LinkState.REVOKED:
            return _("This sign-in link was replaced or revoked.")
        case LinkState.EXPIRED:
            return _("This sign-in link has expired.")
        case LinkState.NEW | LinkState.OPENED:
            return ""


def _hash(token: str) -> str:
    """Return the keyed hash under which a token is stored, 64 hexadecimal digits."""
    return salted_hmac(SALT, token, algorithm="sha256").hexdigest()
