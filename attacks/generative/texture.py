"""A change that stays within the contrast of the tissue around it."""

from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
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

    `pixel` is the size of the generator's pixels in those of the image. Texture is what is left of the image at the
    generator's size without its coarse shades; what is finer is grain, which a change does not alter.
    """
    size = tuple(max(1, round(length / pixel)) for length in image.shape)
    small = F.interpolate(torch.from_numpy(image)[None, None], size=size, mode="area")[0, 0].numpy()
    texture = small - gaussian_filter(small, COARSEST)
    variance = torch.from_numpy(gaussian_filter(texture * texture, SURROUNDING))
    contrast: Floats = F.interpolate(variance.sqrt()[None, None], size=image.shape, mode="bilinear")[0, 0].numpy()
    return contrast


def within(change: Floats, contrast: Floats, bound: float) -> Floats:
    """Return the change compressed to less than `bound` times the contrast; of the same sign, nowhere greater. (h, w)

    Small changes stay as they are; nothing has a hard edge.
    """
    most = bound * contrast + np.float32(1e-6)
    compressed: Floats = (most * np.tanh(change / most)).astype(np.float32)
    return compressed
