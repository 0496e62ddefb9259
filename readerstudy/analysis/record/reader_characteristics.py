"""What the readers of a study told about themselves, counted over all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Lowest and highest years of experience of each band; the last is open.
YEARS: Final = ((0, 4), (5, 9), (10, 19), (20, None))


@dataclass(frozen=True)
class ReaderCharacteristic:
    """One question about the readers: how many gave each answer (by its code), and how many gave none."""

    name: str
    answers: Mapping[str, int]
    unanswered: int


def years_band(years: int) -> str:
    """Return the code of the band of years of experience, such as "5_9" or "20_"."""
    low, high = next((low, high) for low, high in YEARS if high is None or years <= high)
    return f"{low}_{'' if high is None else high}"
