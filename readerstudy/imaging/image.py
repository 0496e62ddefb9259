"""Base types of images: 16-bit grey levels, sizes and rounding.

Sizes are (rows, columns). Real and adversarial images pass the same functions of this package, so that their files
differ in nothing but the image.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from readerstudy.errors import StudyError


class UnreadableImage(StudyError):
    """A file is not an image that can be read, or is damaged; the message names the file and the reason."""


class WrongPixels(StudyError):
    """An array is not an image of the required kind; the message says why."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """One grey image with the values of its file: higher is brighter, 0 to 2**bits - 1 is the possible range."""

    values: NDArray[Any]  # (rows, columns), an integer type
    bits: int


Grey16 = NDArray[np.uint16]  # (rows, columns)
Size = tuple[int, int]

WHITE: Final = 65535  # the highest 16-bit grey level


def quantise(values: NDArray[Any]) -> Grey16:
    """Round to the nearest 16-bit grey level, halves up, and clip. Nothing else in the pixel path rounds.

    Resized images come in float32: one value in three hundred lies exactly half way between two levels. Halves to even
    would leave too few odd values in real images, but not in adversarial ones, which are rounded from float64.
    """
    levels: Grey16 = np.clip(np.floor(np.asarray(values, dtype=np.float64) + 0.5), 0, WHITE).astype(np.uint16)
    return levels


def require_grey16(values: NDArray[Any]) -> None:
    """Raise WrongPixels unless the array is one 16-bit grey image."""
    if values.dtype != np.uint16 or values.ndim != 2 or values.size == 0:
        raise WrongPixels("An image of the study is a two-dimensional array of 16-bit levels.")
