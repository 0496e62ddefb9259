"""The spots of an image in which a generator's change has most effect, as soft masks at a network's size."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Floats = NDArray[np.float32]

# Shares of a network's rows: how far the effect is smoothed before its peak is taken, the radius of a spot, and the
# width of the border in which it fades out.
SMOOTHING: Final = 1 / 64
RADIUS: Final = 1 / 20
BORDER: Final = 1 / 16
MOST_SPOTS: Final = 24


def next_spot(effect: Floats, taken: Floats) -> Floats | None:
    """Return a mask of the spot with the greatest effect, (rows, columns); None if no effect is left.

    `effect` is positive where a pixel's change helps; `taken` is 1 where the change is applied already. A mask is 1
    within the radius, fades to 0 within the border around it, and is exactly 0 beyond.
    """
    rows = effect.shape[0]
    left = gaussian_filter(np.clip(effect, 0, None) * (1 - taken), rows * SMOOTHING)
    if not left.max(initial=0) > 0:
        return None
    row, column = np.unravel_index(int(left.argmax()), left.shape)
    down, across = np.ogrid[: effect.shape[0], : effect.shape[1]]
    beyond = np.clip((np.hypot(down - row, across - column) / rows - RADIUS) / BORDER, 0, 1)
    mask: Floats = (0.5 * (1 + np.cos(np.pi * beyond))).astype(np.float32)
    mask[beyond == 1] = 0
    return mask
