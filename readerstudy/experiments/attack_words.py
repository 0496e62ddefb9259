"""An attack in words: its method, budget and settings."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.experiments.fields import METHODS
from readerstudy.layout.numbers import localise

_TITLES: Final = {method.key: method.title for method in METHODS}
_SAID: Final = ("epsilon", "epsilon_share", "steps")  # in words of their own
_LONGEST: Final = 40  # characters; longer values are hashes and lists


def attack_words(method: str, settings: Mapping[str, Any]) -> str:
    """Return the method with its settings, the budget first; a method without a title is named by its key.

    Settings without words of their own are written as in the option `--set`: name=value. Hashes and what an attack
    keeps of the source image by default are left out.
    """
    parts = [*_budget(settings), *_steps(settings), *_others(settings)]
    title = str(_TITLES.get(method, method))
    return f"{title} ({', '.join(parts)})" if parts else title


def _budget(settings: Mapping[str, Any]) -> Iterator[str]:
    if (levels := settings.get("epsilon")) is None:
        return
    values = {"levels": localise(str(levels)), "share": settings.get("epsilon_share")}
    if values["share"]:
        yield _("budget %(levels)s grey levels, or %(share)s of full scale") % values
    else:
        yield _("budget %(levels)s grey levels") % values


def _steps(settings: Mapping[str, Any]) -> Iterator[str]:
    steps = settings.get("steps")
    if isinstance(steps, int):
        yield ngettext("%(number)s step", "%(number)s steps", steps) % {"number": steps}


def _others(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, value in settings.items():
        is_default = name.startswith("keep_") and value is True
        if name not in _SAID and not is_default and isinstance(value, str | int | float | bool):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            if text and len(text) <= _LONGEST:
                yield f"{name}={text}"
