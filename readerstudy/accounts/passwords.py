"""Rules of a new password beside Django's: its greatest length, and how hard it is to guess."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from zxcvbn import zxcvbn

LONGEST: Final = 128  # characters (OWASP ASVS 4.0.3, V2.1.2)
JUDGED: Final = 72  # characters; the time that a judgement takes grows with the square of their number
LABELS: Final = (
    gettext_lazy("very weak"),
    gettext_lazy("weak"),
    gettext_lazy("fair"),
    gettext_lazy("good"),
    gettext_lazy("strong"),
)
GOOD: Final = 3
# What makes a password easy to guess, by the pattern that the library found.
ADVICE: Final[dict[str, str | Promise]] = {
    "dictionary": gettext_lazy(
        "It is mostly a known word, name or password. Add more words that do not belong together."
    ),
    "spatial": gettext_lazy("It follows a row of keys. Choose words instead."),
    "repeat": gettext_lazy("It repeats itself. Repetitions are guessed first."),
    "sequence": gettext_lazy("It has a sequence such as abc or 123. Choose words instead."),
    "regex": gettext_lazy("It has a year. Years are easy to guess."),
    "date": gettext_lazy("It has a date. Dates are easy to guess."),
}
OTHERWISE: Final = gettext_lazy("It is short. Add more words.")


class MaximumLengthValidator:
    """Refuses passwords of more than `LONGEST` characters. Nothing is cut off."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError for a password that is too long."""
        if len(password) > LONGEST:
            sentence = _("This password has %(length)d characters. It may have at most %(longest)d.")
            raise ValidationError(sentence % {"length": len(password), "longest": LONGEST}, code="password_too_long")

    def get_help_text(self) -> str:
        return _("Your password may have at most %(longest)d characters.") % {"longest": LONGEST}


@dataclass(frozen=True)
class Strength:
    """How hard a password is to guess: 0 (very weak) to 4 (strong), and what would make it harder."""

    score: int
    advice: str

    @property
    def label(self) -> str:
        return str(LABELS[self.score])


def strength_of(password: str, *, known: Collection[str] = ()) -> Strength:
    """Return the strength of the first `JUDGED` characters (Wheeler, 2016). `known`: words about the person."""
    result = zxcvbn(password[:JUDGED], user_inputs=[word for word in known if word])
    score = int(result["score"])
    if score >= GOOD:
        return Strength(score, "")
    easiest = max(result["sequence"], key=lambda part: len(part["token"]), default=None)
    return Strength(score, str(ADVICE.get(easiest["pattern"], OTHERWISE) if easiest else OTHERWISE))
