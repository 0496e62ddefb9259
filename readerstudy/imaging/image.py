"""The one path of pixels: whatever the source, real or adversarial, pictures become 16-bit grey PNG here.

Sizes are (rows, columns). A real image and its adversarial twin pass the same functions, so that nothing but
the picture differs between their files.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from readerstudy.errors import StudyError
from readerstudy.vocabulary import Resolution


class UnreadableImage(StudyError):
    """A file that promised to be a picture is none, or is damaged; the sentence says which and why."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """One grey picture as its file holds it: larger is brighter, 0 to 2**bits - 1 is the possible range."""

    values: NDArray[Any]  # rows x columns, an integer type
    bits: int


Grey16 = NDArray[np.uint16]
Size = tuple[int, int]

RESOLUTIONS: Final[dict[str, Size]] = {Resolution.HIGH: (1728, 1408), Resolution.LOW: (1024, 832)}
WHITE: Final = 65535


class WrongPixels(StudyError):
    """An array is no picture of the kind that was asked for; the sentence says in what."""


def quantise(values: NDArray[Any]) -> Grey16:
    """Round to the nearest 16-bit level, halves up, and clip: the only rounding of the pixel path.

    Resized images come in float32, where one value in three hundred lies exactly half way between two levels. Halves
    to even would leave real images with too few odd values, and adversarial ones, rounded from float64, without that.
    """
    levels: Grey16 = np.clip(np.floor(np.asarray(values, dtype=np.float64) + 0.5), 0, WHITE).astype(np.uint16)
    return levels


def require_grey16(values: NDArray[Any]) -> None:
    if values.dtype != np.uint16 or values.ndim != 2 or values.size == 0:
        raise WrongPixels("A picture of the study is a two-dimensional array of 16-bit levels.")
