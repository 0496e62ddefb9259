"""The form of a kind of job, made from the catalogue."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _

from readerstudy.cohort.models import Cohort
from readerstudy.experiments.check import MAXIMUM_TEXT
from readerstudy.experiments.kinds import SEVERAL, Field, FieldType, JobKind
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind
from readerstudy.truth.queries import all_attacks_with_images

Choices = list[tuple[str, str]]


# Other fields whose choices depend on the cohort. When another one is chosen, htmx fetches and replaces them.
BY_COHORT: Final = ("preset", "resolution", "resolutions")
_FOLLOW_COHORT: Final = {
    "hx-get": "",  # this page
    "hx-trigger": "change",
    "hx-include": "[name=preset], [name=resolution]",
    "hx-swap": "none",
    "hx-select-oob": ",".join(f"#id_{name}_field" for name in BY_COHORT),
}


class StartForm(forms.Form):
    """A field for every parameter of a kind, under the parameter's name.

    An unsent form offers what suits the cohort in `initial`, or the only cohort. A sent form accepts every choice: the
    check of the parameters says what the cohort has.
    """

    def __init__(self, kind: JobKind, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        cohort = None if self.is_bound else _chosen_cohort(self.initial.get("cohort"))
        self.shown_fields = [_for_cohort(field, cohort) for field in kind.fields if field.in_form]
        for field in self.shown_fields:
            self.fields[field.name] = _control(field)
            if field.name in BY_COHORT and self.initial.get(field.name) not in dict(field.choices):
                self.initial.pop(field.name, None)  # the default applies
            if field.type is FieldType.COHORT:
                self.fields[field.name].widget.attrs.update(_FOLLOW_COHORT)

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


def _chosen_cohort(name: str | None) -> Cohort | None:
    """Return the cohort of that name; without a name the only one, if there is only one."""
    if name:
        return Cohort.objects.filter(name=name).first()
    cohorts = Cohort.objects.all()[:2]
    return cohorts[0] if len(cohorts) == 1 else None


def _for_cohort(field: Field, cohort: Cohort | None) -> Field:
    """Return the field with the choices that suit the cohort, and a default for which it stores the images."""
    if cohort is None or field.name not in BY_COHORT:
        return field
    if field.name == "preset":
        allowed = cohort.modality.presets  # the stored size of each
    else:
        allowed = {resolution: resolution for resolution in cohort.resolutions}
    choices = tuple(choice for choice in field.choices if choice[0] in allowed)
    stored = [name for name, layout in allowed.items() if layout in cohort.resolutions]
    default = field.default if field.default is None or field.default in stored else next(iter(stored), None)
    return replace(field, choices=choices, default=default)


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
    """Return the attacks that have images: without any there is nothing to evaluate."""
    rows = Attack.objects.filter(name__in=all_attacks_with_images())
    return [(attack.name, f"{attack.name} ({attack.method}, {attack.cohort})") for attack in rows]


EXISTING: dict[FieldType, Callable[[], Choices]] = {
    FieldType.COHORT: lambda: [(name, name) for name in Cohort.objects.order_by("-pk").values_list("name", flat=True)],
    FieldType.CLASSIFIER: lambda: _runs(CheckpointKind.CLASSIFIER),
    FieldType.CLASSIFIERS: lambda: _runs(CheckpointKind.CLASSIFIER),
    FieldType.REMOVER: lambda: _runs(CheckpointKind.GENERATOR, direction="remove"),
    FieldType.INSERTER: lambda: _runs(CheckpointKind.GENERATOR, direction="insert"),
    FieldType.ATTACKS: _attacks,
}
