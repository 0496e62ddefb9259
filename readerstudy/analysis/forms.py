"""The form of a new version of a report."""

from django import forms
from django.utils.translation import gettext_lazy as _

from readerstudy.studies.actions.moves import LONGEST_REASON


class VersionForm(forms.Form):
    """Why the report is computed again."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        strip=True,
        help_text=_("For example: an error in the software was corrected. It is kept with the version."),
    )
