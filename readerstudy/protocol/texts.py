"""Texts that a study writes itself, in one language or in several. Pure.

    text: Image quality
    text: {en: Image quality, de: Bildqualität}

The language of the reader chooses; a text that lacks it is shown in the first language of the study.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

from django.utils.translation import get_language, gettext

from readerstudy.errors import BadInput
from readerstudy.protocol.values import TextUpTo

MOST_LANGUAGES: Final = 10
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")


class Translated(Mapping[str, str]):
    """One text in several languages, by the code of the language. It cannot be changed."""

    __slots__ = ("_texts",)

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)

    def __getitem__(self, language: str) -> str:
        return self._texts[language]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __hash__(self) -> int:
        return hash(frozenset(self._texts.items()))

    def __repr__(self) -> str:
        return f"Translated({self._texts!r})"


OwnText = str | Translated
Say = Callable[[OwnText], str]


@dataclass(frozen=True)
class LanguageCode:
    """The code of a language in lower case, such as `de`."""

    def read(self, value: Any, location: str) -> str:
        """Return the code if it is one."""
        if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
            raise BadInput(f"{location}: " + gettext("must be the code of a language, such as en or de."))
        return value


@dataclass(frozen=True)
class TextsUpTo:
    """A text of 1 to `maximum` characters, or such texts by language."""

    maximum: int

    def read(self, value: Any, location: str) -> OwnText:
        """Return the text, or the texts, without blanks around them."""
        text = TextUpTo(self.maximum)
        if not isinstance(value, dict):
            return text.read(value, location)
        if not 1 <= len(value) <= MOST_LANGUAGES:
            raise BadInput(
                f"{location}: "
                + gettext("must be a text, or texts in 1 to %(most)s languages.") % {"most": MOST_LANGUAGES}
            )
        codes = [LanguageCode().read(code, location) for code in value]
        return Translated({code: text.read(value[code], f"{location} {code}") for code in codes})


def reader_says(fallback: str) -> Say:
    """Return the function that gives a text in the language of the request.

    A text in one language is translated if it is one of the software's own. `fallback` is the study's first language.
    """
    language = (get_language() or "en").partition("-")[0]

    def say(text: OwnText) -> str:
        return chosen(text, language, fallback=fallback) if isinstance(text, Translated) else gettext(text)

    return say


def chosen(text: OwnText, language: str, *, fallback: str) -> str:
    """Return the text in a language; without it in the fallback, without that in any."""
    if isinstance(text, str):
        return text
    return text.get(language) or text.get(fallback) or next(iter(text.values()))


def translated_texts(value: Any, location: str) -> Iterator[tuple[str, Translated]]:
    """Yield the texts in several languages of a nested frozen value, each with its location."""
    if isinstance(value, Translated):
        yield location, value
    elif isinstance(value, tuple):
        for number, item in enumerate(value, start=1):
            yield from translated_texts(item, f"{location} {number}")
    elif is_dataclass(value):
        for each in fields(value):
            yield from translated_texts(getattr(value, each.name), f"{location} {each.name}")


def check_languages(value: Any, languages: tuple[str, ...], location: str) -> None:
    """Raise BadInput, with the location, for a text in a language that is not declared, or without the first one."""
    for place, text in translated_texts(value, location):
        if not languages:
            raise BadInput(
                f"{place}: "
                + gettext("has several languages; name them in languages, the first is shown without others.")
            )
        if unknown := sorted(set(text) - set(languages)):
            values = {"language": unknown[0], "languages": ", ".join(languages)}
            raise BadInput(
                f"{place}: " + gettext("%(language)s is none of the study's languages: %(languages)s.") % values
            )
        if languages[0] not in text:
            lacks = gettext("lacks %(language)s, the study's first language.") % {"language": languages[0]}
            raise BadInput(f"{place}: {lacks}")
