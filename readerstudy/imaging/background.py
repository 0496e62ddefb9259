"""The grey level of the background around what was imaged."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.image import Grey16, quantise

_STRIPS: Final = 100  # a border strip is a hundredth of a side wide


def background_level(values: Grey16) -> int:
    """Return the grey level of the background: the median of the darkest border strip, one hundredth of the image wide.

    The median is robust to labels and scratches, and one of the four sides nearly always shows background alone.
    """
    return int(darkest_border_level(values, strips=_STRIPS))


def darkest_border_level(values: Grey16 | np.ndarray, *, strips: int) -> float:
    """Return the median of the darkest of the four border strips, each one of `strips` parts of its side wide."""
    rows, columns = (max(1, side // strips) for side in values.shape)
    borders = (values[:rows], values[-rows:], values[:, :columns], values[:, -columns:])
    return float(min(np.median(border) for border in borders))


def restore_background(real: Grey16, adversarial: Grey16, weight: NDArray[np.float32]) -> Grey16:
    """Return the adversarial image where the weight is 1 and the real one where it is 0, mixed in the seam between.

    All are (rows, columns). A pixel that is equal in both comes back bit for bit.
    """
    return quantise(real + weight * (adversarial.astype(np.float64) - real))
