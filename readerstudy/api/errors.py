"""The one translation of protocol errors to the API's answers: {"detail": sentence}."""

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler

from readerstudy.errors import StudyError
from readerstudy.middleware import status_of


def as_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """A StudyError's sentence with its status; everything else as DRF has it."""
    if isinstance(error, StudyError):
        return Response({"detail": str(error)}, status=status_of(error))
    return exception_handler(error, context)
