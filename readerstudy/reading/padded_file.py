"""The picture as a browser gets it: the stored file, then random bytes up to one length for the whole study."""

import secrets
from pathlib import Path

from django.http import HttpResponse
from django.utils.translation import gettext as _

from readerstudy.errors import StudyError


class TooLong(StudyError):
    """A file is longer than the study's image length: it was changed after the study was drawn."""


def padded(path: Path, *, length: int) -> HttpResponse:
    """The file's bytes and padding behind them, as an answer of exactly `length` bytes.

    A PNG ends at its IEND chunk, so decoders ignore the padding; without it the length of the file, which
    depends on the noise in the picture, would tell altered images from real ones.
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
