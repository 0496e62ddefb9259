"""Masks of what an image shows, found on a small copy, which averages noise and costs little."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from readerstudy.imaging.image import Grey16, Size

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

_ROWS: Final = 192  # of the small copy
_SEAM: Final = 0.02  # of the height: over this depth below its border a weight rises from 0 to 1


def small_copy(values: Grey16) -> Floats:
    """Return the image at about 192 rows; each pixel is a mean."""
    rows = min(_ROWS, values.shape[0])
    columns = max(1, round(values.shape[1] * rows / values.shape[0]))
    resized = Image.fromarray(values.astype(np.float32)).resize((columns, rows), Image.Resampling.BOX)
    return np.asarray(resized, dtype=np.float32)


def thickest_piece(mask: Mask) -> Mask:
    """Return the connected piece that holds the largest disc, its holes filled; nothing if the mask is empty.

    Bars and frames beside the body may be larger than it, but are thin.
    """
    pieces, count = ndimage.label(mask)
    if count == 0:
        return np.zeros(mask.shape, dtype=bool)
    depths = ndimage.maximum(ndimage.distance_transform_edt(mask), pieces, range(1, count + 1))
    thickest: Mask = ndimage.binary_fill_holes(pieces == 1 + int(np.argmax(depths)))
    return thickest


def soft_weight(mask: Mask, size: Size) -> Floats:
    """Return a weight of `size` (rows, columns): 0 outside the mask, 1 inside, with a soft seam along its border.

    All 1 if the mask is empty or full: a changed background is better than an image that was not changed.
    """
    if mask.all() or not mask.any():
        return np.ones(size, dtype=np.float32)
    # The distance to the background, not to the image's own border: the weight does not fall where a body is cut off.
    depth = ndimage.distance_transform_edt(mask)
    weight = np.clip((depth - 1) / (_SEAM * mask.shape[0]), 0, 1).astype(np.float32)
    return np.asarray(Image.fromarray(weight).resize((size[1], size[0]), Image.Resampling.BILINEAR), dtype=np.float32)
