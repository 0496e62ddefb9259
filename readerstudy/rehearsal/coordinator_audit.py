"""The coordinator's half of the blinding audit: does anything that a coordinator can reach tell the kind of an image?

A scripted coordinator opens every page, list, filter and file of the audited copy, while it is open and after it was
closed, and reads what the server logs. What these say about a presentation becomes facts of it.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

import httpx

from readerstudy.rehearsal.coordinator_pages import Page, Row, crawl, facts_of_text, rows_of

STARTS: Final = (
    *("/desk/", "/admin/", "/api/v1/studies/{code}/", "/api/v1/jobs/", "/api/v1/events/?study={code}"),
    *("/api/v1/webhooks/", "/report/{code}/codebook/"),
    *("/api/v1/images/", "/api/v1/runs/", "/api/v1/attacks/", "/api/v1/evaluations/", "/api/v1/reference/"),
)
PARTS: Final = (
    *("sessions/", "readers/", "readings/", "readings.csv", "readings/?page_size=5000"),
    *("readings.csv?missing=true", "codebook/", "codebook.csv"),
    *("invitations/", "mails/", "monitor/", "reports/", "checklist/", "protocol/", "moves/", "plans/", "events/"),
    *("events/?page_size=1000", "readings/?verdict=real", "readings/?quality=A", "readings/?is_repeat=true"),
)
FOLLOWED: Final = ("/desk/", "/admin/", "/api/v1/")

Key = tuple[int, int]  # session and position
Facts = dict[str, float]


def visit(client: httpx.Client, code: str, *, others: Iterable[str]) -> list[Page]:
    """Return everything that the signed-in coordinator reaches of the study. `others` are codes of other studies."""
    foreign = tuple(f"/{other}/" for other in others if other != code)
    starts = [start.format(code=code) for start in STARTS]
    starts += [f"/api/v1/studies/{code}/{part}" for part in PARTS]
    return crawl(
        lambda address: _fetch(client, address),
        starts,
        belongs=lambda link: link.startswith(FOLLOWED) and not any(part in link for part in foreign),
    )


def _fetch(client: httpx.Client, address: str) -> Page:
    started = perf_counter()
    response = client.get(address)
    seconds = perf_counter() - started
    return Page(address, response.status_code, response.headers.get("Content-Type", ""), response.text, seconds)


def facts_of_pages(pages: Mapping[str, Iterable[Page]], codes: Mapping[str, Key]) -> dict[str, Facts]:
    """Return, by the code of a presentation, what the pages say about it.

    `pages` are those of each visit; `codes` has the session and the position of each code. A row speaks of a
    presentation if it contains its code, or its session and its position in columns of these names.
    """
    by_key = {key: code for code, key in codes.items()}
    facts: dict[str, Facts] = defaultdict(dict)
    for occasion, visited in pages.items():
        for page in visited:
            for number, row in enumerate(rows_of(page)):
                for code in _meant(row, codes, by_key):
                    facts[code] |= _facts_of_row(f"{occasion} {page.address}", page, row, number)
    return facts


def _meant(row: Row, codes: Mapping[str, Key], by_key: Mapping[Key, str]) -> Iterator[str]:
    names = {name.lower(): value for name, value in row.values.items()}
    session, position = names.get("session", ""), names.get("position", "")
    if session.isdigit() and position.isdigit() and (int(session), int(position)) in by_key:
        yield by_key[int(session), int(position)]
        return
    yield from (word for word in row.text.replace("/", " ").replace('"', " ").split() if word in codes)


def _facts_of_row(where: str, page: Page, row: Row, number: int) -> Facts:
    facts = {f"{where}: row": float(number)}
    if urlsplit(page.address).query:
        return facts  # the same values in another order, or fewer rows
    for name, value in (*row.values.items(), ("all", row.text)):
        if name.lower() not in ("session", "position"):  # the audit of the browser has the order
            facts |= {f"{where}: {name} {fact}": each for fact, each in facts_of_text(value).items()}
    return facts


# --- the log ------------------------------------------------------------------------------------------------------
@contextmanager
def recorded_log(lines: list[str]) -> Iterator[None]:
    """Add every line that is logged in this process to `lines`."""

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    collector, root = Collector(), logging.getLogger()
    root.addHandler(collector)
    try:
        yield
    finally:
        root.removeHandler(collector)


def facts_of_log(lines: Iterable[str], codes: Iterable[str]) -> dict[str, Facts]:
    """Return, by the code of a presentation, what the lines that name it say: their number, lengths and values."""
    known, facts = set(codes), defaultdict[str, Facts](lambda: defaultdict(float))
    for line in lines:
        for code in known.intersection(line.replace("/", " ").replace('"', " ").split()):
            facts[code]["lines"] += 1
            rest = line.replace(code, "")
            for name, value in facts_of_text(rest).items():
                facts[code][name] += value
    return facts
