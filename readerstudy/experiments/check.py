"""Checks of job parameters: types and ranges by the catalogue, and names against the database."""

import math
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from django.utils.translation import gettext as _

from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput, StudyError
from readerstudy.experiments.catalogue import ATTACK, EVALUATE, GENERATE, KINDS
from readerstudy.experiments.fields import METHODS, POST_PROCESSING, PRESETS, SHARED_SETTINGS, STRENGTH
from readerstudy.experiments.kinds import SEVERAL, Field, FieldType, JobKind
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind
from readerstudy.imaging.image import WHITE
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.modalities.modality import Modality
from readerstudy.names import name_error
from readerstudy.vocabulary import SYNTHETIC

MAXIMUM_TEXT: Final = 1000
# Several jobs can make one attack with different values of these; the other parameters identify the attack.
SELECTION: Final = ("resolutions", "splits", "training_images")

Parameters = dict[str, Any]


class InvalidParameter(BadInput):
    """A parameter is missing, unknown, out of range or in conflict with what exists. `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


def check_parameters(kind: JobKind, parameters: Mapping[str, Any]) -> Parameters:
    """Return the parameters as the task receives them: the fields of the kind, each in its type, with defaults.

    Raises InvalidParameter.
    """
    flat = _flat(parameters)
    for name in flat:
        if kind.field(name) is None:
            raise InvalidParameter(name, f"{kind.key} has no such parameter.")
    values: Parameters = {}
    for field in kind.fields:
        if field.needs and field.needs not in values:
            continue
        value = _value(field, flat.get(field.name))
        if value is not None:
            values[field.name] = value
    for field in kind.fields:
        if field.derived_default and field.name not in values:
            values[field.name] = _name(field, _derived(field.derived_default, values))
    cohort = Cohort.named(values["cohort"])
    _check_cohort(kind, cohort, values)
    _check_post_processing(cohort.modality, values, flat)
    _check_attack_settings(values)
    nested = _nested(kind, values)
    _check_names(kind, values, nested)
    return nested


def _flat(parameters: Mapping[str, Any]) -> Parameters:
    """Return {"attack": {"method": …}} as {"attack.method": …}."""
    flat: Parameters = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            flat.update({f"{name}.{key}": item for key, item in value.items()})
        else:
            flat[name] = value
    return flat


def _nested(kind: JobKind, values: Parameters) -> Parameters:
    """Return the inverse of `_flat`, in the order of the catalogue."""
    nested: Parameters = {}
    for field in kind.fields:
        if field.name in values:
            group, _dot, name = field.name.rpartition(".")
            (nested.setdefault(group, {}) if group else nested)[name] = values[field.name]
    return nested


def _derived(pattern: str, values: Parameters) -> str:
    return re.sub(r"\{([a-z_.]+)\}", lambda match: str(values[match[1]]), pattern)


# --- one value ------------------------------------------------------------------------------------------------
def _value(field: Field, value: Any) -> Any:
    """Return the value in the field's type; None for an optional or derived field without a value."""
    if value in (None, "", [], ()):
        value = None if field.derived_default else field.default
    if value is None:
        if field.is_required:
            raise InvalidParameter(field.name, _("this is required."))
        return None
    if field.type not in SEVERAL:
        return _item(field, value)
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise InvalidParameter(field.name, f"{value!r} is not a list of names.")
    return [_item(field, item) for item in dict.fromkeys(items)]


def _item(field: Field, value: Any) -> Any:
    match field.type:
        case FieldType.INTEGER | FieldType.NUMBER:
            return _number(field, value)
        case FieldType.BUDGET:
            return _budget(field, value)
        case FieldType.FLAG:
            if not isinstance(value, bool):
                raise InvalidParameter(field.name, f"{value!r} is neither true nor false.")
            return value
        case FieldType.NAME:
            return _name(field, _text(field, value))
        case FieldType.CHOICE | FieldType.CHOICES | FieldType.METHOD:
            return _choice(field, _text(field, value))
        case FieldType.SUFFIX | FieldType.FILE:
            return _text(field, value)
        case FieldType.SETTINGS:
            return "; ".join(_text(field, item) for item in (value if isinstance(value, list) else [value]))
        case (
            FieldType.COHORT
            | FieldType.CLASSIFIER
            | FieldType.CLASSIFIERS
            | FieldType.REMOVER
            | FieldType.INSERTER
            | FieldType.ATTACKS
        ):
            return _existing(field, _text(field, value))


def _text(field: Field, value: Any) -> str:
    """Return the value if it is a text that the database can store. Raises InvalidParameter."""
    if not isinstance(value, str) or len(value) > MAXIMUM_TEXT or "\0" in value:
        raise InvalidParameter(field.name, f"must be a text of at most {MAXIMUM_TEXT} characters.")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidParameter(field.name, "contains characters that are not text.")
    return value


def _name(field: Field, name: str) -> str:
    if error := name_error(name):
        raise InvalidParameter(field.name, error)
    return name


def _choice(field: Field, value: str) -> str:
    known = [key for key, _title in field.choices]
    if value not in known:
        raise InvalidParameter(field.name, f"{value!r} is none of {', '.join(known)}.")
    return value


def _number(field: Field, value: Any) -> int | float:
    try:
        number = float(value)
        if isinstance(value, bool) or not math.isfinite(number):
            raise ValueError
        if field.type is FieldType.INTEGER:
            number = int(value)
            if number != float(value):
                raise ValueError
    except (TypeError, ValueError, OverflowError):
        kind = _("a whole number") if field.type is FieldType.INTEGER else _("a number")
        raise InvalidParameter(field.name, _("%(value)r is not %(kind)s.") % {"value": value, "kind": kind}) from None
    low, high = field.minimum, field.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise InvalidParameter(field.name, f"{number} is not from {low} to {high if high is not None else '∞'}.")
    return number


def _budget(field: Field, value: Any) -> int:
    """Return 16-bit grey levels for a number of them, or for a share of full scale such as 4/255 (rounded down)."""
    text = f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
    try:
        levels = int(Fraction(text) * WHITE) if "/" in text else int(text)
    except (ValueError, ZeroDivisionError):
        message = _("%(value)r is not a number of grey levels or a share such as 4/255.") % {"value": value}
        raise InvalidParameter(field.name, message) from None
    if not 1 <= levels <= WHITE:
        message = _("%(value)s is not from 1 to %(maximum)s grey levels.") % {"value": value, "maximum": WHITE}
        raise InvalidParameter(field.name, message)
    return levels


def _existing(field: Field, name: str) -> str:
    """Return the name if there is such a cohort, run or attack. Raises InvalidParameter."""
    try:
        match field.type:
            case FieldType.COHORT:
                Cohort.named(name)
            case FieldType.CLASSIFIER | FieldType.CLASSIFIERS:
                Checkpoint.named(name, CheckpointKind.CLASSIFIER)
            case FieldType.ATTACKS:
                Attack.named(name)
            case FieldType.REMOVER | FieldType.INSERTER:
                direction = "remove" if field.type is FieldType.REMOVER else "insert"
                run = Checkpoint.named(name, CheckpointKind.GENERATOR)
                if run.direction != direction:
                    raise BadInput(f"{name} was trained to {run.direction}, not to {direction}.")
    except StudyError as error:
        raise InvalidParameter(field.name, str(error)) from error
    return name


# --- several values -------------------------------------------------------------------------------------------
def _check_cohort(kind: JobKind, cohort: Cohort, values: Parameters) -> None:
    """Fill in the resolutions that the cohort stores.

    Raises InvalidParameter for another resolution, and for a preset of another modality.
    """
    presets = dict(_presets(values))
    for name, preset in presets.items():
        if preset in PRESETS and preset not in cohort.modality.presets:
            raise InvalidParameter(
                name,
                _("the preset %(preset)s is not for %(modality)s; there are: %(known)s.")
                % {"preset": preset, "modality": cohort.modality.title, "known": ", ".join(cohort.modality.presets)},
            )
    if kind.field("resolutions") and "resolutions" not in values:
        values["resolutions"] = list(cohort.resolutions)
    stored = ", ".join(cohort.resolutions)
    for name, resolution in _needed_resolutions(values, presets, cohort.modality):
        if resolution not in cohort.resolutions:
            raise InvalidParameter(
                name,
                _("needs the %(resolution)s resolution; the cohort %(cohort)s stores: %(stored)s.")
                % {"resolution": resolution, "cohort": cohort.name, "stored": stored},
            )


def _presets(values: Parameters) -> Iterator[tuple[str, str]]:
    """Yield each parameter that names or implies a preset, with the preset."""
    if "preset" in values:
        yield "preset", values["preset"]
    if "classifier" in values:  # a generator has the preset of its target classifier
        yield "classifier", Checkpoint.named(values["classifier"], CheckpointKind.CLASSIFIER).preset


def _needed_resolutions(
    values: Parameters, presets: Mapping[str, str], modality: Modality
) -> Iterator[tuple[str, str]]:
    """Yield each parameter with a resolution that it needs."""
    for resolution in values.get("resolutions", ()):
        yield "resolutions", resolution
    if "resolution" in values:
        yield "resolution", values["resolution"]
    for name, preset in presets.items():
        # A detector reads its own resolution, whatever its preset.
        if preset in modality.presets and not (name == "preset" and "resolution" in values):
            yield name, modality.presets[preset]


def _check_post_processing(modality: Modality, values: Parameters, given: Parameters) -> None:
    """Turn off the steps that the modality does not have. Raises InvalidParameter for one that was asked for.

    `given` are the parameters without defaults.
    """
    for name in (field.name for field in POST_PROCESSING if field.name in values):
        if name not in modality.post_processing:
            if given.get(name):
                known = ", ".join(modality.post_processing)
                message = _("%(modality)s has no such step; it has: %(known)s.")
                raise InvalidParameter(name, message % {"modality": modality.title, "known": known or "–"})
            values[name] = False


def _check_attack_settings(values: Parameters) -> None:
    """Raise InvalidParameter for settings that the method does not have. The worker checks their values."""
    method = next((method for method in METHODS if method.key == values.get("attack.method")), None)
    if method is None:
        return
    known = (*method.settings, *SHARED_SETTINGS)
    chosen: list[tuple[str, str]] = [
        (f"attack.{name}", name) for name in ("epsilon", "steps") if f"attack.{name}" in values
    ]
    for part in filter(None, map(str.strip, values.get("attack.settings", "").split(";"))):
        setting, equals, value = (text.strip() for text in part.partition("="))
        if not (setting and equals and value):
            raise InvalidParameter("attack.settings", f"a setting is written NAME=VALUE, not {part!r}.")
        chosen.append(("attack.settings", setting))
    for field, setting in chosen:
        if setting not in known:
            message = f"{method.key} has no setting {setting}; it has: {', '.join(known)}."
            raise InvalidParameter(field, message)


# --- names ----------------------------------------------------------------------------------------------------
def _check_names(kind: JobKind, values: Parameters, nested: Parameters) -> None:
    """Raise InvalidParameter for names that are in use, and for evaluations without an attack."""
    _check_pairs("augmentation.attacks", values)
    match kind.key:
        case GENERATE.key:
            _check_generator_attacks(values)
        case ATTACK.key:
            _check_attack_name(kind, values, nested)
        case EVALUATE.key:
            _check_evaluated_attacks(values)
        case _:
            _check_run_name(kind, values, nested)


def _check_run_name(kind: JobKind, values: Parameters, nested: Parameters) -> None:
    """Raise InvalidParameter if a different run has the name. A job for the same run returns or resumes it."""
    name = values["name"]
    run = Checkpoint.objects.filter(name=name).select_related("job").first()
    naming = [other.key for other in KINDS if other.field("name")]
    jobs = Job.objects.filter(kind__in=naming, parameters__name=name)
    others = [*jobs.exclude(status__in=(JobStatus.FAILED, JobStatus.CANCELLED)), *([run.job] if run else [])]
    if not all(job and _is_same(kind, job, nested) for job in others):
        message = _("the run %(name)s exists already, with other settings; choose another name.") % {"name": name}
        raise InvalidParameter("name", message)


def _check_attack_name(kind: JobKind, values: Parameters, nested: Parameters) -> None:
    """Raise InvalidParameter if a different attack has the name. A job for the same attack continues it."""
    name = values["attack.name"]
    attack = Attack.objects.filter(name=name).select_related("job").first()
    under_way = Job.objects.filter(kind=kind.key, parameters__attack__name=name)
    others = [
        *under_way.filter(status__in=(JobStatus.QUEUED, JobStatus.RUNNING)),
        *([attack.job] if attack else []),
    ]
    if not all(job and _is_same(kind, job, nested) for job in others):
        message = _("the attack %(name)s exists already, with other settings; choose another name.") % {"name": name}
        raise InvalidParameter("attack.name", message)


def _is_same(kind: JobKind, job: Job, parameters: Parameters) -> bool:
    """Return whether a job makes the same run or attack as these parameters would."""
    ignored = {*SELECTION, *(field.name for field in kind.fields if not field.changes_result)}
    wanted = {name: value for name, value in parameters.items() if name not in ignored}
    existing = {name: value for name, value in job.parameters.items() if name not in ignored}
    return job.kind == kind.key and wanted == existing


def _check_generator_attacks(values: Parameters) -> None:
    """Raise InvalidParameter if an attack of that name has another generator, cohort or other settings.

    The name is that of the generator with the suffix. A limited change needs a target classifier to decide on it.
    """
    suffix = values.get("suffix", "")
    for field in ("gan_remove", "gan_insert"):
        run = Checkpoint.named(values[field], CheckpointKind.GENERATOR)
        if run.made_from_id is None and _limits(values):
            raise InvalidParameter(field, _("the run %(name)s records no target classifier.") % {"name": run.name})
        name = run.name + suffix
        if error := name_error(name):
            raise InvalidParameter("suffix", error)
        attack = Attack.objects.filter(name=name).first()
        if attack is None:
            continue
        kept = {step: value for step, value in values.items() if step.startswith("keep_")}
        same_settings = all(attack.settings.get(step, True) == value for step, value in kept.items())
        same_settings &= _limits(attack.settings) == _limits(values)
        if not (attack.generator_id == run.pk and attack.cohort == values["cohort"] and same_settings):
            message = _(
                "the attack %(name)s exists already, with another cohort, strength or post-processing; choose a suffix."
            )
            raise InvalidParameter("suffix", message % {"name": name})


def _limits(settings: Parameters) -> Parameters:
    """Return the settings that limit a generator's change; nothing if all of it is applied."""
    limits = {field.name: settings.get(field.name, field.default) for field in STRENGTH}
    return {} if (limits["strength"], limits["regions"], limits["texture"]) == ("full", "all", "any") else limits


def _check_pairs(field: str, values: Parameters) -> None:
    """Raise InvalidParameter for an attack of synthetic images where each needs its real image."""
    synthetic = Attack.objects.filter(name__in=values.get(field, ()), method=SYNTHETIC).order_by("name").first()
    if synthetic:
        message = _("the images of %(name)s are synthetic: they have no real image to be compared with.")
        raise InvalidParameter(field, message % {"name": synthetic.name})


def _check_evaluated_attacks(values: Parameters) -> None:
    _check_pairs("attacks", values)
    if ("gan_remove" in values) != ("gan_insert" in values):
        missing = "gan_insert" if "gan_remove" in values else "gan_remove"
        raise InvalidParameter(missing, _("give both GAN runs, or neither."))
    if "attacks" not in values and "gan_remove" not in values:
        raise InvalidParameter("attacks", _("name at least one attack, or both GAN runs."))
