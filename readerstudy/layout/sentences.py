"""Messages that were made without a language, in the active one."""

from django.utils.translation import gettext

from readerstudy.errors import Sentence, message_of


def say(message: str | Exception) -> str:
    """Return a message, or that of an error, in the active language if it is a `Sentence`; another one as it is."""
    given = message_of(message)
    if not isinstance(given, Sentence):
        return given
    text = gettext(given.text)
    return text % {name: say(value) for name, value in given.values.items()} if given.values else text
