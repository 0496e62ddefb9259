"""The one translation of protocol errors to API responses: {"detail": message}."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import exception_handler

from readerstudy.errors import StudyError
from readerstudy.middleware import status_of


class DetailSerializer(serializers.Serializer[Any]):
    """Why a request was rejected."""

    detail = serializers.CharField()


def as_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a StudyError with its message and status, any other error as the framework does."""
    if isinstance(error, StudyError):
        return Response(DetailSerializer({"detail": error}).data, status=status_of(error))
    return exception_handler(error, context)
