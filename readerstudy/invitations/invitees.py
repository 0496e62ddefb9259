"""Lists of people to invite, as pasted or uploaded: names and addresses with line numbers. No database."""

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

MAXIMUM_LINES: Final = 500
MAXIMUM_NAME: Final = 150
MAXIMUM_ADDRESS: Final = 254
DELIMITERS: Final = ("\t", ";", ",")
SHOWN: Final = 80  # characters of a line in its message
IN_BRACKETS: Final = re.compile(r"^(?P<name>[^<>]*)<(?P<address>[^<>]*)>[\s;,]*$")
HEADINGS: Final = {
    "address": {"mail", "email", "e-mail", "address", "email address", "e-mail address", "e-mail-adresse", "adresse"},
    "first": {"first name", "firstname", "given name", "vorname"},
    "last": {"last name", "lastname", "surname", "family name", "nachname"},
    "name": {"name", "full name", "reader"},
}


@dataclass(frozen=True)
class Invitee:
    """One person of a list. The name may be empty."""

    line: int
    first_name: str
    last_name: str
    address: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class Problem:
    """One line that cannot be used. The message says why."""

    line: int
    text: str
    message: str


@dataclass(frozen=True)
class ParsedList:
    """The people of a list in its order, and the lines that cannot be used."""

    invitees: tuple[Invitee, ...]
    problems: tuple[Problem, ...]


class _BadLine(Exception):
    """The line cannot be used; the message says why."""


def parse_invitees(text: str) -> ParsedList:
    """Return the people of a list. Never raises: each line is a person, a problem, blank, a comment or the header.

    A line is "Name <address>", an address alone, or cells separated by tab, semicolon or comma. With a header line
    the columns may have any order; without one a line has an address and up to two cells with the name.
    """
    invitees: list[Invitee] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    header: dict[str, int] = {}
    for count, (number, line) in enumerate(_lines(text)):
        if count >= MAXIMUM_LINES + bool(header):
            message = _("A list has at most %(lines)d lines; this one and those after it are left out.")
            problems.append(Problem(number, line[:SHOWN], message % {"lines": MAXIMUM_LINES}))
            break
        if count == 0 and (header := _header(line)):
            continue
        try:
            invitee = _invitee(number, line, header)
            first = seen.setdefault(invitee.address.lower(), number)
            if first != number:
                raise _BadLine(_("The address is in line %(line)d already.") % {"line": first})
        except _BadLine as error:
            problems.append(Problem(number, line[:SHOWN], str(error)))
        else:
            invitees.append(invitee)
    return ParsedList(tuple(invitees), tuple(problems))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither blank nor comments, with their numbers from 1.

    Characters without a width, which programs leave in copied addresses, are removed.
    """
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(unified.split("\n"), start=1):
        visible = "".join(character for character in line if unicodedata.category(character) != "Cf").strip()
        if visible and not visible.startswith("#"):
            yield number, visible


def _cells(line: str, delimiter: str | None = None) -> list[str]:
    delimiter = delimiter or next((mark for mark in DELIMITERS if mark in line), ",")
    try:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error as error:
        raise _BadLine(_("The quotation marks of this line do not match.")) from error
    return [" ".join(cell.split()) for cell in cells]


def _header(line: str) -> dict[str, int]:
    """Return the column of each kind of cell; empty if the line is not a header."""
    if "@" in line:
        return {}
    try:
        cells = [cell.lower() for cell in _cells(line)]
    except _BadLine:
        return {}
    columns = {kind: column for column, cell in enumerate(cells) for kind, words in HEADINGS.items() if cell in words}
    return columns if "address" in columns else {}


def _invitee(number: int, line: str, header: dict[str, int]) -> Invitee:
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in line.replace("\t", "")):
        raise _BadLine(_("The line contains control characters."))
    if match := IN_BRACKETS.match(line):
        names, address = [match["name"].strip().strip("\"'")], match["address"].strip()
    elif header:
        names, address = _by_header(_cells(line), header)
    else:
        names, address = _by_address(_cells(line))
    first, last = _names(names)
    return Invitee(number, first, last, _checked_address(address))


def _by_header(cells: list[str], header: dict[str, int]) -> tuple[list[str], str]:
    def cell(kind: str) -> str:
        column = header.get(kind, len(cells))
        return cells[column] if column < len(cells) else ""

    if not cell("address"):
        raise _BadLine(_("The line has no address."))
    separate = [cell("first"), cell("last")]
    return (separate if any(separate) else [cell("name")]), cell("address")


def _by_address(cells: list[str]) -> tuple[list[str], str]:
    addresses = [cell for cell in cells if "@" in cell]
    if not addresses:
        raise _BadLine(_("The line has no address."))
    if len(addresses) > 1:
        raise _BadLine(_("The line has more than one address; put each person on a line."))
    names = [cell for cell in cells if cell and "@" not in cell]
    if len(names) > 2:
        raise _BadLine(_("The line has more than a name and an address; add a header line that names the columns."))
    return names, addresses[0].strip("<>")


def _names(names: list[str]) -> tuple[str, str]:
    """Return first and last name. "Ott, Ruth" is turned round; of one name without a comma the last word is last."""
    clean = [" ".join(name.split()) for name in names if name.strip()]
    if len(clean) == 1:
        last, comma, first = clean[0].partition(",")
        words = clean[0].split()
        clean = [first.strip(), last.strip()] if comma else [" ".join(words[:-1]), words[-1]]
    first, last = (*clean, "", "")[:2]
    if max(len(first), len(last)) > MAXIMUM_NAME:
        raise _BadLine(_("The name has more than %(maximum)d characters.") % {"maximum": MAXIMUM_NAME})
    return first, last


def _checked_address(address: str) -> str:
    try:
        validate_email(address)
    except ValidationError as error:
        message = _("“%(address)s” is not a mail address.") % {"address": address[:SHOWN]}
        raise _BadLine(message) from error
    if len(address) > MAXIMUM_ADDRESS:
        raise _BadLine(_("The address has more than %(maximum)d characters.") % {"maximum": MAXIMUM_ADDRESS})
    return address
