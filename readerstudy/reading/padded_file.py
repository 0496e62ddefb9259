"""Responses with image files: the stored file, then random bytes up to one length for the whole study."""

import secrets
from pathlib import Path

from django.http import HttpResponse
from django.utils.translation import gettext as _

from readerstudy.errors import StudyError


class TooLong(StudyError):
    """A file is longer than the study's image length. It was changed after the study was drawn."""


def padded_response(path: Path, *, length: int) -> HttpResponse:
    """Return the file, padded to exactly `length` bytes. Raises TooLong if the file is longer.

    A PNG ends at its IEND chunk, so decoders ignore the padding. Without it the length of the file, which depends on
    the noise in the image, would separate adversarial from real images.
    """
    body = path.read_bytes()
    if len(body) > length:
        raise TooLong(
            _("The file %(name)s no longer fits into the study's image length; restore it.") % {"name": path.name}
        )
    response = HttpResponse(body + secrets.token_bytes(length - len(body)), content_type="application/octet-stream")
    response["Cache-Control"] = "no-store"
    response["Content-Length"] = str(length)
    return response
