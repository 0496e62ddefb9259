"""Starting a job: the one way, for pages, API, administration and commands."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.experiments.catalogue import kind_named
from readerstudy.experiments.kinds import MANY, Field, Kind, Sort
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import enqueue, new_job

NAME = re.compile(r"[-A-Za-z0-9_]{1,64}")


@transaction.atomic
def start_job(
    *, kind: str, parameters: Mapping[str, Any], requested_by: User | None, at: datetime, here: bool = False
) -> Job:
    """Check the parameters against the catalogue, fill in defaults, and queue the job; `here`: the caller runs it.

    Where the same work waits or runs already, that job. `requested_by` is None at the server's terminal. Raises
    NotAllowed for anybody but a researcher, BadInput with a sentence that names the parameter.
    """
    if requested_by is not None and not requested_by.is_researcher:
        raise NotAllowed(_("Only a researcher may start jobs."))
    described = kind_named(kind)
    clean = checked(described, parameters)
    job = new_job(described.task, clean, requested_by=requested_by, at=at, queue=described.queue)
    if job.queued_at == at:  # not one that was there before
        record("job.started", actor=requested_by, subject=job, at=at, task=job.task)
    if not here:
        enqueue(job)
    return job


def checked(kind: Kind, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the task gets them: every one of the kind's, in its own type, and no other."""
    flat = _flat(parameters)
    if unknown := [name for name in flat if kind.field(name) is None]:
        raise BadInput(f"{', '.join(unknown)}: {kind.key} has no such parameter.")
    clean: dict[str, Any] = {}
    for field in kind.fields:
        if field.needs and not flat.get(field.needs):
            continue
        value = _value(field, flat.get(field.name))
        if value is None and field.optional:
            continue
        group, _dot, name = field.name.rpartition(".")
        (clean.setdefault(group, {}) if group else clean)[name] = value
    return clean


def _flat(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """{"attack": {"method": …}} as {"attack.method": …}."""
    flat: dict[str, Any] = {}
    for name, value in parameters.items():
        flat.update(
            {f"{name}.{key}": item for key, item in value.items()} if isinstance(value, Mapping) else {name: value}
        )
    return flat


def _value(field: Field, given: Any) -> Any:
    """The parameter's value in its own type; raises BadInput with a sentence that begins with its name."""
    value = field.default if given is None else given
    if value is None or (value in ("", [], ()) and field.sort is not Sort.TEXT):
        if field.optional:
            return None
        raise BadInput(f"{field.name}: " + _("this has to be given."))
    if field.sort in MANY:
        return [_one(field, item) for item in dict.fromkeys([value] if isinstance(value, str) else value)]
    return _one(field, value)


def _one(field: Field, value: Any) -> Any:
    if field.sort in (Sort.WHOLE, Sort.NUMBER, Sort.LEVELS):
        return _number(field, value)
    if field.sort is Sort.FLAG:
        return bool(value)
    text = str(value)
    if field.sort in (Sort.CHOICE, Sort.CHOICES) and text not in (known := [key for key, _title in field.choices]):
        raise BadInput(f"{field.name}: {text!r} is none of {', '.join(known)}.")
    if field.sort is Sort.SLUG and not NAME.fullmatch(text):
        raise BadInput(f"{field.name}: " + _("use letters, digits, hyphens and underscores, 64 at most."))
    _exists(field, text)
    return text


def _number(field: Field, value: Any) -> int | float:
    try:
        number = (
            _levels(value) if field.sort is Sort.LEVELS else int(value) if field.sort is Sort.WHOLE else float(value)
        )
    except (TypeError, ValueError, ZeroDivisionError):
        raise BadInput(f"{field.name}: {value!r} is not a number.") from None
    low, high = field.least, field.most
    if (low is not None and number < low) or (high is not None and number > high):
        raise BadInput(f"{field.name}: {number} is not from {low} to {high if high is not None else '∞'}.")
    return number


def _levels(value: Any) -> float:
    """Grey levels of 16 bits: 1028 as it is, "4/255" as that share of full scale."""
    part, slash, whole = str(value).partition("/")
    return 65535 * float(part) / float(whole) if slash else float(part)


def _exists(field: Field, name: str) -> None:
    """Raises the sentence of the register where there is no such run or attack."""
    if field.sort in (Sort.CLASSIFIER, Sort.CLASSIFIERS):
        Checkpoint.named(name, CheckpointKind.CLASSIFIER)
    elif field.sort is Sort.ATTACKS:
        Attack.named(name)
    elif field.sort in (Sort.REMOVER, Sort.INSERTER):
        direction = "remove" if field.sort is Sort.REMOVER else "insert"
        if (run := Checkpoint.named(name, CheckpointKind.GENERATOR)).direction != direction:
            raise BadInput(f"{field.name}: {run.name} was trained to {run.direction}, not to {direction}.")
