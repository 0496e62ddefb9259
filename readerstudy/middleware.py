"""Header fields of every response, and error pages for protocol errors."""

from collections.abc import Callable
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from readerstudy.errors import BadInput, NotAllowed, NotFound, StudyError

GetResponse = Callable[[HttpRequest], HttpResponse]


class HashedStaticFiles(ManifestStaticFilesStorage):
    """Static files with hashed names, also in style sheets and in imports of ES modules."""

    support_js_module_import_aggregation = True
    # One pass for each step of the longest chain of imports: the hash of a file depends on the files that it imports.
    max_post_process_passes = 20


class FewFiles(FileUploadHandler):
    """Refuse requests with many files: each could stay in memory or keep a temporary file open."""

    MAXIMUM = 20

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self._count = getattr(self, "_count", 0) + 1
        if self._count > self.MAXIMUM:
            raise TooManyFilesSent(f"More than {self.MAXIMUM} files were sent.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


class PlainHeaders:
    """Forbid browsers and proxies to store responses other than static files."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith("/static/"):
            response["Cache-Control"] = "no-store"
        return response


class StudyErrorPages:
    """The one translation of protocol errors to HTTP for pages (the API has its own)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, StudyError):
            return None
        return render(request, "error.html", {"sentence": str(error)}, status=status_of(error))


def status_of(error: StudyError) -> int:
    """Return 403 for NotAllowed, 404 for NotFound, 400 for BadInput, 409 for other errors of the protocol."""
    if isinstance(error, NotAllowed):
        return 403
    if isinstance(error, NotFound):
        return 404
    return 400 if isinstance(error, BadInput) else 409
