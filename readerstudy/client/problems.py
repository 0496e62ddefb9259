"""Errors of requests: problem details (RFC 9457) as exceptions, one class for each status that a program may expect."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

from readerstudy.errors import StudyError

_EXCERPT: Final = 200  # characters of an unexpected response that the error shows


class ApiError(StudyError):
    """The API rejected a request. `status`, `title` and `detail` are those of the response, `members` all it says."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        title: str = "",
        detail: str = "",
        members: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.title = title
        self.detail = detail or message
        self.members = dict(members or {})
        self.retry_after = retry_after  # seconds; None if the server does not say


class Misunderstood(ApiError):
    """400: a value cannot be understood; `detail` names it."""


class NotSignedIn(ApiError):
    """401: the token is missing, unknown, expired or revoked."""


class Forbidden(ApiError):
    """403: the role of the account or the scopes of the token do not allow this."""


class NothingThere(ApiError):
    """404: there is nothing of this name that the account may see."""


class Refused(ApiError):
    """409: the protocol does not allow this now; `detail` states the rule."""


class TooManyRequests(ApiError):
    """429: wait `retry_after` seconds."""


class Unavailable(ApiError):
    """502, 503 or 504: the server or its database is away."""


class NoAnswer(StudyError, httpx.TransportError):
    """The server could not be reached, or the connection broke before the whole answer was there."""


_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    HTTPStatus.BAD_REQUEST: Misunderstood,
    HTTPStatus.UNAUTHORIZED: NotSignedIn,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NothingThere,
    HTTPStatus.CONFLICT: Refused,
    HTTPStatus.TOO_MANY_REQUESTS: TooManyRequests,
    HTTPStatus.BAD_GATEWAY: Unavailable,
    HTTPStatus.SERVICE_UNAVAILABLE: Unavailable,
    HTTPStatus.GATEWAY_TIMEOUT: Unavailable,
}


def problem_of(
    method: str, address: str, *, status: int, content_type: str, body: bytes, retry_after: float | None
) -> ApiError:
    """Return the error of a response. Its message names the request and has the server's sentence."""
    members = _members(content_type, body)
    detail = str(members.get("detail", ""))
    said = detail or body[:_EXCERPT].decode(errors="replace")
    return _BY_STATUS.get(status, ApiError)(
        f"{method} {address} was answered with status {status}: {said}",
        status=status,
        title=str(members.get("title", "")),
        detail=detail,
        members=members,
        retry_after=retry_after,
    )


def _members(content_type: str, body: bytes) -> Mapping[str, Any]:
    """Return the members of the problem; nothing for a page of a proxy or a broken answer."""
    if not content_type.partition(";")[0].strip().endswith("json"):
        return {}
    try:
        value = json.loads(body or b"null")
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {"errors": value}
