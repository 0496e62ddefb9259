"""Refused requests in the audit trail: one event for a person, a page and a quarter of an hour.

The event names the page and not the address, which may hold the code of a study that others must not know of. The log
of the process has a line for each request.
"""

from collections.abc import Callable
from typing import Final

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.origin import client_address

PERIOD: Final = 15 * 60  # seconds
MOST_BY_VISITORS: Final = 100  # events in a period, so that many addresses do not fill the trail
REFUSALS: Final = (401, 403)
NOT_FOUND: Final = 404  # the answer to somebody who asks for a study of others
RECORDED: Final = "is_recorded_elsewhere"  # attribute of an answer


def no_refusal(response: HttpResponse) -> HttpResponse:
    """Mark an answer that refuses no right, or has an event of its own."""
    setattr(response, RECORDED, True)
    return response


class RefusedRequests:
    """Record answers that refuse a right. Forms of a fresh sign-in and unknown addresses are none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if _is_refusal(request, response):
            _record(request, response.status_code)
        return response


def _is_refusal(request: HttpRequest, response: HttpResponse) -> bool:
    if hasattr(response, RECORDED):
        return False
    if response.status_code in REFUSALS:
        return True
    match = request.resolver_match
    of_a_study = match is not None and ("code" in match.kwargs or "study" in match.kwargs)
    return response.status_code == NOT_FOUND and of_a_study and isinstance(request.user, User)


def _record(request: HttpRequest, status: int) -> None:
    person = request.user if isinstance(request.user, User) else None
    page = request.resolver_match.view_name if request.resolver_match else ""
    who = f"person {person.pk}" if person else f"address {client_address(request)}"
    if not _is_first(f"{who} {page}") or (person is None and not _is_first("visitors", most=MOST_BY_VISITORS)):
        return
    values = {"page": page or "?", "method": request.method, "status": status}
    if person:
        record("access.refused", actor=person, subject=person, at=now(), **values)
    else:
        record("access.refused_to_visitor", actor=None, subject="", at=now(), **values)


def _is_first(what: str, *, most: int = 1) -> bool:
    """Count `what`; return whether it is among the first `most` of this period."""
    digest = salted_hmac("readerstudy.identity.refused", what, algorithm="sha256").hexdigest()
    key = f"refused-{digest}-{int(now().timestamp()) // PERIOD}"
    cache.add(key, 0, timeout=PERIOD)
    try:
        return cache.incr(key) <= most
    except ValueError:  # it ended between the two statements
        return True
