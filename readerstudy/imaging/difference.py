"""The signed difference of a real and an adversarial image."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.image import Grey16, WrongPixels, quantise, require_grey16

NO_DIFFERENCE: Final = 32768


def signed_difference(real: Grey16, adversarial: Grey16) -> Grey16:
    """Return half of real minus adversarial around 32768: brighter where the change took light away.

    Halves are rounded away from zero and the result is clipped to 32768 ± 32767. Exchanging the images therefore
    mirrors the result, and a pixel is 32768 exactly if both agree. Raises WrongPixels if the sizes differ.
    """
    require_grey16(real)
    require_grey16(adversarial)
    if real.shape != adversarial.shape:
        raise WrongPixels(f"Images of {real.shape} and {adversarial.shape} pixels cannot be compared.")
    difference = real.astype(np.int32) - adversarial.astype(np.int32)
    half = np.minimum((np.abs(difference) + 1) // 2, NO_DIFFERENCE - 1)
    return quantise(NO_DIFFERENCE + np.sign(difference) * half)


def read_signed_difference(encoded: Grey16) -> NDArray[np.int32]:
    """Return real minus adversarial in 16-bit levels from the result of `signed_difference`.

    Exact for even differences, one too large in size for odd ones.
    """
    return (encoded.astype(np.int32) - NO_DIFFERENCE) * 2
