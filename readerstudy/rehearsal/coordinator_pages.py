"""What a coordinator can reach of a study: every page, list, filter and file, found by following links.

Nothing here knows the truth. `coordinator_audit` asks whether the pages tell it.
"""

import csv
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

MOST_PAGES: Final = 600
# Pages of these do not belong to the study, or change something, or sign the coordinator out.
LEFT_OUT: Final = re.compile(r"^/(static|account|report|read|lab|i18n|jsi18n)/|^/admin/(logout|password_change|jsi18n)")
_ADDRESSES: Final = ("href", "hx-get", "src", "action")


@dataclass(frozen=True)
class Page:
    """One response. `seconds`: from sending the request to the last byte."""

    address: str
    status: int
    kind: str
    text: str
    seconds: float


Fetch = Callable[[str], Page]


def crawl(fetch: Fetch, starts: Iterable[str], *, belongs: Callable[[str], bool], most: int = MOST_PAGES) -> list[Page]:
    """Return every page that is reached from `starts` by GET, each address once, in the order of finding.

    Filters and orders are followed from the list itself, not combined with each other. `belongs` decides whether an
    address (path with query) is followed. At most `most` pages are fetched.
    """
    waiting, pages = deque(starts), list[Page]()
    seen = set(waiting)
    while waiting and len(pages) < most:
        page = fetch(waiting.popleft())
        pages.append(page)
        for link in links_of(page):
            is_combined = "?" in link and "?" in page.address
            if link not in seen and not is_combined and not LEFT_OUT.match(link) and belongs(link):
                seen.add(link)
                waiting.append(link)
    return pages


def links_of(page: Page) -> Iterator[str]:
    """Yield the addresses on this server that a page names, without their fragments."""
    if "json" in page.kind:
        found = re.findall(r'"(/[^"\s]+|https?://[^"\s]+)"', page.text)
    elif "html" in page.kind:
        parser = _Links()
        parser.feed(page.text)
        found = parser.found
    else:
        return
    for link in found:
        parts = urlsplit(urljoin(page.address, link))
        if not parts.netloc or parts.netloc == urlsplit(page.address).netloc or parts.hostname == "127.0.0.1":
            yield f"{parts.path}?{parts.query}" if parts.query else parts.path


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag != "form" or (values.get("method") or "get").lower() == "get":
            self.found += [value for name in _ADDRESSES if (value := values.get(name))]


# --- rows -------------------------------------------------------------------------------------------------------
@dataclass
class Row:
    """One row of a table or list: its values by the name of the column, and everything that it says as one text."""

    values: dict[str, str] = field(default_factory=dict)
    text: str = ""


def rows_of(page: Page) -> list[Row]:
    """Return the rows of the tables, JSON lists and CSV lines of a page."""
    if "json" in page.kind:
        return list(_json_rows(json.loads(page.text)))
    if "csv" in page.kind:
        return [Row(line, " ".join(map(str, line.values()))) for line in csv.DictReader(page.text.splitlines())]
    if "html" in page.kind:
        parser = _Tables()
        parser.feed(page.text)
        return parser.rows
    return []


def _json_rows(data: Any) -> Iterator[Row]:
    if isinstance(data, dict):
        plain = {name: str(value) for name, value in data.items() if not isinstance(value, dict | list)}
        yield Row(plain, json.dumps(data, sort_keys=True))
    for part in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _json_rows(part)


class _Tables(HTMLParser):
    """Collects the rows of tables by their column headings; attributes are part of a row's text."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._headings: list[str] = []
        self._cells: list[str] | None = None
        self._text = ""
        self._is_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._headings = []
        elif tag == "tr":
            self._cells, self._text, self._is_heading = [], "", True
        elif tag in ("td", "th") and self._cells is not None:
            self._cells.append("")
            self._is_heading &= tag == "th"
        if self._cells is not None:
            self._text += " ".join(f" {name}={value}" for name, value in attrs if name != "value" or tag != "input")

    def handle_data(self, data: str) -> None:
        if self._cells:
            self._cells[-1] += data
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag != "tr" or self._cells is None:
            return
        cells = [" ".join(cell.split()) for cell in self._cells]
        if self._is_heading and len(cells) > 1:
            self._headings = cells
        else:
            names = self._headings if len(self._headings) == len(cells) else [str(n) for n in range(len(cells))]
            self.rows.append(Row(dict(zip(names, cells, strict=True)), " ".join(self._text.split())))
        self._cells = None


# --- facts ------------------------------------------------------------------------------------------------------
def facts_of_text(text: str) -> dict[str, float]:
    """Return what can be counted or read from a value: its number or time, its length, and its letters as a number."""
    facts = {"length": float(len(text)), "letters": float(sum(text.encode()) % 100_003)}
    try:
        return {**facts, "number": float(text)}
    except ValueError:
        pass
    try:
        return {**facts, "time": datetime.fromisoformat(text).timestamp()}
    except ValueError:
        numbers = re.findall(r"\d+(?:\.\d+)?", text)
        return {**facts, **{f"number {place}": float(number) for place, number in enumerate(numbers[:8])}}
