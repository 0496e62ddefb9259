"""Header fields of every response, and error pages for protocol errors."""

import re
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.exceptions import TooManyFilesSent
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from readerstudy.errors import BadInput, NotAllowed, NotFound, StudyError

GetResponse = Callable[[HttpRequest], HttpResponse]

# What pages may ask of the browser: the reading room fills the screen, and people sign in by passkeys.
_REFUSED: Final = (
    "accelerometer",
    "autoplay",
    "bluetooth",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
_OWN: Final = ("fullscreen", "publickey-credentials-create", "publickey-credentials-get")
PERMISSIONS_POLICY: Final = ", ".join([*(f"{name}=(self)" for name in _OWN), *(f"{name}=()" for name in _REFUSED)])


class HashedStaticFiles(ManifestStaticFilesStorage):
    """Static files with hashed names, also in style sheets and in imports of ES modules.

    The list of all names is kept beside their folder: everything in the folder is public.
    """

    manifest_name = "static_files.json"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, manifest_storage=FileSystemStorage(location=settings.VAR_DIR), **kwargs)

    def save_manifest(self) -> None:
        super().save_manifest()
        self.delete("staticfiles.json")  # the list of earlier versions, in the folder

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
    """Header fields of every response, static files included.

    Browsers and proxies may store static files only, no other site may load anything, and pages may use no device.
    Answers of the API are files to a browser that opens them, never pages.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith("/static/"):
            response["Cache-Control"] = "no-store"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        if request.path.startswith("/api/"):
            _as_file(response)
        return response


def _as_file(response: HttpResponse) -> None:
    """Name JSON of the API as a file to save, and save what has a name. Readers' pictures get no further field."""
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    default = 'inline; filename="api.json"' if kind.endswith("json") else ""
    if named := response.headers.get("Content-Disposition", default):
        response.headers["Content-Disposition"] = re.sub(r"^inline\b", "attachment", named)


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
