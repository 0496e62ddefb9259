"""The one translation of protocol errors to API responses, which `problems` makes problem details (RFC 9457)."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import exception_handler

from readerstudy.api.parsers import too_large
from readerstudy.errors import StudyError
from readerstudy.middleware import status_of
from readerstudy.outage import RETRY_AFTER_S, away_text, is_unavailable


class DetailSerializer(serializers.Serializer[Any]):
    """Why a request was rejected."""

    title = serializers.CharField(required=False, help_text="the phrase of the status")
    status = serializers.IntegerField(required=False, help_text="of HTTP")
    detail = serializers.CharField(help_text="the reason as a sentence")


def as_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a StudyError with its message and status, an oversized request with 400, others as the framework does.

    A database that is away is answered with 503 and Retry-After: clients try again.
    """
    if isinstance(error, StudyError):
        return Response(DetailSerializer({"detail": error}).data, status=status_of(error))
    if isinstance(error, RequestDataTooBig):
        return Response(DetailSerializer({"detail": too_large()}).data, status=400)
    if is_unavailable(error):
        later = {"Retry-After": str(RETRY_AFTER_S)}
        return Response(DetailSerializer({"detail": away_text()}).data, status=503, headers=later)
    return exception_handler(error, context)
