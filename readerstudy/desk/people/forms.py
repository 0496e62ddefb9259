"""The forms of a list of people to invite, and of somebody who replaces a reader."""

from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.links import DAYS, LONGEST_DAYS
from readerstudy.invitations.invitees import MAXIMUM_ADDRESS, MAXIMUM_NAME, Invitee
from readerstudy.studies.actions.moves import LONGEST_REASON

LARGEST_LIST: Final = 200_000  # characters or bytes


class ListForm(forms.Form):
    """A list, pasted or as a file, and what holds for all its mails."""

    text = forms.CharField(
        label=_("Names and addresses, one person on each line"),
        required=False,
        max_length=LARGEST_LIST,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
    )
    file = forms.FileField(label=_("Or a text or CSV file"), required=False)
    language = forms.ChoiceField(label=_("Language of the mails"), choices=settings.LANGUAGES)
    days = forms.IntegerField(label=_("Days until the links expire"), min_value=1, max_value=LONGEST_DAYS, initial=DAYS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"language": get_language(), "days": DAYS})
        super().__init__(*args, **kwargs)

    def clean_file(self) -> str:
        """Return the text of the file; empty without one."""
        file: UploadedFile[bytes] | None = self.cleaned_data.get("file")
        if file is None:
            return ""
        if file.size is None or file.size > LARGEST_LIST:
            raise forms.ValidationError(_("The file is too large for a list of people."))
        return decode(file.read())

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        values["text"] = "\n".join(part for part in (values.get("text"), values.get("file")) if part)
        if not values["text"].strip() and not self.errors:
            raise forms.ValidationError(_("Paste a list or choose a file."))
        return values


class ReplacementForm(forms.Form):
    """Who takes the place of a withdrawn reader."""

    name = forms.CharField(label=_("Name"), max_length=MAXIMUM_NAME)
    address = forms.EmailField(label=_("Mail address"), max_length=MAXIMUM_ADDRESS)
    language = forms.ChoiceField(label=_("Language of the mails"), choices=settings.LANGUAGES)
    override_reason = forms.CharField(
        label=_("Reason, if the person may see images again that another study shows them"),
        max_length=LONGEST_REASON,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"language": get_language()})
        super().__init__(*args, **kwargs)

    @property
    def invitee(self) -> Invitee:
        """The person of a valid form."""
        first, _blank, last = self.cleaned_data["name"].strip().rpartition(" ")
        return Invitee(1, first.strip(), last, self.cleaned_data["address"])


def decode(content: bytes) -> str:
    """Return the text of a file that a spreadsheet wrote: UTF-8, UTF-16 with its mark, or Windows' code page."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
