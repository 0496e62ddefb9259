"""The form of a kind of job, made from the catalogue."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from readerstudy.cohort.models import Cohort
from readerstudy.experiments.check import MAXIMUM_TEXT
from readerstudy.experiments.kinds import SEVERAL, Field, FieldType, JobKind
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind

Choices = list[tuple[str, str]]


class StartForm(forms.Form):
    """A field for every parameter of a kind, under the parameter's name."""

    def __init__(self, kind: JobKind, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.shown_fields = [field for field in kind.fields if field.in_form]
        for field in self.shown_fields:
            self.fields[field.name] = _control(field)

    def rows(self) -> Iterable[forms.BoundField]:
        return [self[field.name] for field in self.shown_fields if not field.is_detail]

    def details(self) -> Iterable[forms.BoundField]:
        return [self[field.name] for field in self.shown_fields if field.is_detail]

    @property
    def has_detail_error(self) -> bool:
        return any(row.errors for row in self.details())

    @property
    def lacking(self) -> list[str]:
        """Return what must exist before the job can be started: choices without anything to choose from."""
        titles = {
            FieldType.COHORT: _("a cohort (import_cohort or make_phantoms)"),
            FieldType.CLASSIFIER: _("a classifier"),
            FieldType.CLASSIFIERS: _("a classifier"),
            FieldType.REMOVER: _("a GAN that removes the finding"),
            FieldType.INSERTER: _("a GAN that inserts the finding"),
            FieldType.ATTACKS: _("an attack"),
        }
        types = [field.type for field in self.shown_fields if field.type in EXISTING and not field.is_detail]
        empty = [type_ for type_ in types if not EXISTING[type_]()]
        return [titles[type_] for type_ in dict.fromkeys(empty)]

    def parameters(self) -> dict[str, Any]:
        """Return the values by parameter. Empty fields are left out, so that the catalogue's defaults apply."""
        return {name: value for name, value in self.cleaned_data.items() if value not in ("", None, [])}


def _control(field: Field) -> forms.Field:
    common: dict[str, Any] = {
        "label": field.title,
        "help_text": _help(field),
        "initial": None if field.derived_default else field.default,
        "required": field.is_required,
    }
    if field.type in (FieldType.INTEGER, FieldType.NUMBER):
        number: Any = forms.IntegerField if field.type is FieldType.INTEGER else forms.FloatField
        control: forms.Field = number(min_value=field.minimum, max_value=field.maximum, **common)
        return control
    if field.type is FieldType.FLAG:
        return forms.BooleanField(**{**common, "required": False})
    if field.type in EXISTING or field.choices:
        choices = [(str(key), str(title)) for key, title in field.choices] or EXISTING[field.type]()
        if field.type in SEVERAL:
            common["required"] = not field.is_detail
            return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **common)
        return forms.ChoiceField(choices=_with_blank(choices, field.default, required=not field.optional), **common)
    return forms.CharField(max_length=MAXIMUM_TEXT, **common)


def _help(field: Field) -> str:
    if not field.derived_default:
        return str(field.help)
    return f"{field.help} " + _("Empty: %(name)s.") % {"name": field.derived_default_text}


def _with_blank(choices: Choices, initial: Any, *, required: bool) -> Choices:
    """Add an empty choice, unless there is a default or the only choice of a required field."""
    return choices if required and (initial is not None or len(choices) == 1) else [("", "–"), *choices]


def _runs(kind: CheckpointKind, **more: str) -> Choices:
    rows = Checkpoint.objects.filter(kind=kind, **more).order_by("-pk")
    return [(run.name, f"{run.name} ({run.cohort}, {run.preset})") for run in rows]


def _attacks() -> Choices:
    return [(attack.name, f"{attack.name} ({attack.method}, {attack.cohort})") for attack in Attack.objects.all()]


EXISTING: dict[FieldType, Callable[[], Choices]] = {
    FieldType.COHORT: lambda: [(name, name) for name in Cohort.objects.order_by("-pk").values_list("name", flat=True)],
    FieldType.CLASSIFIER: lambda: _runs(CheckpointKind.CLASSIFIER),
    FieldType.CLASSIFIERS: lambda: _runs(CheckpointKind.CLASSIFIER),
    FieldType.REMOVER: lambda: _runs(CheckpointKind.GENERATOR, direction="remove"),
    FieldType.INSERTER: lambda: _runs(CheckpointKind.GENERATOR, direction="insert"),
    FieldType.ATTACKS: _attacks,
}
