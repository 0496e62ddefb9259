"""Signing in by a link and signing out. Passwords, second factors and passkeys: `identity`."""

from datetime import datetime

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from readerstudy.accounts.models import SignInLink, User
from readerstudy.audit.actions import record


def sign_in_by(link: SignInLink, request: HttpRequest, *, at: datetime) -> HttpResponse:
    """Begin to sign the user of the link in; return the way to the start page, or to the second factor."""
    if isinstance(request.user, User):
        sign_out(request, at=at)
    record_authentication(request, link.user, "link", link=link.pk)
    response: HttpResponse = perform_login(request, link.user)
    return response


def sign_out(request: HttpRequest, *, at: datetime, verb: str = "sign_in.ended") -> None:
    """Sign the user out and record it; `verb`: why."""
    if isinstance(request.user, User):
        record(verb, actor=request.user, subject=request.user, at=at)
    logout(request)
