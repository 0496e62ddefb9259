"""Entity tags (RFC 9110, 8.8.3): a program that has the newest answer does not get it again."""

import hashlib
import json
from typing import Any, Final

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

TAGGED: Final = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="`ETag` of an earlier answer: 304 if it is the newest"
)


def tag_of(value: Any) -> str:
    """Return the tag of an answer, from what it says."""
    text = json.dumps(value, sort_keys=True, cls=JSONEncoder)
    return quoted(hashlib.sha256(text.encode()).hexdigest())


def quoted(sha256: str) -> str:
    """Return the tag of a file with this hash."""
    return f'"{sha256}"'


def unless_known(request: Request, tag: str) -> HttpResponse | None:
    """Return 304 if the client has the answer with this tag already, else None."""
    answer = get_conditional_response(request._request, etag=tag)
    if not isinstance(answer, HttpResponse):
        return None
    answer.headers["ETag"] = tag
    return answer
