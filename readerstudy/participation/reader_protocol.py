"""What a study asks of its readers beside the plan, as one frozen value: the part `readers` of a protocol file.

It is not locked with the study: a consent text has versions, and a reminder can be set while readers read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from readerstudy.errors import BadInput
from readerstudy.participation.models import LONGEST_TEXT, Characteristic, ReaderRules
from readerstudy.participation.queries import newest_text
from readerstudy.protocol.texts import Translated
from readerstudy.protocol.values import OneOf, WholeNumber, can_be_stored
from readerstudy.studies.models import Study

NO_TEXTS: Final = Translated({})


def checked_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that are not empty, by language. Raises BadInput for an unknown language or a text too long."""
    known = dict(settings.LANGUAGES)
    result = {}
    for language, text in texts.items():
        if language not in known:
            raise BadInput(_("There is no language %(language)s.") % {"language": language})
        text = text.replace("\r\n", "\n").strip()
        if len(text) > LONGEST_TEXT or not can_be_stored(text):
            raise BadInput(_("A text has at most %(most)d characters.") % {"most": LONGEST_TEXT})
        if text:
            result[language] = text
    return result


@dataclass(frozen=True)
class TextsByLanguage:
    """Texts by the languages of the software; a text of nothing but blanks counts as none."""

    def read(self, value: Any, location: str) -> Translated:
        """Return the texts without blanks around them."""
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise BadInput(f"{location}: " + _("must be texts by language."))
        try:
            return Translated(checked_texts(value))
        except BadInput as error:
            raise BadInput(f"{location}: {error}") from error


@dataclass(frozen=True)
class ReaderProtocol:
    """The newest consent text, and the rules for readers. The defaults are those of a study without any."""

    consent_version: Annotated[int, WholeNumber(1, 9999)] = 1
    consent_texts: Annotated[Translated, TextsByLanguage()] = NO_TEXTS
    consent_required: bool = True
    asked: tuple[Annotated[str, OneOf(tuple(Characteristic.values))], ...] = ()
    reminder_days: Annotated[int, WholeNumber(0, 365)] = 7
    quick_ms: Annotated[int, WholeNumber(100, 60_000)] = 1000
    quick_run: Annotated[int, WholeNumber(2, 100)] = 10
    closing_texts: Annotated[Translated, TextsByLanguage()] = NO_TEXTS

    @property
    def rules(self) -> dict[str, Any]:
        """The rules by their names in `ReaderRules`."""
        return {name: getattr(self, name) for name in RULES}


# The fields of `ReaderRules`.
RULES: Final = ("consent_required", "asked", "reminder_days", "quick_ms", "quick_run", "closing_texts")


def reader_protocol(study: Study) -> ReaderProtocol:
    """Return what the study asks of its readers now."""
    rules, text = ReaderRules.of(study), newest_text(study)
    values = {name: getattr(rules, name) for name in RULES}
    values |= {"asked": tuple(rules.asked), "closing_texts": Translated(rules.closing_texts)}
    if text:
        values |= {"consent_version": text.version, "consent_texts": Translated(text.texts)}
    return ReaderProtocol(**values)
