"""A change that stays within the contrast of the tissue around it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Floats = NDArray[np.float32]

# How far the change may go, as multiples of the local contrast, the least visible first.
BOUNDS: Final = (0.5, 1.0, 2.0)
# Pixels of the generator: what is coarser than this is no texture; its contrast is taken from a wider surrounding.
COARSEST: Final = 2.5
SURROUNDING: Final = 1.5 * COARSEST


def local_contrast(image: Floats, *, pixel: float) -> Floats:
    """Return the standard deviation of the texture around each pixel of an image in 0…1. (h, w)

    `pixel` is the size of the generator's pixels in those of the image: what is finer than half of one is grain, which
    a change does not alter.
    """
    seen = gaussian_filter(image, pixel / 2)
    texture = seen - gaussian_filter(image, pixel * COARSEST)
    contrast: Floats = np.sqrt(gaussian_filter(texture * texture, pixel * SURROUNDING))
    return contrast


def within(change: Floats, contrast: Floats, bound: float) -> Floats:
    """Return the change compressed to less than `bound` times the contrast; of the same sign, nowhere greater. (h, w)

    Small changes stay as they are; nothing has a hard edge.
    """
    most = bound * contrast + np.float32(1e-6)
    compressed: Floats = (most * np.tanh(change / most)).astype(np.float32)
    return compressed
