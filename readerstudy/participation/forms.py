"""The form in which readers tell about themselves."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from readerstudy.participation.actions.readers import MOST_YEARS
from readerstudy.participation.models import AgeBand, Characteristic, Position, ReaderProfile, Sex

NO_ANSWER = ("", _("no answer"))


class ProfileForm(forms.Form):
    """What the study asks for, each answer optional."""

    years = forms.IntegerField(label=Characteristic.YEARS.label, min_value=0, max_value=MOST_YEARS, required=False)
    specialty = forms.CharField(label=Characteristic.SPECIALTY.label, max_length=80, required=False)
    position = forms.ChoiceField(
        label=Characteristic.POSITION.label, choices=[NO_ANSWER, *Position.choices], required=False
    )
    age_band = forms.ChoiceField(
        label=Characteristic.AGE_BAND.label, choices=[NO_ANSWER, *AgeBand.choices], required=False
    )
    sex = forms.ChoiceField(label=Characteristic.SEX.label, choices=[NO_ANSWER, *Sex.choices], required=False)

    def __init__(self, *args: Any, asked: list[str], profile: ReaderProfile | None = None, **kwargs: Any) -> None:
        if profile:
            kwargs["initial"] = {name: getattr(profile, name) for name in asked}
        super().__init__(*args, **kwargs)
        self.fields = {name: self.fields[name] for name in asked}
