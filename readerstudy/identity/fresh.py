"""How long ago somebody signed in, for acts that need it to be a short time ago."""

import time
from typing import Final

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

from readerstudy.accounts.models import User

OWN_ACCOUNT: Final = 15 * 60  # seconds, for changes of one's own second factor


def is_fresh(request: HttpRequest, *, seconds: int) -> bool:
    """Return whether the person signed in, or gave the password or second factor again, within this time."""
    user = request.user
    records = get_authentication_records(request, user) if isinstance(user, User) else []
    return any(time.time() - record["at"] < seconds for record in records)


def can_confirm(request: HttpRequest) -> bool:
    """Return whether the person has a password or second factor that the application can ask for."""
    return bool(get_adapter().get_reauthentication_methods(request.user))


def is_by_sso(request: HttpRequest) -> bool:
    """Return whether the person signed in at another server."""
    user = request.user
    records = get_authentication_records(request, user) if isinstance(user, User) else []
    return bool(records) and records[0]["method"] == "socialaccount"
