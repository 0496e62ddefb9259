"""The connected regions of a generator's change, as soft masks at a network's size."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, label, sum_labels

Floats = NDArray[np.float32]

# Shares of a network's rows: how far the change is smoothed before it is cut into regions, and how wide the border is
# in which a mask fades out. At 256 rows 2 and 8 pixels.
SMOOTHING: Final = 1 / 128
BORDER: Final = 1 / 32
CUT: Final = 0.25  # of the greatest smoothed change: what lies above it belongs to a region
MOST_REGIONS: Final = 16  # those with the largest change; a region beyond them is only part of the whole change


def region_masks(change: Floats) -> Floats:
    """Return a mask of each region of a change (rows, columns), those with the largest change first.

    A mask is 1 in its region, fades to 0 within the border around it, and is exactly 0 beyond. (N, rows, columns)
    """
    rows = change.shape[0]
    size = gaussian_filter(np.abs(change), rows * SMOOTHING)
    labelled, count = label(size > CUT * float(size.max(initial=0)))
    numbers = np.arange(1, count + 1)
    largest = numbers[np.argsort(-sum_labels(size, labelled, numbers), kind="stable")][:MOST_REGIONS]
    masks = [_fading_out(labelled == number, rows * BORDER) for number in largest]
    return np.stack(masks) if masks else np.zeros((0, *change.shape), dtype=np.float32)


def joined(masks: Floats) -> Floats:
    """Return one mask for each number of regions, from the first alone to all of them together."""
    union: Floats = np.maximum.accumulate(masks, axis=0)
    return union


def _fading_out(region: NDArray[np.bool_], border: float) -> Floats:
    """Return 1 in the region and half a cosine from 1 to 0 over `border` pixels around it."""
    distance = np.minimum(distance_transform_edt(~region), border)
    mask: Floats = (0.5 * (1 + np.cos(np.pi * distance / border))).astype(np.float32)
    mask[distance >= border] = 0
    return mask
