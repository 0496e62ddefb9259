"""Sign-ins of browsers in the audit trail: which events of a session were done under which of them."""

from datetime import datetime

from django.contrib.auth import login
from django.http import HttpRequest

from readerstudy.accounts.models import SignInLink, User
from readerstudy.audit.actions import record
from readerstudy.audit.origin import SIGN_IN

BACKEND = "django.contrib.auth.backends.ModelBackend"


def sign_in(request: HttpRequest, user: User, *, at: datetime, link: SignInLink | None = None) -> None:
    """Sign the user in, by the link or by a password, and record it. Events of the new session name this event."""
    login(request, user, backend=BACKEND)
    request.session.pop(SIGN_IN, None)  # of an earlier sign-in of the same user
    if link is None:
        event = record("sign_in.by_password", actor=user, subject=user, at=at)
    else:
        event = record("sign_in.by_link", actor=user, subject=user, at=at, link=link.pk)
    request.session[SIGN_IN] = event.pk
