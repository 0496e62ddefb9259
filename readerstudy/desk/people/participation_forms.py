"""The forms of the consent text, of the rules for readers, and of messages."""

from typing import Any, get_type_hints

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from readerstudy.participation.models import LONGEST_MESSAGE, LONGEST_TEXT, Characteristic, ConsentText, ReaderRules
from readerstudy.participation.reader_protocol import ReaderProtocol


def _text_fields(prefix: str, words: str, texts: dict[str, str], rows: int) -> dict[str, forms.CharField]:
    """Return a field for the text in each language."""
    return {
        f"{prefix}_{language}": forms.CharField(
            label=f"{words} ({name})",
            required=False,
            max_length=LONGEST_TEXT,
            initial=texts.get(language, ""),
            widget=forms.Textarea(attrs={"rows": rows, "lang": language}),
        )
        for language, name in settings.LANGUAGES
    }


class _Texts(forms.Form):
    """A form with texts in several languages."""

    prefix_of_texts = ""

    @property
    def texts(self) -> dict[str, str]:
        """The texts of a valid form by language."""
        languages = (language for language, _name in settings.LANGUAGES)
        return {language: self.cleaned_data[f"{self.prefix_of_texts}_{language}"] for language in languages}


class ConsentForm(_Texts):
    """The consent text in each language."""

    prefix_of_texts = "consent"

    def __init__(self, *args: Any, text: ConsentText | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update(_text_fields("consent", gettext("Consent text"), text.texts if text else {}, rows=12))


def _number(name: str, label: Any) -> forms.IntegerField:
    limit = get_type_hints(ReaderProtocol, include_extras=True)[name].__metadata__[0]
    return forms.IntegerField(label=label, min_value=limit.minimum, max_value=limit.maximum)


class RulesForm(_Texts):
    """What the study asks of its readers beside the plan."""

    prefix_of_texts = "closing"

    consent_required = forms.BooleanField(label=_("No session opens without consent"), required=False)
    asked = forms.MultipleChoiceField(
        label=_("What readers are asked about themselves"),
        choices=Characteristic.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    reminder_days = _number("reminder_days", _("Days without a reading until a reminder (0: never)"))
    quick_run = _number("quick_run", _("Very quick verdicts in a row until a warning"))
    quick_ms = _number("quick_ms", _("Milliseconds below which a verdict is very quick"))

    def __init__(self, *args: Any, rules: ReaderRules, **kwargs: Any) -> None:
        names = ("consent_required", "asked", "reminder_days", "quick_run", "quick_ms")
        kwargs.setdefault("initial", {name: getattr(rules, name) for name in names})
        super().__init__(*args, **kwargs)
        self.fields.update(
            _text_fields("closing", gettext("What happens next, on the end page"), rules.closing_texts, rows=5)
        )

    @property
    def values(self) -> dict[str, Any]:
        """The rules of a valid form."""
        texts = {name for name in self.cleaned_data if name.startswith("closing_")}
        rules = {name: value for name, value in self.cleaned_data.items() if name not in texts}
        return {**rules, "closing_texts": self.texts}


class MessageForm(forms.Form):
    """A message to some readers."""

    readers = forms.MultipleChoiceField(label=_("To"), widget=forms.CheckboxSelectMultiple)
    text = forms.CharField(
        label=_("Message"), max_length=LONGEST_MESSAGE, widget=forms.Textarea(attrs={"rows": 6}), strip=True
    )

    def __init__(self, *args: Any, readers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["readers"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = readers
