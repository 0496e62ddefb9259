"""One count and one log line for each request, by the name of its route: no address, no study, no person's name."""

import logging
import re
import time
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils.functional import empty

from readerstudy.audit.origin import client_address
from readerstudy.logs.context import logged_as
from readerstudy.logs.lines import facts
from readerstudy.logs.setup import REQUESTS
from readerstudy.operation import counters

GetResponse = Callable[[HttpRequest], HttpResponse]
HEADER: Final = "X-Request-ID"
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_READER: Final = "reader:"
_VERDICTS: Final = "reader:verdicts"
# Routes that people wait for while they read; each other one is counted with its section.
_OF_READER: Final = frozenset({"step", "verdicts", "image", "open", "answers", "display", "problems", "sessions"})
log = logging.getLogger(REQUESTS)


class RequestLog:
    """Give each request an id, time it, count it and log it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key, begin = request_id(request), time.perf_counter()
        with logged_as(request=key):
            response = self.get_response(request)
            seconds, route = time.perf_counter() - begin, route_of(request)
            counters.count_request(
                route=route, method=request.method or "", status=response.status_code, seconds=seconds
            )
            if route == _VERDICTS and response.status_code == 201:
                counters.readings.inc()
            if not request.path.startswith("/static/"):
                log.info("answered", extra=facts(**_facts(request, response, route, seconds)))
        # Every picture comes to a reader with the same header fields.
        if not route.startswith(_READER) or response.status_code >= 500:
            response[HEADER] = key
        return response


def _facts(request: HttpRequest, response: HttpResponse, route: str, seconds: float) -> dict[str, str | int | float]:
    values: dict[str, str | int | float] = {
        "route": route,
        "method": request.method or "",
        "status": response.status_code,
        "ms": round(1000 * seconds, 1),
    }
    if person := _person(request):
        values["user"] = person
    if settings.LOG_ADDRESSES:
        values["address"] = client_address(request) or ""
    return values


def _person(request: HttpRequest) -> int | None:
    """Return the number of the person, if the request was asked for them anyway: a log line costs no query."""
    user = request.__dict__.get("user")
    if getattr(user, "_wrapped", None) is empty:
        session = request.__dict__.get("session")
        key = session.get(SESSION_KEY) if session is not None and session.accessed else None
        return int(key) if key else None
    return getattr(user, "pk", None)


def request_id(request: HttpRequest) -> str:
    """Return the id that the proxy gave the request, if it is well formed, otherwise a new one."""
    given = request.headers.get(HEADER, "")
    return given if settings.BEHIND_PROXY and _WELL_FORMED.fullmatch(given) else uuid4().hex


def route_of(request: HttpRequest) -> str:
    """Return the name under which a request is counted: routes of the reader's API, else the section of the page."""
    if request.path.startswith("/static/"):
        return "static"
    match = request.resolver_match
    if match is None:
        return "unknown"
    if match.route.startswith("api/v1/reading/"):
        return f"reader:{match.url_name}" if match.url_name in _OF_READER else "reader:other"
    section = match.route.partition("/")[0]
    return section if section in counters.SECTIONS else "home"
