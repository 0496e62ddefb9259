"""Pure: the agreement of the browser's time of a reading with the server's two time stamps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

# The two clocks measure the same interval, one request apart. A busy network may add this much.
TOLERANCE_MS: Final = 1000
TOLERANCE_SHARE: Final = 0.02
SHORT_MS: Final = 1000
# Parts of the server's interval in which the image was not read; `rested_ms`: the break before the image; `grace_ms`:
# when the answer was given and could still be taken back.
_ACCOUNTED: Final = ("paused_ms", "rested_ms", "questions_ms", "grace_ms", "waited_ms")


class Grade(models.TextChoices):
    """A: the clocks agree. B: they differ, and what happened explains it. C: they contradict each other."""

    A = "A", _("A: clocks agree")
    B = "B", _("B: differs, explained")
    C = "C", _("C: clocks contradict")


@dataclass(frozen=True)
class Quality:
    """The grade of one reading's time and the reasons that lowered it, as words of a fixed list."""

    grade: Grade
    reasons: tuple[str, ...]


def grade(*, elapsed_ms: int, server_ms: int, paradata: Mapping[str, Any], after_gap: bool) -> Quality:
    """Grade one reading.

    `server_ms`: time from handing out the image as current to storing the verdict. The browser has to account for it:
    reading, pauses, an offered break, follow-up questions, the moment in which an answer can be taken back, waiting
    for the network. An image may be visible before the previous verdict is acknowledged (`ahead_ms`), so the browser
    may correctly report that much more.
    """
    spent = elapsed_ms + sum(_ms(paradata, name) for name in _ACCOUNTED)
    slack = TOLERANCE_MS + TOLERANCE_SHARE * server_ms
    missing, surplus = server_ms - spent, spent - server_ms - _ms(paradata, "ahead_ms")
    reasons = [name for name, holds in _explanations(paradata, after_gap=after_gap) if holds]
    if surplus > slack:
        return Quality(Grade.C, (*reasons, "longer_than_server"))
    if missing > slack:
        explained = {"reloaded", "first_of_page"} & set(reasons)
        return Quality(Grade.B if explained else Grade.C, (*reasons, "shorter_than_server"))
    lowering = [reason for reason in reasons if reason != "first_of_page"]
    return Quality(Grade.B if lowering else Grade.A, tuple(lowering))


def _explanations(paradata: Mapping[str, Any], *, after_gap: bool) -> list[tuple[str, bool]]:
    return [
        ("reloaded", paradata.get("reloaded") is True),
        ("first_of_page", paradata.get("first_of_page") is True),
        ("after_gap", after_gap),
        ("paused", _ms(paradata, "paused_ms") > 0),
        ("hidden", _ms(paradata, "hidden_ms") > _ms(paradata, "paused_ms") + SHORT_MS),
        ("blurred", _ms(paradata, "blurred_ms") > SHORT_MS),
        ("idle", _ms(paradata, "idle_ms") > 0),
        ("waited", _ms(paradata, "waited_ms") > SHORT_MS),
    ]


def _ms(paradata: Mapping[str, Any], name: str) -> float:
    """Return a number of the paradata; 0 for anything else that a browser sends there."""
    value = paradata.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e10 else 0.0
