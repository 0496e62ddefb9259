"""Errors of the protocol. Their messages can be shown to the person who caused them."""

from collections.abc import Mapping, Sequence
from typing import Any


class Sentence(str):
    """A message in English that keeps the text and the values it was made of.

    It is made before its reader is known, for example by a worker, and said in the reader's language later
    (`layout.sentences.say`). Values are texts, other sentences, or errors, whose messages are used.
    """

    text: str
    values: Mapping[str, str]

    def __new__(cls, text: str, /, **values: Any) -> "Sentence":
        given = {name: message_of(value) for name, value in values.items()}
        sentence = super().__new__(cls, text % given if given else text)
        sentence.text, sentence.values = text, given
        return sentence

    def __reduce__(self) -> Any:
        return sentence_of, (self.data,)

    @property
    def data(self) -> dict[str, Any]:
        """The sentence as plain data, for JSON."""
        plain = {name: value.data if isinstance(value, Sentence) else value for name, value in self.values.items()}
        return {"text": self.text, "values": plain}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Sentence":
        """Return the sentence with these data."""
        values = {
            name: cls.of(value) if isinstance(value, Mapping) else value for name, value in data["values"].items()
        }
        return cls(data["text"], **values)


def sentence_of(data: Mapping[str, Any]) -> Sentence:
    """Return the sentence with these data. A function of the module, so that it can be named where it is allowed."""
    return Sentence.of(data)


def message_of(value: Any) -> str:
    """Return the message of an error, or another value as a text; a sentence stays one."""
    if isinstance(value, Exception) and len(value.args) == 1:
        value = value.args[0]
    return value if isinstance(value, Sentence) else str(value)


def joined(items: Sequence[str]) -> str:
    """Return one or more items as "a and b and c"."""
    first, *others = items
    _ = Sentence
    return _("%(first)s and %(others)s", first=first, others=joined(others)) if others else first


class StudyError(Exception):
    """A rule of the study was broken. The message states the rule; nothing was changed."""


class NotAllowed(StudyError):
    """The user's role does not allow this."""


class NotFound(StudyError):
    """There is nothing of this name that the person may see."""


class NotItsTurn(StudyError):
    """A session or an image was requested before or after its turn."""


class BadInput(StudyError):
    """Input that cannot be understood. The message names the field."""


class WorkTakenOver(Exception):
    """Another process has the work by now. This one stops and writes nothing more."""
