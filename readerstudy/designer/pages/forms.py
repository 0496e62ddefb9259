"""Forms beside that of the protocol: a new study, its title and cohort, a protocol file, and the reason of a move."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort
from readerstudy.designer.starting_points import starting_points
from readerstudy.names import name_error
from readerstudy.protocol.yaml_file import MOST_BYTES
from readerstudy.studies.actions.drafts import LONGEST_CODE, LONGEST_TITLE, RESERVED_CODES
from readerstudy.studies.actions.moves import LONGEST_REASON
from readerstudy.studies.exposure import exposed_without_reason
from readerstudy.studies.models import Enrollment, Study
from readerstudy.studies.transitions import LOCK, Move


def _cohort_field() -> "forms.ModelChoiceField[Cohort]":
    return forms.ModelChoiceField(
        queryset=Cohort.objects.order_by("-pk"), label=_("Cohort"), help_text=_("The images that the study draws from.")
    )


class FileForm(forms.Form):
    """A protocol file to upload."""

    file = forms.FileField(label=_("Protocol file (YAML)"))

    def clean_file(self) -> bytes | None:
        """Return the content of the file, or None without one."""
        file: UploadedFile[bytes] | None = self.cleaned_data.get("file")
        if file is None:
            return None
        if file.size is None or file.size > MOST_BYTES:
            message = _("The file has more than %(most)s kB.")
            raise forms.ValidationError(message, params={"most": MOST_BYTES // 1024})
        content: bytes = file.read()
        return content


class NewStudyForm(FileForm):
    """A new draft: its names, its cohort, and what its protocol starts from."""

    title = forms.CharField(label=_("Title"), max_length=LONGEST_TITLE, help_text=_("As readers see it."))
    code = forms.CharField(
        label=_("Code"),
        max_length=LONGEST_CODE,
        help_text=_("Short, for addresses and files: letters, digits, hyphens and underscores. It cannot be changed."),
    )
    cohort = _cohort_field()
    start = forms.ChoiceField(label=_("Start from"), required=False)
    scale = forms.DecimalField(
        label=_("Share of the article’s images, in percent"),
        help_text=_("For a template: 100 is the article’s size, 5 a small trial."),
        min_value=0,
        max_value=100,
        initial=100,
        localize=True,
    )
    field_order = ("title", "code", "cohort", "start", "scale", "file")

    def __init__(self, person: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The stubs know the field by its base class, which has no choices.
        self.fields["start"].choices = starting_points(person)  # type: ignore[attr-defined]
        file = self.fields["file"]
        file.required = False
        file.label, file.help_text = _("Or a protocol file (YAML)"), _("It replaces what is chosen above.")
        cohorts = list(Cohort.objects.order_by("-pk")[:2])
        if len(cohorts) == 1 and not self.is_bound:
            self.initial.setdefault("cohort", cohorts[0].pk)

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        if error := name_error(code, maximum=LONGEST_CODE):
            raise forms.ValidationError(error[:1].upper() + error[1:])
        if code in RESERVED_CODES:
            raise forms.ValidationError(_("This is an address of the desk; choose another code."))
        if Study.objects.filter(code=code).exists():
            raise forms.ValidationError(_("There is a study with this code already; choose another."))
        return code


class StudyForm(forms.Form):
    """What a draft has besides its protocol."""

    title = forms.CharField(label=_("Title"), max_length=LONGEST_TITLE, help_text=_("As readers see it."))
    cohort = _cohort_field()


class MoveForm(forms.Form):
    """What a move asks: a reason, the study's code, typed, and of a lock why readers may see images again."""

    reason = forms.CharField(
        label=_("Reason"), max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 3}), strip=True
    )
    code = forms.CharField(label=_("The study’s code, to confirm"), strip=True)

    def __init__(self, move: Move, study: Study, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        exposed = exposed_without_reason(study) if move == LOCK else []
        self._readers = {f"repeats-{each.pk}": each for each in exposed}
        for name, enrollment in self._readers.items():
            self.fields[name] = forms.CharField(
                label=gettext("Reason to let %(reader)s see images again") % {"reader": enrollment.code},
                help_text=_("Needed if one of these images is drawn. It stays with the study and cannot be changed."),
                max_length=LONGEST_REASON,
                required=False,
            )
        if not move.asks_reason:
            del self.fields["reason"]
        if not move.asks_code:
            del self.fields["code"]

    @property
    def reasons(self) -> list[tuple[Enrollment, str]]:
        """The readers who may see images again, each with the reason that was given."""
        given = ((enrollment, self.cleaned_data[name]) for name, enrollment in self._readers.items())
        return [(enrollment, reason) for enrollment, reason in given if reason]

    def clean_code(self) -> str:
        if self.cleaned_data["code"] != self.study.code:
            message = _("Type the code of this study: %(code)s.")
            raise forms.ValidationError(message, params={"code": self.study.code})
        return self.study.code
