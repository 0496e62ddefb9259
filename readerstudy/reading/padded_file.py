"""Responses with image files: the stored file, then random bytes up to one length for the whole study."""

import secrets
from hashlib import sha256
from pathlib import Path

from django.http import HttpResponse
from django.utils.translation import gettext as _

from readerstudy.errors import StudyError


class ChangedFile(StudyError):
    """A file is not the one that was drawn: other bytes, too long for the study, or missing."""

    def __init__(self) -> None:
        super().__init__(_("The file of this image is not the one that the study was drawn with."))


def padded_response(path: Path, *, sha256_of_file: str, length: int) -> HttpResponse:
    """Return the file, padded to exactly `length` bytes. Raises ChangedFile unless it has this SHA-256 and fits.

    A PNG ends at its IEND chunk, so decoders ignore the padding. Without it the length of the file, which depends on
    the noise in the image, would separate adversarial from real images. Nor does the time of hashing tell it: always
    `length` bytes are hashed.
    """
    try:
        body = path.read_bytes()
    except OSError as error:
        raise ChangedFile from error
    padding = secrets.token_bytes(max(0, length - len(body)))
    found, _of_padding = sha256(body).hexdigest(), sha256(padding)
    if len(body) > length or not secrets.compare_digest(found, sha256_of_file):
        raise ChangedFile
    response = HttpResponse(body + padding, content_type="application/octet-stream")
    response["Cache-Control"] = "no-store"
    response["Content-Length"] = str(length)
    return response
