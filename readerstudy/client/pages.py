"""Long lists, page after page while they are read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar, cast

import httpx

from readerstudy.client.api_client import ApiClient
from readerstudy.errors import StudyError

Row = TypeVar("Row")
# The value of a filter, None for no filter. The schema has the filters of each list.
Filter = str | int | bool | None


class Pages(Generic[Row]):
    """The rows of a list. Each page is requested when the rows before it were read; iterating again asks again.

    The API answers short lists as a whole, longer ones as an object with `results` and the address of the `next` page.
    """

    def __init__(self, client: ApiClient, address: str, query: Mapping[str, Any] | None = None) -> None:
        self._client, self._address, self._query = client, address, query

    def __iter__(self) -> Iterator[Row]:
        address, query = self._address, self._query
        while address:
            page = self._client.call("GET", address, query=query)
            if isinstance(page, list):
                rows, address = page, ""
            else:
                rows, address = page["results"], self._following(page.get("next"))
            query = None  # the address of the next page has it
            yield from cast(list[Row], rows)

    def _following(self, address: str | None) -> str:
        """Return the path of the next page. Raises StudyError for another server, which must not get the token."""
        if not address:
            return ""
        own, url = self._client.http.base_url, httpx.URL(address)
        if url.host and url.host != own.host:
            raise StudyError(f"The next page is said to be at {url.host}, not at {own.host}.")
        return url.raw_path.decode()

    def first(self) -> Row | None:
        """Return the first row, None if there is none; asks for one page."""
        return next(iter(self), None)

    def list(self) -> list[Row]:
        """Return all rows."""
        return [*self]

    def find(self, matches: Callable[[Row], bool]) -> Row | None:
        """Return the first row that matches; later pages are not requested."""
        return next((row for row in self if matches(row)), None)
