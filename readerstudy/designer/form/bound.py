"""The form with what was typed, ready for a template: each field with its control, value, choices and error."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from readerstudy.designer.form.labels import row_of
from readerstudy.designer.form.raw import Errors, Raw, join
from readerstudy.designer.form.row import SECTION_TITLES, Row, Section
from readerstudy.designer.form.schema import Leaf, Rows, Table, protocol_form
from readerstudy.layout.numbers import localise
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.comparisons import Comparison
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.questions import Question
from readerstudy.protocol.sessions import SessionKind
from readerstudy.protocol.texts import LanguageCode, TextsUpTo
from readerstudy.protocol.values import AnyNumber, NumberBetween, OneOf, Share, TextUpTo, WholeNumber

_LINE: Final = 200  # a text that may be longer gets several lines

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Offers:
    """What the cohort has to choose from."""

    attacks: tuple[str, ...] = ()
    resolutions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """One value to choose."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class BoundLeaf:
    """One field. `control` is text, area, number, select, ticks, tick or hidden; `name` is also its id."""

    name: str
    leaf: Leaf
    row: Row
    control: str
    value: str
    options: tuple[Option, ...]
    error: str
    language: str = ""  # of the value; empty unless the study has several
    translations: "tuple[BoundText, ...]" = ()

    is_leaf = True

    @property
    def owner(self) -> type[Any]:
        return self.leaf.owner


@dataclass(frozen=True)
class BoundText:
    """A text in another language than the first."""

    name: str
    language: str
    value: str


@dataclass(frozen=True)
class BoundRows:
    """A list of tables."""

    name: str
    node: Rows
    row: Row
    items: "tuple[BoundTable, ...]"
    error: str

    is_rows = True

    @property
    def owner(self) -> type[Any]:
        return self.node.owner

    @property
    def is_full(self) -> bool:
        return len(self.items) >= self.node.most

    @property
    def are_questions(self) -> bool:
        """Whether the predefined questions can be added."""
        return self.node.item.kind is Question

    @property
    def last(self) -> str:
        """The name of the last row."""
        return self.items[-1].name if self.items else ""


@dataclass(frozen=True)
class Part:
    """The fields of one section of a table."""

    section: Section
    title: str
    fields: "tuple[BoundLeaf | BoundRows, ...]"

    @property
    def has_error(self) -> bool:
        return any(_has_error(field) for field in self.fields)


@dataclass(frozen=True)
class BoundTable:
    """The fields of a dataclass in parts; those of nested dataclasses stand among them."""

    kind: type[Any]
    name: str
    number: int
    parts: tuple[Part, ...]
    error: str
    values: Mapping[str, Any]

    @property
    def head(self) -> "tuple[BoundLeaf | BoundRows, ...]":
        """The fields that are always visible."""
        return next((part.fields for part in self.parts if part.section == Section.HEAD), ())

    @property
    def own(self) -> "tuple[BoundLeaf | BoundRows, ...]":
        """The visible fields of the dataclass itself."""
        return tuple(field for field in self.head if field.owner is self.kind)

    @property
    def nested(self) -> "tuple[BoundLeaf | BoundRows, ...]":
        """The visible fields of dataclasses inside it."""
        return tuple(field for field in self.head if field.owner is not self.kind)

    @property
    def hidden(self) -> "tuple[BoundLeaf | BoundRows, ...]":
        """The fields that are passed on as they are."""
        return next((part.fields for part in self.parts if part.section == Section.HIDDEN), ())

    @property
    def folded(self) -> tuple[Part, ...]:
        """The parts that are folded."""
        return tuple(part for part in self.parts if part.section in SECTION_TITLES)

    @property
    def has_error(self) -> bool:
        return bool(self.error) or any(part.has_error for part in self.parts)

    @property
    def heading(self) -> str:
        """The title of a session, as it is typed; one of the software's own is translated."""
        return _said(self.values["title"][""])

    @property
    def image_total(self) -> str:
        """The images of a session in all; empty unless its counts are numbers."""
        real, adversarial = self._counts
        return "" if real is None or adversarial is None else str(real + adversarial)

    @property
    def image_share(self) -> str:
        """The percentage of adversarial images of a session; empty as for the total."""
        real, adversarial = self._counts
        if real is None or adversarial is None or not real + adversarial:
            return ""
        return localise(f"{100 * adversarial / (real + adversarial):.3g}")

    @property
    def _counts(self) -> tuple[int | None, int | None]:
        if self.values["images_of"] not in ("", "0"):
            return None, None
        real, adversarial = (self.values[name].strip() for name in ("real", "adversarial"))
        return (int(real) if real.isdigit() else None, int(adversarial) if adversarial.isdigit() else None)


def bind(raw: Raw, errors: Errors, offers: Offers) -> BoundTable:
    """Return the form with these values and errors."""
    return _Binder(raw, errors, offers).table(protocol_form(), raw, "")


def _said(title: str) -> str:
    # The translation of the empty text is the header of the catalogue.
    return _(title) if title else ""


def _has_error(field: BoundLeaf | BoundRows) -> bool:
    if isinstance(field, BoundRows):
        return bool(field.error) or any(item.has_error for item in field.items)
    return bool(field.error)


class _Binder:
    def __init__(self, raw: Raw, errors: Errors, offers: Offers) -> None:
        self.errors, self.offers, self.languages = errors, offers, raw["languages"]
        self.sessions = [
            (str(number), _("%(number)s: %(title)s") % {"number": number, "title": _said(session["title"][""])})
            for number, session in enumerate(raw["sessions"], start=1)
        ]
        kinds = [session["kind"] for session in raw["sessions"]]
        self.readings = [each for each, kind in zip(self.sessions, kinds, strict=True) if kind == SessionKind.BLINDED]

    def table(self, table: Table, raw: Mapping[str, Any], name: str, number: int = 0) -> BoundTable:
        fields = list(self._fields(table, raw, name))
        parts = tuple(
            Part(section, str(SECTION_TITLES.get(section, "")), tuple(each for own, each in fields if own == section))
            for section in Section
        )
        parts = tuple(part for part in parts if part.fields)
        return BoundTable(table.kind, name, number, parts, self.errors.get(name, ""), raw)

    def _fields(
        self, table: Table, raw: Mapping[str, Any], name: str
    ) -> Iterator[tuple[Section, BoundLeaf | BoundRows]]:
        for node in table.fields:
            row, place = row_of(table.kind, node.name), join(name, node.name)
            match node:
                case Table():
                    yield from self._fields(node, raw[node.name], place)
                case Rows():
                    yield row.section, self._rows(node, row, raw[node.name], place)
                case Leaf():
                    yield row.section, self._leaf(node, row, raw[node.name], place)

    def _rows(self, node: Rows, row: Row, raw: Sequence[Mapping[str, Any]], name: str) -> BoundRows:
        items = tuple(
            self.table(node.item, values, join(name, number), number) for number, values in enumerate(raw, start=1)
        )
        return BoundRows(name, node, row, items, self.errors.get(name, ""))

    def _leaf(self, leaf: Leaf, row: Row, raw: Any, name: str) -> BoundLeaf:
        if leaf.is_own_text:
            return self._own_text(leaf, row, raw, name)
        if isinstance(leaf.limit, LanguageCode):
            return BoundLeaf(name, leaf, row, "text", ", ".join(raw), (), self.errors.get(name, ""))
        offered = self._choices(leaf, row)
        chosen = raw if leaf.is_many else [raw]
        # What somebody chose before stays visible, also if it is offered no more.
        may_be_unknown = bool(offered) or leaf.is_many
        unknown = [(value, value) for value in chosen if may_be_unknown and value and value not in dict(offered)]
        # What has not been chosen yet is not shown as if it were the first value.
        unset = [("", "–")] if offered and raw == "" and "" not in dict(offered) else []
        options = tuple(Option(value, label, value in chosen) for value, label in [*unset, *offered, *unknown])
        control = "hidden" if row.section == Section.HIDDEN else _control(leaf, row, options)
        return BoundLeaf(name, leaf, row, control, "" if leaf.is_many else raw, options, self.errors.get(name, ""))

    def _own_text(self, leaf: Leaf, row: Row, raw: Mapping[str, str], name: str) -> BoundLeaf:
        first = self.languages[0] if len(self.languages) > 1 else ""
        texts = tuple(BoundText(join(name, code), code, raw.get(code, "")) for code in self.languages[1:])
        control = _control(leaf, row, ())
        return BoundLeaf(name, leaf, row, control, raw[""], (), self.errors.get(name, ""), first, texts)

    def _choices(self, leaf: Leaf, row: Row) -> Choices:
        """Return the values to choose from; empty if any value within the limit can be typed."""
        place = (leaf.owner, leaf.name)
        blank = [("", "–")] if leaf.is_optional and not leaf.is_many else []
        if place in ((Protocol, "attacks"), (ProtocolSession, "attacks")):
            return [(name, name) for name in self.offers.attacks]
        if place in ((Protocol, "resolution"), (ProtocolSession, "resolution")):
            return [*blank, *((name, name) for name in self.offers.resolutions)]
        if leaf.owner in (AnalysisPlan, Comparison) and leaf.name in ("before", "after"):
            return self.readings
        if place == (Protocol, "crossover"):
            return self.sessions
        if place == (ProtocolSession, "repeat_of"):
            return [("0", _("This session")), *self.readings]
        if place == (ProtocolSession, "images_of"):
            return [("0", _("Images of its own")), *self.readings]
        if place == (Protocol, "persons_to_unseal"):
            return [(value, str(label)) for value, label in row.choices.items()]
        if isinstance(leaf.limit, OneOf):
            return [*blank, *((value, str(row.choices.get(value, value))) for value in leaf.limit.values)]
        return []


def _control(leaf: Leaf, row: Row, options: tuple[Option, ...]) -> str:
    if leaf.limit is None:
        return "tick"
    if leaf.is_many:
        return "ticks"
    if options:
        return "select"
    if isinstance(leaf.limit, WholeNumber | NumberBetween | Share | AnyNumber):
        return "number"
    is_long = row.lines > 1 or (isinstance(leaf.limit, TextUpTo | TextsUpTo) and leaf.limit.maximum > _LINE)
    return "area" if is_long else "text"
