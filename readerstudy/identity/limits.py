"""A limit on the requests of one person, token or address, for every page and every call of the API.

Each web process counts for itself, in memory: a reader's pictures wait for no other server. The limit is far above
what a person does, several readings a second included. Wrong passwords have limits of their own, see `accounts`.
"""

import time
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from readerstudy.audit.origin import client_address

NO_LIMIT: Final = "readerstudy.no_limit"  # in the WSGI environment, which no client can write
PERIOD: Final = 60  # seconds
SHARE: Final = 2  # an address of visitors may send this part of a person's limit; a hospital may have one for everybody


class RequestLimit:
    """Answer with 429 above the limit, until the minute ends. Static files are served before this."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._lock = Lock()
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = settings.REQUESTS_PER_MINUTE
        if not limit or NO_LIMIT in request.META:
            return self.get_response(request)
        sender, visitor = sender_of(request), f"address {client_address(request)}"
        is_over = self._count(sender) > limit if sender else self._count(visitor) > limit // SHARE
        # Wrong tokens count for the address: they may be others each time.
        if is_over or (sender.startswith("token") and self._count(visitor, 0) > limit // SHARE):
            return _too_many(request)
        response = self.get_response(request)
        if response.status_code == 401 and sender.startswith("token"):
            self._count(visitor)
        return response

    def _count(self, sender: str, more: int = 1) -> int:
        """Return the requests of this minute, with `more` of them."""
        minute = int(time.time() // PERIOD)
        with self._lock:
            if minute != self._minute:
                self._minute, self._counts = minute, Counter()
            self._counts[sender] += more
            return self._counts[sender]


def sender_of(request: HttpRequest) -> str:
    """Return who sends a request: the token that it carries, else the person of the session; empty for visitors."""
    token = request.headers.get("Authorization")
    if token:
        # Kept for a minute, as a keyed hash.
        return f"token {salted_hmac('readerstudy.identity.limits', token, algorithm='sha256').hexdigest()}"
    person = request.session.get(SESSION_KEY)
    return f"person {person}" if person else ""


def _too_many(request: HttpRequest) -> HttpResponse:
    sentence = _("Too many requests. Try again in a minute.")
    if request.path.startswith("/api/"):
        response: HttpResponse = JsonResponse({"detail": sentence}, status=429)
    else:
        response = render(request, "error.html", {"sentence": sentence}, status=429)
    response.headers["Retry-After"] = str(PERIOD - int(time.time()) % PERIOD)
    return response
