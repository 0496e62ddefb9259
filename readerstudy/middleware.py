"""What every answer carries, and how a protocol error becomes a page."""

from collections.abc import Callable

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from readerstudy.errors import BadInput, NotAllowed, StudyError

GetResponse = Callable[[HttpRequest], HttpResponse]


class HashedStaticFiles(ManifestStaticFilesStorage):
    """Hashed names for style sheets and for the modules that ES modules import."""

    support_js_module_import_aggregation = True
    # A pass for each step down the longest chain of imports: a file's name depends on those that it imports.
    max_post_process_passes = 20


class PlainHeaders:
    """Nothing that is not a static file may be stored by a browser or a proxy."""

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
    """403 for what is not theirs, 400 for what cannot be understood, 409 for what the protocol forbids now."""
    if isinstance(error, NotAllowed):
        return 403
    return 400 if isinstance(error, BadInput) else 409
