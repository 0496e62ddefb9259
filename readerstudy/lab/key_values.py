"""Settings and measurements of jobs as labels and values with units; nested ones as a table or as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.experiments.job_view import format_duration
from readerstudy.experiments.kinds import JobKind, Text
from readerstudy.lab.labels import NAMES, Labels, Unit
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Column, Kind, Table
from readerstudy.modalities.words import LabWords
from readerstudy.results.gan_stages import Criterion, StageEndReason, criterion_text, stage_end_text
from readerstudy.serialise import from_dict

NONE: Final = "–"
MAXIMUM_SHORT: Final = 60  # characters of JSON; longer values are folded away
STEPS_AND_EPOCHS: Final = {"steps", "epochs"}  # the keys of a length of training
REASON: Final = {"kind", "criterion"}  # the keys of a `StageEndReason`
CRITERION: Final = {"quantity", "sense", "bound"}  # the keys of a `Criterion`
NONE_IF_ZERO: Final = ("criterion_first_met",)
_ORDER: Final = {name: index for index, name in enumerate(NAMES)}


@dataclass(frozen=True)
class Fact:
    """A name with its value as text, or as a table or a block of JSON if the value is nested.

    `label` is the translated name; empty if there is none, then `name` is shown.
    """

    name: str
    label: Text = ""
    text: str = ""
    block: str = ""
    table: Table | None = None


def facts(values: Mapping[str, Any], *, group: str = "fact", words: LabWords | None = None) -> list[Fact]:
    """Return the values in the order of `NAMES`, then the others by name.

    The keys of tables begin with `group`, so that they differ from those of other groups on the same page. `words` are
    those of the modality, if the values belong to one.
    """
    return [_fact(name, values[name], group, Labels(words)) for name in sorted(values, key=_rank)]


def parameter_facts(values: Mapping[str, Any], kind: JobKind | None) -> list[Fact]:
    """Return a job's parameters with the titles and in the order of the kind's form, then unknown parameters."""
    rest = _flat(values, kind)
    known: list[Fact] = []
    for field in kind.fields if kind else ():
        if field.name in rest:
            value = rest.pop(field.name)
            titles = {key: str(title) for key, title in field.choices}
            value = [titles.get(item, item) for item in value] if isinstance(value, list) else titles.get(value, value)
            fact = _fact(field.name.rpartition(".")[2], value, "parameter", Labels())
            known.append(Fact(field.name, field.title, fact.text, fact.block))
    return known + facts(rest, group="parameter")


def _rank(name: str) -> tuple[int, str]:
    return _ORDER.get(name, len(_ORDER)), name


def _flat(values: Mapping[str, Any], kind: JobKind | None) -> dict[str, Any]:
    """Return {"attack": {"method": …}} as {"attack.method": …} for the groups of the kind."""
    groups = {field.name.partition(".")[0] for field in kind.fields if "." in field.name} if kind else set()
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if name in groups and isinstance(value, dict):
            flat.update({f"{name}.{key}": item for key, item in value.items()})
        else:
            flat[name] = value
    return flat


def _fact(name: str, value: Any, group: str, labels: Labels) -> Fact:
    label = labels.name(name)
    if isinstance(value, list) and value and all(_is_row(item) for item in value):
        return Fact(name, label, table=_table(f"{group}-{name}", label or name, value, labels))
    if isinstance(value, dict | list) and not _is_short(value):
        return Fact(name, label, block=json.dumps(value, indent=2, ensure_ascii=False, default=str))
    return Fact(name, label, _text(value, name, labels))


def _table(key: str, title: Text, rows: Sequence[Mapping[str, Any]], labels: Labels) -> Table:
    names = sorted({name for row in rows for name in row}, key=lambda name: (name != "number", _rank(name)))
    numbers = {name for name in names if all(_is_number(row.get(name)) for row in rows)}
    return Table(
        key=key,
        title=str(title),
        caption="",
        columns=tuple(
            Column(name, str(labels.name(name) or name), Kind.MIXED if name in numbers else Kind.TEXT) for name in names
        ),
        rows=tuple(tuple(_text(row.get(name), name, labels) for name in names) for row in rows),
    )


def _is_row(value: Any) -> bool:
    """Return whether every part of an object fits into a cell."""
    if not isinstance(value, dict):
        return False
    return not any(isinstance(part, list) or (isinstance(part, dict) and not _is_flat(part)) for part in value.values())


def _is_flat(value: Mapping[str, Any]) -> bool:
    """Return whether an object is written as one phrase."""
    return value.keys() in (STEPS_AND_EPOCHS, REASON, CRITERION)


def _is_short(value: Any) -> bool:
    if isinstance(value, dict):
        return _is_flat(value)
    return all(isinstance(item, str) for item in value) or len(json.dumps(value)) <= MAXIMUM_SHORT


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any, name: str, labels: Labels) -> str:
    """Return the value in the active language; a dash for none."""
    if name in NONE_IF_ZERO and value == 0:
        return NONE
    match value:
        case None | "" | []:
            return NONE
        case bool():
            return _("yes") if value else _("no")
        case dict():
            return _object_text(value)
        case list():
            return ", ".join(_text(item, name, labels) for item in value)
        case int() | float():
            return _number_text(value, NAMES[name][1] if name in NAMES else Unit.PLAIN)
    return str(labels.value(name, value))


def _object_text(value: Mapping[str, Any]) -> str:
    if value.keys() == STEPS_AND_EPOCHS:
        return _training_length(value)
    if value.keys() == REASON:
        return stage_end_text(from_dict(StageEndReason, value), _, localise)
    if value.keys() == CRITERION:
        return criterion_text(from_dict(Criterion, value), _, localise)
    return json.dumps(value, ensure_ascii=False)


def _number_text(value: float, unit: Unit) -> str:
    match unit:
        case Unit.TIME:
            return duration(value)
        case Unit.SHARE:
            return _("%(share)s %%") % {"share": figure(100 * value, digits=3)}
        case Unit.LEVELS:
            return _("%(levels)s grey levels") % {"levels": figure(value)}
        case Unit.DECIBEL:
            return _("%(figure)s dB") % {"figure": localise(f"{value:.1f}")}
        case Unit.PLAIN:
            return figure(value)


def figure(value: float, *, digits: int = 4) -> str:
    """Return a whole number as it is, another one with `digits` significant digits, in the active language."""
    if isinstance(value, int):
        return localise(str(value))
    # For larger numbers `g` would write an exponent.
    return localise(f"{value:.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}")


def duration(seconds: float) -> str:
    """Return a duration in minutes and seconds; from an hour on as `format_duration` does."""
    whole = round(seconds)
    if whole < 60:
        return _("%(seconds)s s") % {"seconds": figure(round(seconds, 1) if seconds < 10 else whole)}
    if whole >= 3600:
        return format_duration(seconds)
    return _("%(minutes)s min %(seconds)s s") % {"minutes": whole // 60, "seconds": whole % 60}


def _training_length(value: Mapping[str, int]) -> str:
    """Return the steps, the epochs, or both; a dash if both are 0."""
    steps = ngettext("%(number)s step", "%(number)s steps", value["steps"]) % {"number": value["steps"]}
    epochs = ngettext("%(number)s epoch", "%(number)s epochs", value["epochs"]) % {"number": value["epochs"]}
    return ", ".join(text for number, text in ((value["steps"], steps), (value["epochs"], epochs)) if number) or NONE
