"""Requests that may be repeated (IETF draft "The Idempotency-Key HTTP Header Field").

A request with the same key and the same content is carried out once, and answered alike every time. Refusals are not
kept: they changed nothing, so a repeated request is tried again.
"""

import hashlib
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils.crypto import salted_hmac
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

from readerstudy.api.errors import DetailSerializer
from readerstudy.api.models import KeyedRequest
from readerstudy.api.requests import UserRequest
from readerstudy.errors import BadInput, StudyError

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
KEPT: Final = timedelta(days=1)
LONGEST_REQUEST: Final = timedelta(minutes=5)
KEYED: Final = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="16 to 255 characters, such as a UUID. A repeated request with this key is carried out once.",
)
_KEY: Final = re.compile(r'(?P<quote>"?)(?P<key>[!#-\[\]-~]{16,255})(?P=quote)')

Post = Callable[..., Response]


class Repeatable(APIView):
    """Base of views whose requests may be repeated."""

    def require_right_to_repeat(self) -> None:
        """Raise what the view raises if the person has lost the right to its answer since the first request."""
        raise NotImplementedError


def answered_once(post: Post) -> Post:
    """Return the method of a `Repeatable` view, so that requests with an idempotency key may be repeated."""

    @wraps(post)
    def once(view: Repeatable, request: UserRequest, *args: Any, **kwargs: Any) -> Response:
        given = request.headers.get(HEADER)
        if given is None:
            return post(view, request, *args, **kwargs)
        key, content = _parsed(given), _hash_of(request)
        row = _begun(request, key, content, at=now())
        if row is None:
            view.require_right_to_repeat()
            return _answer_of(_earlier(request, key), key, content, at=now())
        try:
            response = post(view, request, *args, **kwargs)
        except (StudyError, APIException, Http404, RequestDataTooBig):
            row.delete()
            raise
        row.status, row.answer = response.status_code, _cipher(key).encrypt(_encoded(response))
        row.save(update_fields=["status", "answer"])
        return response

    setattr(once, _MARK, True)
    return once


_MARK: Final = "is_answered_once"


def is_answered_once(method: Any) -> bool:
    """Return whether requests to this method of a view may have an idempotency key."""
    return bool(getattr(method, _MARK, False))


def _parsed(text: str) -> str:
    match = _KEY.fullmatch(text.strip())
    if match is None:
        raise BadInput(_("%(header)s: 16 to 255 letters, digits and signs, such as a UUID.") % {"header": HEADER})
    return match["key"]


def _hash_of(request: UserRequest) -> str:
    """Return the SHA-256 of what the request asks."""
    asked = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    asked.update(request._request.body)
    return asked.hexdigest()


def _begun(request: UserRequest, key: str, content: str, *, at: datetime) -> KeyedRequest | None:
    """Return the row of a new request; None if there is one with this key. Rows that have expired are deleted."""
    KeyedRequest.objects.filter(expires_at__lte=at).delete()
    values = {"request_sha256": content, "begun_at": at, "expires_at": at + KEPT}
    try:
        with transaction.atomic():
            return KeyedRequest.objects.create(person=request.user, key_hash=_hash_of_key(key), **values)
    except IntegrityError:
        return None


def _earlier(request: UserRequest, key: str) -> KeyedRequest | None:
    return KeyedRequest.objects.filter(person=request.user, key_hash=_hash_of_key(key)).first()


def _answer_of(row: KeyedRequest | None, key: str, content: str, *, at: datetime) -> Response:
    """Return the answer of an earlier request. Raises StudyError while there is none."""
    if row is not None and row.request_sha256 != content:
        sentence = _("This %(header)s was sent with another request.") % {"header": HEADER}
        return Response(DetailSerializer({"detail": sentence}).data, status=422)
    if row is None or (row.status is None and at - row.begun_at < LONGEST_REQUEST):
        raise StudyError(_("The first request with this key is still being carried out."))
    if row.status is None or row.answer is None:
        raise StudyError(_("The first request with this key broke off. See what it did, and use another key."))
    try:
        values = json.loads(_cipher(key).decrypt(bytes(row.answer)))
    except InvalidToken as error:
        raise StudyError(_("The request was carried out, but its answer can no longer be read.")) from error
    return Response(values, status=row.status, headers={REPLAYED: "true"})


def _encoded(response: Response) -> bytes:
    return json.dumps(response.data, cls=JSONEncoder).encode()


def _hash_of_key(key: str) -> str:
    return salted_hmac("readerstudy.api.repeats.key", key, algorithm="sha256").hexdigest()


def _cipher(key: str) -> Fernet:
    secret = salted_hmac("readerstudy.api.repeats.answer", key, algorithm="sha256").digest()
    return Fernet(urlsafe_b64encode(secret))
