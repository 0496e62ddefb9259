"""The display check before a session, after the idea of AAPM TG270 (2019), with letters and steps of our own. Pure.

A strip of random letters on a dark, a middle and a bright ground, each letter fainter than the one before; a small
square on black and one on white; the room lighting; the size of a bank card. The server decides from the results.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

# 8-bit levels: 5, 50 and 95 % of full drive. CONTRASTS are differences to the ground, letter by letter.
GROUNDS: Final = {"dark": 13, "middle": 128, "bright": 242}
CONTRASTS: Final = (16, 12, 8, 5, 3)
MUST_READ: Final = 3  # the first so many letters of each strip
SQUARES: Final = {"dark": (0, 13), "bright": (255, 242)}  # ground and square
CARD_MM: Final = (85.60, 53.98)  # ISO/IEC 7810 ID-1
LEAST_DEPTH: Final = 24
STANDS_FOR: Final = timedelta(hours=12)

GROUND_NAMES: Final = {
    "dark": gettext_noop("black"),
    "middle": gettext_noop("mid-grey"),
    "bright": gettext_noop("white"),
}


@dataclass(frozen=True)
class Strip:
    """One strip of letters: what was shown and what the reader typed."""

    ground: str
    shown: str
    typed: str

    @property
    def right(self) -> int:
        """Number of letters read in a row from the strongest; case and blanks do not matter."""
        typed = "".join(self.typed.split()).upper()
        count = 0
        for shown, answer in zip(self.shown.upper(), typed, strict=False):
            if shown != answer:
                break
            count += 1
        return count


def rules_for_page() -> dict[str, Any]:
    """Return the values from which the page draws the check."""
    drawn = {"grounds": GROUNDS, "contrasts": CONTRASTS, "squares": SQUARES, "card_mm": CARD_MM}
    return {**drawn, "stands_for_s": round(STANDS_FOR.total_seconds())}


def find_failures(results: Mapping[str, Any], *, least_viewport: tuple[int, int]) -> list[str]:
    """Return the reasons why the display fails, one sentence each; empty if it passes.

    `results`: `letters`, `squares`, `light` and `screen`, as validated by the API. `least_viewport`: width and height
    in device pixels.
    """
    failures = [message for strip in _strips(results) if (message := _unread(strip))]
    for ground, text in (
        ("dark", _("You did not see the dark square on black. This display would hide dark details.")),
        ("bright", _("You did not see the bright square on white. This display would hide bright details.")),
    ):
        if not results["squares"][ground]:
            failures.append(text)
    if results["light"] == "bright":
        failures.append(_("The room is bright. Read in a dark or dimmed room, with no light on the screen."))
    return failures + _screen_failures(results["screen"], least_viewport)


def _strips(results: Mapping[str, Any]) -> list[Strip]:
    return [Strip(**row) for row in results["letters"]]


def _unread(strip: Strip) -> str:
    if strip.right >= MUST_READ:
        return ""
    sentence = ngettext(
        "You read %(right)d letter on %(ground)s; at least %(least)d are needed.",
        "You read %(right)d letters on %(ground)s; at least %(least)d are needed.",
        strip.right,
    )
    return sentence % {"ground": _(GROUND_NAMES[strip.ground]), "right": strip.right, "least": MUST_READ}


def _screen_failures(screen: Mapping[str, Any], least_viewport: tuple[int, int]) -> list[str]:
    failures = []
    least_width, least_height = least_viewport
    width, height = (round(side * screen["device_pixel_ratio"]) for side in screen["viewport"])
    if width < least_width or height < least_height:
        failures.append(
            _("The window has %(width)d × %(height)d pixels; at least %(least_width)d × %(least_height)d are needed.")
            % {"width": width, "height": height, "least_width": least_width, "least_height": least_height}
        )
    if screen["color_depth"] < LEAST_DEPTH:
        failures.append(
            _("The display has %(depth)d bits per pixel; at least 24 are needed.") % {"depth": screen["color_depth"]}
        )
    return failures
