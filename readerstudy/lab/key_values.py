"""Names and values as a page tells them: in words, with units and sensible digits; nested ones as a table or JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.experiments.job_view import format_duration
from readerstudy.experiments.kinds import JobKind
from readerstudy.lab.labels import NAMES, REASONS, VALUES, Unit, Words

LENGTH = {"steps", "epochs"}  # the keys of a length of training
ORDER = {name: place for place, name in enumerate(NAMES)}
NEVER_AT_0 = {"criterion_first_met"}
LONG = 60  # characters of JSON that are worth a fold


@dataclass(frozen=True)
class Cell:
    """Words in a table, and whether they are of numbers, which stand to the right."""

    words: Words
    is_number: bool


@dataclass(frozen=True)
class Table:
    """Things of one kind below each other: their names in words, and a row of words for each thing."""

    columns: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Fact:
    """One name with its value in words; a table or a block of JSON instead where the value is nested.

    `label` says the name in words; empty where nobody has yet, then `name` stands for itself.
    """

    name: str
    label: Words = ""
    words: str = ""
    block: str = ""
    table: Table | None = field(default=None)


def facts(values: Mapping[str, Any]) -> list[Fact]:
    """In the order of `NAMES`; by name what has no words there."""
    return [_fact(name, values[name]) for name in sorted(values, key=_place)]


def _place(name: str) -> tuple[int, str]:
    return ORDER.get(name, len(ORDER)), name


def parameters_of(values: Mapping[str, Any], kind: JobKind | None) -> list[Fact]:
    """A job's parameters as its form calls them, in the form's order; what the form does not know, after those."""
    told: list[Fact] = []
    rest = dict(_flat(values, kind))
    for asked in kind.fields if kind else ():
        if asked.name in rest:
            value = rest.pop(asked.name)
            chosen = dict(asked.choices)
            words = [str(chosen.get(one, one)) for one in value] if isinstance(value, list) else None
            fact = _fact(asked.name.rpartition(".")[2], chosen.get(value, value) if words is None else ", ".join(words))
            told.append(Fact(asked.name, asked.title, fact.words, fact.block))
    return told + facts(rest)


def _flat(values: Mapping[str, Any], kind: JobKind | None) -> Mapping[str, Any]:
    """What stands in an object of its own by its name with a dot, as a form has it."""
    groups = {asked.name.partition(".")[0] for asked in kind.fields if "." in asked.name} if kind else set()
    flat = {name: value for name, value in values.items() if name not in groups or not isinstance(value, dict)}
    for group in groups & values.keys() - flat.keys():
        flat |= {f"{group}.{name}": value for name, value in values[group].items()}
    return flat


def _fact(name: str, value: Any) -> Fact:
    if isinstance(value, list) and value and all(_is_row(one) for one in value):
        return Fact(name, _label(name), table=_table(value))
    if isinstance(value, dict | list) and not _is_short(value):
        return Fact(name, _label(name), block=json.dumps(value, indent=2, ensure_ascii=False))
    return Fact(name, _label(name), words=_said(value, name))


def _is_row(value: Any) -> bool:
    return isinstance(value, dict) and not any(isinstance(part, list) or _is_nested(part) for part in value.values())


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() != LENGTH


def _is_short(value: Any) -> bool:
    if isinstance(value, dict):
        return value.keys() == LENGTH
    return all(isinstance(one, str) for one in value) or len(json.dumps(value)) <= LONG


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    names = sorted({name for row in rows for name in row}, key=lambda name: (name != "number", _place(name)))
    numbers = {name: all(_is_number(row.get(name)) for row in rows) for name in names}
    return Table(
        [Cell(_label(name) or name, numbers[name]) for name in names],
        [[Cell(_said(row.get(name), name), numbers[name]) for name in names] for row in rows],
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _label(name: str) -> Words:
    return NAMES[name][0] if name in NAMES else ""


def _said(value: Any, name: str) -> str:
    """A value in words; a dash for none."""
    if value is None or value == "" or value == [] or (name in NEVER_AT_0 and value == 0):
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict) and value.keys() == LENGTH:
        return _length(value)
    if isinstance(value, list):
        return ", ".join(_said(one, name) for one in value)
    if isinstance(value, int | float):
        return _measured(value, NAMES[name][1] if name in NAMES else Unit.PLAIN)
    return REASONS.in_language(value) if name == "reason" else str(VALUES.get((name, value), value))


def _measured(value: float, unit: Unit) -> str:
    match unit:
        case Unit.TIME:
            return duration(value)
        case Unit.SHARE:
            return _("%(share)s %%") % {"share": figure(100 * value, digits=3)}
        case Unit.LEVELS:
            return _("%(levels)s grey levels") % {"levels": figure(value)}
        case Unit.DECIBEL:
            return _("%(figure)s dB") % {"figure": in_figures(f"{value:.1f}")}
        case Unit.PLAIN:
            return figure(value)


def figure(value: float, *, digits: int = 4) -> str:
    """A whole number as it is, another one with so many digits that tell, with the language's decimal sign."""
    if isinstance(value, int):
        return in_figures(str(value))
    # From there on `g` would write an exponent.
    return in_figures(f"{value:.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}")


def in_figures(text: str) -> str:
    """A number as Python writes it with a minus sign and the language's decimal sign."""
    return text.replace("-", "−").replace(".", str(get_format("DECIMAL_SEPARATOR")))


def duration(seconds: float) -> str:
    """A length of time in minutes and seconds; from an hour on as `format_duration` says it."""
    whole = round(seconds)
    if whole < 60:
        return _("%(seconds)s s") % {"seconds": figure(round(seconds, 1) if seconds < 10 else whole)}
    if whole >= 3600:
        return format_duration(seconds)
    return _("%(minutes)s min %(seconds)s s") % {"minutes": whole // 60, "seconds": whole % 60}


def _length(value: Mapping[str, int]) -> str:
    """So many steps, so many epochs, or both; a dash where it is none."""
    steps = ngettext("%(number)s step", "%(number)s steps", value["steps"]) % {"number": value["steps"]}
    epochs = ngettext("%(number)s epoch", "%(number)s epochs", value["epochs"]) % {"number": value["epochs"]}
    return ", ".join(words for number, words in ((value["steps"], steps), (value["epochs"], epochs)) if number) or "–"
