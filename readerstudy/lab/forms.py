"""The form of a kind of job, made from the catalogue."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from readerstudy.cohort.models import Cohort
from readerstudy.experiments.kinds import MANY, Field, Kind, Sort
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind

Choices = list[tuple[str, str]]


class StartForm(forms.Form):
    """Asks for every parameter of a kind. The names of fields are those of the parameters."""

    def __init__(self, kind: Kind, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.asked = [field for field in kind.fields if field.in_form]
        for field in self.asked:
            self.fields[field.name] = _control(field)

    def rows(self) -> Iterable[forms.BoundField]:
        return [self[field.name] for field in self.asked if not field.is_detail]

    def details(self) -> Iterable[forms.BoundField]:
        return [self[field.name] for field in self.asked if field.is_detail]

    @property
    def has_detail_error(self) -> bool:
        return any(row.errors for row in self.details())

    @property
    def lacking(self) -> list[str]:
        """What has to be there before this can be started, in words: a choice with nothing to choose from."""
        titles = {
            Sort.COHORT: _("a cohort (import_cohort or make_phantoms)"),
            Sort.CLASSIFIER: _("a classifier"),
            Sort.CLASSIFIERS: _("a classifier"),
            Sort.REMOVER: _("a GAN that removes cancer"),
            Sort.INSERTER: _("a GAN that inserts cancer"),
            Sort.ATTACKS: _("an attack"),
        }
        wanted = [field.sort for field in self.asked if field.sort in FOUND and not field.is_detail]
        empty = [sort for sort in wanted if not FOUND[sort]()]
        return [titles[sort] for sort in dict.fromkeys(empty)]

    def parameters(self) -> dict[str, Any]:
        """What was said, by parameter; what was left empty is left out, so that the catalogue's default counts."""
        return {name: value for name, value in self.cleaned_data.items() if value not in ("", None, [])}


def _control(field: Field) -> forms.Field:
    common: dict[str, Any] = {"label": field.title, "help_text": field.help, "initial": field.default}
    common["required"] = not field.optional and field.default is None
    if field.sort in (Sort.WHOLE, Sort.NUMBER):
        number: Any = forms.IntegerField if field.sort is Sort.WHOLE else forms.FloatField
        control: forms.Field = number(min_value=field.least, max_value=field.most, **common)
        return control
    if field.sort is Sort.FLAG:
        return forms.BooleanField(**{**common, "required": False})
    if field.sort in FOUND or field.choices:
        found = [(str(key), str(title)) for key, title in field.choices] or FOUND[field.sort]()
        if field.sort in MANY:
            common["required"] = not field.is_detail
            return forms.MultipleChoiceField(choices=found, widget=forms.CheckboxSelectMultiple, **common)
        return forms.ChoiceField(choices=_with_blank(found, field.default, required=not field.optional), **common)
    if field.sort is Sort.SLUG:
        return forms.SlugField(max_length=64, **common)
    return forms.CharField(max_length=1000, **common)


def _with_blank(choices: Choices, initial: Any, *, required: bool) -> Choices:
    """One to choose from is chosen; of several none is, unless there is a default."""
    return choices if required and (initial is not None or len(choices) == 1) else [("", "–"), *choices]


def _runs(kind: CheckpointKind, **more: str) -> Choices:
    rows = Checkpoint.objects.filter(kind=kind, **more).order_by("-pk")
    return [(run.name, f"{run.name} ({run.cohort}, {run.preset})") for run in rows]


def _attacks() -> Choices:
    return [(attack.name, f"{attack.name} ({attack.method}, {attack.cohort})") for attack in Attack.objects.all()]


FOUND: dict[Sort, Callable[[], Choices]] = {
    Sort.COHORT: lambda: [(name, name) for name in Cohort.objects.order_by("-pk").values_list("name", flat=True)],
    Sort.CLASSIFIER: lambda: _runs(CheckpointKind.CLASSIFIER),
    Sort.CLASSIFIERS: lambda: _runs(CheckpointKind.CLASSIFIER),
    Sort.REMOVER: lambda: _runs(CheckpointKind.GENERATOR, direction="remove"),
    Sort.INSERTER: lambda: _runs(CheckpointKind.GENERATOR, direction="insert"),
    Sort.ATTACKS: _attacks,
}
