"""The forms of an import, beside the files themselves."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readerstudy.cohort.models import Cohort
from readerstudy.image_import.models import ImportKind
from readerstudy.image_import.options import CohortOptions, Options, PairOptions
from readerstudy.modalities import DEFAULT, get_modality, layout_labels, modality_choices
from readerstudy.names import MAXIMUM_LENGTH, name_error
from readerstudy.sources.label_table import columns_of
from readerstudy.truth.actions.cohort_import import PAPER_SPLIT, fractions_of

LARGEST_SEED: Final = 2**62
_PER: Final = (
    ("patient", gettext_lazy("each patient has one")),
    ("image", gettext_lazy("each image has its own")),
)


def _name(label: Any, **changes: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=MAXIMUM_LENGTH, **changes)


class _FilesForm(forms.Form):
    """Where the files are, and the table among them."""

    server_folder = forms.ChoiceField(label=gettext_lazy("Folder on the server"), required=False)
    server_path = forms.CharField(
        label=gettext_lazy("Path in that folder"),
        max_length=400,
        required=False,
        help_text=gettext_lazy("Empty: the whole folder."),
    )
    table = forms.CharField(
        label=gettext_lazy("Table"),
        max_length=400,
        required=False,
        help_text=gettext_lazy("Its name among the files, if there are several."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(name, name) for name in settings.IMPORT_FOLDERS]
        if names:
            # The stubs know the field by its base class, which has no choices.
            self.fields["server_folder"].choices = [("", _("none; the files are sent")), *names]  # type: ignore[attr-defined]
        else:
            del self.fields["server_folder"], self.fields["server_path"]

    def place(self) -> Mapping[str, str]:
        """Return the folder on the server and the path in it; both "" for files that are sent."""
        folder = self.cleaned_data.get("server_folder", "")
        return {"server_folder": folder, "server_path": self.cleaned_data.get("server_path", "") if folder else ""}


class CohortForm(_FilesForm):
    """What to import into a cohort."""

    cohort = _name(gettext_lazy("Cohort"), help_text=gettext_lazy("A new name, or that of a cohort to add images to."))
    modality = forms.ChoiceField(label=gettext_lazy("Modality"), choices=modality_choices, initial=DEFAULT.code)
    pathology_per = forms.ChoiceField(label=gettext_lazy("Pathology"), choices=_PER)
    affected_side_only = forms.BooleanField(
        label=gettext_lazy("Of patients with the finding, the affected side alone"),
        required=False,
        help_text=gettext_lazy("As in the article, which left out the other side."),
    )
    resolutions = forms.MultipleChoiceField(
        label=gettext_lazy("Resolutions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: all of the modality."),
    )
    is_drawn = forms.BooleanField(
        label=gettext_lazy("A computer drew the images"),
        required=False,
        help_text=gettext_lazy("The reading page says so; there “real” then means not altered."),
    )
    split = forms.CharField(
        label=gettext_lazy("Percent of the patients for train / tuning / test"),
        initial="/".join(f"{100 * share:g}" for share in PAPER_SPLIT),
        max_length=30,
    )
    seed = forms.IntegerField(label=gettext_lazy("Seed of the split"), min_value=0, max_value=LARGEST_SEED, initial=1)
    columns = forms.CharField(
        label=gettext_lazy("Columns with other names"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        max_length=2000,
        help_text=gettext_lazy("One on each line, for example: pathology = diagnosis"),
    )
    field_order = ["cohort", "modality", "server_folder", "server_path", "table", "pathology_per", "affected_side_only"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The stubs know the field by its base class, which has no choices.
        self.fields["resolutions"].choices = list(layout_labels().items())  # type: ignore[attr-defined]

    def clean_cohort(self) -> str:
        return _checked_name(self.cleaned_data["cohort"])

    def clean_split(self) -> tuple[float, ...]:
        try:
            return fractions_of(self.cleaned_data["split"].replace(" ", ""))
        except ValueError as error:
            message = _("Give three positive percentages that add up to 100, such as 80/10/10.")
            raise forms.ValidationError(message) from error

    def clean_columns(self) -> dict[str, str]:
        pairs = [line.partition("=") for line in self.cleaned_data["columns"].splitlines() if line.strip()]
        if not all(equals and ours.strip() and theirs.strip() for ours, equals, theirs in pairs):
            raise forms.ValidationError(_("Write our name = the name in the table, one on each line."))
        return {ours.strip(): theirs.strip() for ours, _equals, theirs in pairs}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if "modality" in values:
            modality = get_modality(values["modality"])
            if unknown := [name for name in values.get("columns", {}) if name not in columns_of(modality.vocabulary)]:
                self.add_error("columns", _("There is no column %(name)s to map.") % {"name": unknown[0]})
            if values.get("affected_side_only") and not modality.side:
                self.add_error("affected_side_only", _("Images of this kind have no sides of which one is affected."))
            if any(name not in modality.layouts for name in values.get("resolutions", ())):
                known = ", ".join(str(layout.label) for layout in modality.layouts.values())
                self.add_error("resolutions", _("This modality has: %(known)s.") % {"known": known})
        return values

    def options(self) -> Options:
        values = self.cleaned_data
        return CohortOptions(
            modality=values["modality"],
            table=values["table"],
            columns=values["columns"],
            pathology_per=values["pathology_per"],
            resolutions=tuple(values["resolutions"]),
            seed=values["seed"],
            fractions=values["split"],
            is_drawn=values["is_drawn"],
            affected_side_only=values["affected_side_only"],
        )


class PairForm(_FilesForm):
    """What to import as an attack."""

    cohort = forms.ChoiceField(label=gettext_lazy("Cohort of the real images"))
    attack = _name(
        gettext_lazy("Name of the attack"),
        required=False,
        help_text=gettext_lazy("For rows that name none in the column attack."),
    )
    description = forms.CharField(
        label=gettext_lazy("How the images were made"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    made_by = forms.CharField(label=gettext_lazy("Program, and who ran it"), max_length=2000, required=False)
    keep_background = forms.BooleanField(label=gettext_lazy("Put the real background back"), required=False)
    keep_grid = forms.BooleanField(
        label=gettext_lazy("Use only the grey levels that the real image uses"), required=False
    )
    field_order = ["cohort", "server_folder", "server_path", "table", "attack"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(name, name) for name in Cohort.objects.order_by("name").values_list("name", flat=True)]
        # The stubs know the field by its base class, which has no choices.
        self.fields["cohort"].choices = names  # type: ignore[attr-defined]

    def clean_attack(self) -> str:
        name = self.cleaned_data["attack"]
        return _checked_name(name) if name else ""

    def options(self) -> Options:
        values = self.cleaned_data
        names = ("table", "attack", "description", "made_by", "keep_background", "keep_grid")
        return PairOptions(**{name: values[name] for name in names})


ImportForm = CohortForm | PairForm
FORMS: Final[Mapping[str, type[ImportForm]]] = {ImportKind.COHORT: CohortForm, ImportKind.PAIRS: PairForm}


def _checked_name(name: str) -> str:
    if error := name_error(name):
        raise forms.ValidationError(error[0].upper() + error[1:])
    return name
