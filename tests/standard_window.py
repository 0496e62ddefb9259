"""The reading page's standard window, computed here as static/reading/forms/picture/grey_percentiles.js does."""

import numpy as np
from numpy.typing import NDArray


def standard_window(pixels: NDArray[np.uint16]) -> tuple[int, int]:
    """Return the 1st percentile of the image, and the 99.99th of what is brighter than air.

    A percentile is the smallest level that at least this share of pixels does not exceed.
    """
    low, bright = percentile(pixels, 0.01), percentile(pixels, 0.998)
    above = pixels[pixels > low + (bright - low) // 20]
    return low, percentile(above, 0.9999) if above.size else bright


def percentile(pixels: NDArray[np.uint16], share: float) -> int:
    ordered = np.sort(pixels, axis=None)
    return int(ordered[int(np.ceil(share * ordered.size)) - 1])
