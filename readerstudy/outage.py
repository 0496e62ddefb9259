"""Telling a database that is away from one that refused a statement; the answer to a request meanwhile."""

import sys
from typing import Final

import psycopg2
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.defaults import server_error as default_server_error

RETRY_AFTER_S: Final = 5
# SQLSTATE classes and codes with which a server ends or refuses a connection: connection exceptions, too many
# connections, shutdown by an administrator, a crash, and a start that is not over.
_LACKING: Final = "53"  # the class of insufficient resources: disk, memory, connections
_AWAY: Final = ("08", "53300", "57P01", "57P02", "57P03")


def is_outage(error: BaseException | None) -> bool:
    """Return whether a database error means that the connection is gone or was refused."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    cause = error.__cause__
    if isinstance(cause, psycopg2.InterfaceError):
        return "connection" in str(cause)
    if not isinstance(cause, psycopg2.OperationalError):
        return False
    # The client library gives no code where it got no answer.
    return cause.pgcode is None or cause.pgcode.startswith(_AWAY)


def is_unavailable(error: BaseException | None) -> bool:
    """Return whether a request may succeed when it is sent again: the database is away, or its disk is full."""
    cause = error.__cause__ if isinstance(error, OperationalError) else None
    lacks_room = isinstance(cause, psycopg2.OperationalError) and str(cause.pgcode).startswith(_LACKING)
    return lacks_room or is_outage(error)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an error that nothing else has answered: 503 if the database cannot work now, otherwise 500."""
    error = sys.exc_info()[1]
    return unavailable(request) if is_unavailable(error) else default_server_error(request)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Say that the database does not answer and when to ask again. The reading page keeps its verdict meanwhile."""
    if request.path.startswith("/api/"):
        response: HttpResponse = JsonResponse({"detail": away_text()}, status=503)
    else:
        response = render(request, "503.html", status=503, context=None)
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response


def away_text() -> str:
    """Return the sentence for people whose request could not be answered."""
    return _("The database does not answer at the moment. Nothing that was confirmed is lost; try again in a moment.")
