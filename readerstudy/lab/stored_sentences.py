"""Fixed sentences of the lab's records, which are kept in English, in the language of the page that shows them."""

import re
from functools import cached_property
from typing import Final

from django.utils.translation import gettext

PLACE: Final = re.compile(r"%\((\w+)\)s")
FIGURES: Final = {"threshold", "error", "brier", "difference", "low", "high", "p", "hits", "trials", "bound"}
FIGURE: Final = r"[-+<]? ?[\d.]+(?:e-?\d+)?"
INDENT: Final = " "


class Phrases:
    """A list of sentences as they are stored; those that hold a name or a number have a place for it: %(name)s.

    Places of the names in `FIGURES` hold a number, the others any text, which may be of the list itself. The first
    sentence that fits a text is taken. What fits none is left as it is.
    """

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences

    def in_language(self, text: str) -> str:
        """The text in the page's language, with the spaces that it is indented by."""
        bare = text.lstrip(INDENT)
        found = self._found(bare)
        if found is None:
            return text
        sentence, held = found
        told = gettext(sentence)
        if held:
            told %= {name: self.in_language(value) for name, value in held.items()}
        return text[: len(text) - len(bare)] + told

    def knows(self, text: str) -> bool:
        """Whether the list has the words of this text."""
        return self._found(text.strip(INDENT)) is not None

    def _found(self, text: str) -> tuple[str, dict[str, str]] | None:
        """The sentence that the text says, and what stands at its places."""
        if text in self._exact:
            return text, {}
        for sentence, pattern in self._patterns:
            if match := pattern.fullmatch(text):
                return sentence, match.groupdict()
        return None

    @cached_property
    def _exact(self) -> frozenset[str]:
        return frozenset(sentence for sentence in self.sentences if not PLACE.search(sentence))

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        return [(sentence, _pattern(sentence)) for sentence in self.sentences if PLACE.search(sentence)]


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = PLACE.split(sentence)  # text, name, text, name, …, text
    places = {part: FIGURE if part in FIGURES else ".+" for part in parts[1::2]}
    return re.compile(
        "".join(f"(?P<{part}>{places[part]})" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    )
