"""The signed difference of a real and an adversarial image."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.image import Grey16, WrongPixels, quantise, require_grey16

NO_DIFFERENCE: Final = 32768


def signed_difference(real: Grey16, adversarial: Grey16) -> Grey16:
    """Half of real minus adversarial, around 32768 for equal: brighter where the change took light away.

    Halves are rounded away from zero and the ends held at ±32767, so swapping the pictures mirrors the
    result, and a pixel reads 32768 exactly where the two agree.
    """
    require_grey16(real)
    require_grey16(adversarial)
    if real.shape != adversarial.shape:
        raise WrongPixels(f"Pictures of {real.shape} and {adversarial.shape} pixels cannot be compared.")
    difference = real.astype(np.int32) - adversarial.astype(np.int32)
    half = np.minimum((np.abs(difference) + 1) // 2, NO_DIFFERENCE - 1)
    return quantise(NO_DIFFERENCE + np.sign(difference) * half)


def read_signed_difference(encoded: Grey16) -> NDArray[np.int32]:
    """Real minus adversarial from its picture, in 16-bit levels, to within one; exact where it is even."""
    return (encoded.astype(np.int32) - NO_DIFFERENCE) * 2
