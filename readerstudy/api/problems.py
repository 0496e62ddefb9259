"""Every error of the API as problem details (RFC 9457), from whatever part of the software the error comes."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from readerstudy.middleware import GetResponse

MEDIA_TYPE: Final = "application/problem+json"
ADDRESSES: Final = "/api/"


class ProblemDetails:
    """Answers each error below /api/ with `application/problem+json`, addresses that do not exist included.

    `detail` is the sentence of the error; other members that it has, such as the current step, are kept. A 401 says
    how to sign in.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_error = response.status_code >= HTTPStatus.BAD_REQUEST
        if is_error and request.path.startswith(ADDRESSES) and not response.streaming:
            self._describe(response)
        return response

    def _describe(self, response: HttpResponse) -> None:
        status = HTTPStatus(response.status_code)
        members = _members(response)
        members = {"title": status.phrase, "status": status.value, "detail": _detail(status), **members}
        response.content = json.dumps(members).encode()
        response.headers["Content-Type"] = MEDIA_TYPE
        if "Content-Length" in response.headers:
            response.headers["Content-Length"] = str(len(response.content))
        if status == HTTPStatus.UNAUTHORIZED:
            response.headers.setdefault("WWW-Authenticate", "Token")


def _members(response: HttpResponse) -> dict[str, Any]:
    """Return what the response says of the error; nothing if it is a page."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind == "text/csv":  # a refusal, as a sentence
        return {"detail": response.content.decode().strip()}
    if kind not in ("application/json", MEDIA_TYPE):
        return {}
    value = json.loads(response.content or b"null")
    if isinstance(value, Mapping):
        return dict(value) if "detail" in value else {"errors": value}
    return {"errors": value}


def _detail(status: HTTPStatus) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return _("There is nothing at this address.")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _("The server could not answer. Nothing is known to be wrong with the request.")
    return _("The request was refused.")
