"""JSON as the database can store it."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, Final

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH: Final = 20


class StrictJSONParser(BaseParser):
    """Parse JSON in UTF-8 (RFC 8259) and reject what PostgreSQL or a later step cannot take.

    Raises ParseError (400) for numbers that are not finite (NaN, 1e999), NUL characters, lone surrogates, more than
    `MAX_DEPTH` levels, and bodies longer than `DATA_UPLOAD_MAX_MEMORY_SIZE`.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the parsed body."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise ParseError(too_large())
        try:
            value = json.loads(body.decode("utf-8"))
        except RecursionError as error:
            raise ParseError(_too_deep()) from error
        except ValueError as error:  # of the JSON, of the encoding, or an integer of thousands of digits
            raise ParseError(_("The request is not valid JSON: %(error)s") % {"error": error}) from error
        _check(value)
        return value


def _check(value: Any) -> None:
    """Raise ParseError for the first value that is not acceptable. Not recursive: nesting is what it limits."""
    pending: list[tuple[Any, int]] = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        match item:
            case float() if not math.isfinite(item):
                raise ParseError(_("The request contains a number that is not finite."))
            case str():
                _check_text(item)
            case dict() | list() if depth >= MAX_DEPTH:
                raise ParseError(_too_deep())
            case dict():
                pending += [(part, depth + 1) for pair in item.items() for part in pair]
            case list():
                pending += [(part, depth + 1) for part in item]


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ParseError(_("The request contains a NUL character."))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ParseError(_("The request contains half of a surrogate pair, which is not a character.")) from error


def _too_deep() -> str:
    return _("The request is nested more than %(depth)d levels deep.") % {"depth": MAX_DEPTH}


def too_large() -> str:
    """Return the message for a request that is longer than the limit."""
    return _("The request is larger than %(limit)d bytes.") % {"limit": settings.DATA_UPLOAD_MAX_MEMORY_SIZE}
