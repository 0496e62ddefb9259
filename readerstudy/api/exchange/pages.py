"""Pages of lists that grow. Each page is found by an index, so the last one is as fast as the first.

Pages follow the key of the row, which no later row changes: a row is listed once, whatever is added meanwhile.
"""

import re
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from readerstudy.errors import BadInput

SIZE: Final = 100
LARGEST: Final = 1000


class Pages(CursorPagination):
    """Pages of a list, the newest row first."""

    ordering = "-pk"
    page_size = SIZE
    page_size_query_param = "page_size"
    max_page_size = LARGEST

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the cursor. Raises NotFound if its position cannot be one."""
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not self.is_position(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def is_position(self, text: str) -> bool:
        """Return whether the text can be the position of a row."""
        return bool(re.fullmatch(r"[0-9]{1,18}", text))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the parameters of pages, with the limits of their size."""
        described = super().get_schema_operation_parameters(view)
        for parameter in described:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return described

    def get_page_size(self, request: Request) -> int:
        """Return the number of rows of a page. Raises BadInput if it is out of range."""
        return page_size_of(request, default=self.page_size, largest=self.max_page_size)


class ReadingPages(Pages):
    """Pages of readings, in the order in which they were stored."""

    ordering = "pk"
    page_size = 500
    max_page_size = 5000


class PagesByMoment(Pages):
    """Pages of rows whose keys have no order: by the moment when they were made, the newest first."""

    # The stubs know one name only.
    ordering = ("-made_at", "pk")  # type: ignore[assignment]

    def is_position(self, text: str) -> bool:
        """Return whether the text can be the position of a row."""
        try:
            return datetime.fromisoformat(text).tzinfo is not None
        except ValueError:
            return False


def page_size_of(request: Request, *, default: int = SIZE, largest: int = LARGEST) -> int:
    """Return the number of rows of a page that a request asks for. Raises BadInput if it is out of range."""
    text = request.query_params.get("page_size", str(default))
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= largest:
        raise BadInput(_("page_size: from 1 to %(most)d rows.") % {"most": largest})
    return int(text)


def page_after(request: Request, results: Any, *, cursor: str | None) -> Response:
    """Return a page whose successor begins at the cursor; None: there is none. Such a list is read forwards only."""
    following = replace_query_param(request.build_absolute_uri(), "cursor", cursor) if cursor else None
    return Response({"next": following, "previous": None, "results": results})
