"""What somebody typed, as it was typed: texts by field, kept until they are a protocol.

Raw values have the shape of the form (`schema`): a table is a dictionary, rows are a list, a leaf is a text, and a leaf
with many values a list of texts. In a page a field is named after its place: `sessions-3-rules-questions-1-text`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from django.http import QueryDict
from django.utils.formats import get_format
from django.utils.translation import gettext as _

from readerstudy.designer.form.schema import Leaf, Limit, Node, Rows, Table, protocol_form
from readerstudy.errors import BadInput
from readerstudy.protocol.document import Protocol
from readerstudy.protocol.texts import LanguageCode, OwnText, TextsUpTo, Translated
from readerstudy.protocol.values import (
    AnyNumber,
    NameUpTo,
    NumberBetween,
    OneOf,
    Share,
    TextUpTo,
    WholeNumber,
    read_value,
)

Raw = dict[str, Any]
Errors = dict[str, str]  # by the name of a field, rows or table; empty: of the whole form
COUNT = "count"  # hidden beside rows
SHOWN_LANGUAGES = "shown-languages"  # hidden: the languages that a page has fields for
LONGEST = 20_000  # characters of one value; the limits of the fields are lower
_LOCATION = re.compile(r"protocol(?P<place>(?: [a-z_0-9]+)*):? ?(?P<message>.*)", re.DOTALL)


def join(path: str, name: str | int) -> str:
    """Return the name of a field in a page."""
    return f"{path}-{name}" if path else str(name)


# --- a protocol as raw values, and raw values of a page -------------------------------------------------------------
def raw_protocol(protocol: Protocol) -> Raw:
    """Return the protocol as somebody would type it."""
    return _raw_table(protocol, protocol_form(), protocol.languages)


def _raw_table(value: Any, table: Table, languages: Sequence[str]) -> Raw:
    return {field.name: _raw_value(getattr(value, field.name), field, languages) for field in table.fields}


def _raw_value(value: Any, node: Node, languages: Sequence[str]) -> Any:
    match node:
        case Table():
            return _raw_table(value, node, languages)
        case Rows():
            return [_raw_table(item, node.item, languages) for item in value]
        case Leaf(is_many=True):
            return [_text(item) for item in value]
        case Leaf(is_own_text=True):
            return _raw_texts(value, languages)
        case Leaf():
            return _text(value)


def _raw_texts(value: OwnText | None, languages: Sequence[str]) -> dict[str, str]:
    """Return the text of the first language under "", and those of the other languages under their codes."""
    if not isinstance(value, Translated):
        return {"": value or "", **dict.fromkeys(languages[1:], "")}
    return {code if number else "": value.get(code, "") for number, code in enumerate(languages)}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, float):
        return f"{value:.10g}".replace(".", str(get_format("DECIMAL_SEPARATOR")))
    return "" if value is None else str(value)


def raw_of_page(data: QueryDict) -> Raw:
    """Return what a page sent. Fields that it did not send are empty.

    Raises BadInput for more rows than the form takes, so that none is dropped.
    """
    return _Sent(data).table(protocol_form(), "")


class _Sent:
    """What a page sent. Its texts are in the languages that it was made for, which may have been changed in it."""

    def __init__(self, data: QueryDict) -> None:
        self.data = data
        self.languages = _codes([data.get("languages", "")])
        self.shown = _codes([data.get(SHOWN_LANGUAGES, "")])

    def table(self, table: Table, path: str) -> Raw:
        return {field.name: self._value(field, join(path, field.name)) for field in table.fields}

    def _value(self, node: Node, path: str) -> Any:
        match node:
            case Table():
                return self.table(node, path)
            case Rows():
                count = self.data.get(join(path, COUNT), "0")
                if not re.fullmatch(r"[0-9]{1,4}", count) or int(count) > node.most:
                    raise BadInput(f"{join(path, COUNT)}: must be a whole number from 0 to {node.most}.")
                return [self.table(node.item, join(path, index)) for index in range(1, int(count) + 1)]
            case Leaf(is_many=True):
                return _codes(self.data.getlist(path))
            case Leaf(is_own_text=True):
                return self._texts(path)
            case Leaf():
                return self._text(path)

    def _texts(self, path: str) -> dict[str, str]:
        plain = self._text(path)
        typed = {code: self._text(join(path, code)) if number else plain for number, code in enumerate(self.shown)}
        if not self.languages or not self.shown:
            return {"": plain, **dict.fromkeys(self.languages[1:], "")}
        first, *others = self.languages
        # The first text keeps its place, unless its language has another one by now.
        kept = plain if self.shown[0] not in self.languages else ""
        return {"": typed.get(first, kept), **{code: typed.get(code, "") for code in others}}

    def _text(self, path: str) -> str:
        return self.data.get(path, "")[:LONGEST].replace("\r\n", "\n")


def _codes(texts: Sequence[str]) -> list[str]:
    """Return the values of a list: each was sent on its own, or several in one text with commas or blanks."""
    return [part[:LONGEST] for text in texts for part in re.split(r"[,;\s]+", text) if part]


# --- raw values as a protocol ---------------------------------------------------------------------------------------
def read_raw(raw: Raw) -> tuple[Protocol | None, Errors]:
    """Return the protocol of raw values, or None and what is wrong with which field."""
    first = raw["languages"][0] if raw["languages"] else ""
    data, errors = _read_table(raw, protocol_form(), "", first)
    if errors:
        return None, errors
    try:
        protocol: Protocol = read_value(Protocol, data, "protocol")
        protocol.check()
    except BadInput as error:
        place, message = place_of(str(error))
        return None, {place: message}
    return protocol, {}


def place_of(sentence: str) -> tuple[str, str]:
    """Return the field that a rule names, and the rule: "protocol sessions 3 real: …" is at `sessions-3-real`."""
    match = _LOCATION.fullmatch(sentence)
    if match is None:
        return "", sentence
    message = match["message"]
    return "-".join(match["place"].split()), message[:1].upper() + message[1:]


def known_place(place: str) -> str:
    """Return the innermost part of a place that the form has: a field, rows or a table."""
    known, node = [], protocol_form()
    parts: list[str] = place.split("-") if place else []
    current: Node = node
    for part in parts:
        if isinstance(current, Rows):
            if not part.isdigit():
                break
            current = current.item
        elif isinstance(current, Table) and (inner := current.field(part)):
            current = inner
        else:
            break
        known.append(part)
    return "-".join(known)


def _read_table(raw: Mapping[str, Any], table: Table, path: str, first: str) -> tuple[dict[str, Any], Errors]:
    data: dict[str, Any] = {}
    errors: Errors = {}
    for field in table.fields:
        place = join(path, field.name)
        match field:
            case Table():
                data[field.name], found = _read_table(raw[field.name], field, place, first)
                errors |= found
            case Rows():
                data[field.name] = []
                for number, row in enumerate(raw[field.name], start=1):
                    item, found = _read_table(row, field.item, join(place, number), first)
                    data[field.name].append(item)
                    errors |= found
            case Leaf():
                try:
                    for value in _read_leaf(raw[field.name], field, first):
                        data[field.name] = value
                except BadInput as error:
                    errors[place] = str(error)
    return data, errors


def _read_leaf(raw: Any, leaf: Leaf, first: str) -> Iterator[Any]:
    """Yield the value of a leaf, or nothing if it is empty and its default applies."""
    if leaf.limit is None:
        yield raw == "on"
    elif leaf.is_many:
        yield [_read_text(text, leaf.limit) for text in raw if text]
    elif leaf.is_own_text:
        others = {code: text for code, text in raw.items() if code and text.strip()}
        yield from _read_one(raw[""], leaf, wraps={first: raw[""], **others} if others else None)
    else:
        yield from _read_one(raw, leaf)


def _read_one(text: str, leaf: Leaf, *, wraps: Mapping[str, str] | None = None) -> Iterator[Any]:
    """Yield a value, or the texts of several languages that `wraps` has."""
    assert leaf.limit is not None
    if text.strip():
        yield (
            {code: _read_text(each, leaf.limit) for code, each in wraps.items()}
            if wraps
            else _read_text(text, leaf.limit)
        )
    elif leaf.is_required or wraps:
        raise BadInput(_("This is needed."))


def _read_text(text: str, limit: Limit) -> Any:
    try:
        match limit:
            case WholeNumber():
                return limit.read(int(text.strip()), "")
            case NumberBetween() | Share() | AnyNumber():
                return limit.read(float(text.strip().replace(",", ".")), "")
            case _:
                return limit.read(text, "")
    except (BadInput, ValueError) as error:
        raise BadInput(limit_text(limit)) from error


def limit_text(limit: Limit) -> str:
    """Return a limit as a sentence."""
    match limit:
        case WholeNumber():
            return _("Enter a whole number from %(least)s to %(most)s.") % {
                "least": limit.minimum,
                "most": limit.maximum,
            }
        case NumberBetween():
            values = {"lower": f"{limit.lower:g}", "upper": f"{limit.upper:g}"}
            return _("Enter a number above %(lower)s and below %(upper)s.") % values
        case Share():
            return _("Enter a number from 0 to 1.")
        case AnyNumber():
            values = {"least": f"{-limit.largest:g}", "most": f"{limit.largest:g}"}
            return _("Enter a number from %(least)s to %(most)s.") % values
        case LanguageCode():
            return _("Enter codes of languages, such as en or de.")
        case TextUpTo() | TextsUpTo():
            return _("Enter a text of at most %(most)s characters.") % {"most": limit.maximum}
        case NameUpTo():
            text = _("Enter a name of at most %(most)s letters, digits, hyphens and underscores.")
            return text % {"most": limit.maximum}
        case OneOf():
            return _("Choose one of the values that are offered.")
