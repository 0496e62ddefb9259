"""Where the work in hand comes from: the address and the sign-in of the request that this thread is answering."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from readerstudy.accounts.models import User
from readerstudy.provenance import source_hash

SIGN_IN: Final = "sign_in"  # key of the session: the event of the sign-in
TOKEN: Final = "api_token"  # attribute of the request: the key of the API token that signed it in
VERSION_LENGTH: Final = 12

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


@dataclass(frozen=True)
class Origin:
    """Where an event comes from. `sign_in`: key of the event of the sign-in; `token`: key of the API token."""

    address: str | None = None
    sign_in: int | None = None
    token: int | None = None


def current_origin() -> Origin:
    """Return where the work in hand comes from; an empty origin for commands and jobs."""
    request = _request.get()
    if request is None:
        return Origin()
    token = getattr(request, TOKEN, None)
    session = None if token else getattr(request, "session", None)
    return Origin(
        address=client_address(request), sign_in=session.get(SIGN_IN) if session is not None else None, token=token
    )


def current_person() -> User | None:
    """Return who is signed in to the request that is being answered; None for commands, jobs and visitors."""
    user = getattr(_request.get(), "user", None)
    return user if isinstance(user, User) else None


def client_address(request: HttpRequest) -> str | None:
    """Return the IP address of the client, None if unknown.

    Behind a proxy it is the last one in `X-Forwarded-For`, which the proxy itself wrote; clients can send any others.
    """
    written = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        written = request.META.get("HTTP_X_FORWARDED_FOR", written).rpartition(",")[2].strip()
    try:
        return str(ip_address(written))
    except ValueError:
        return None


@cache
def software_version() -> str:
    """Return the start of the SHA-256 of the running source code."""
    return source_hash("readerstudy")[:VERSION_LENGTH]


class RequestOrigin:
    """Middleware: let `record` know the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)
