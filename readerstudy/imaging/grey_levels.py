"""The grey levels that an image may use, so that its histogram does not show where it comes from.

An image of 8 or 12 bits in a 16-bit file leaves most levels empty, like the gaps of a comb. A network fills the gaps,
and resizing fills them in some parts. One rule holds for real and adversarial images: stored images use only the levels
of their source.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from readerstudy.imaging.image import WHITE, Grey16, Pixels, WrongPixels

_NEIGHBOURHOOD: Final = 65  # levels over which a histogram without a comb is smooth
_COMB: Final = 0.5  # a comb uses less than this share of the levels that a smooth histogram would fill


def to_16_bit(pixels: Pixels) -> Grey16:
    """Spread 0 … 2**bits - 1 over 0 … 65535, rounded to the nearest level.

    The scale depends on the bits and not on the brightest pixel, so that images of one detector stay comparable.
    Raises WrongPixels if the array is not an image of integers or has values outside its bits.
    """
    values, bits = pixels.values, pixels.bits
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "ui" or bits < 1:
        raise WrongPixels("An image has rows, columns, whole numbers and at least one bit.")
    brightest = 2**bits - 1
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > brightest:
        raise WrongPixels(f"The image holds values from {low} to {high}, outside its {bits} bits (0 to {brightest}).")
    if bits > 16:
        return _spread(values, brightest)
    return np.take(bit_depth_levels(bits), values)


def _spread(values: NDArray[Any], brightest: int) -> Grey16:
    """Scale 0 … brightest to 0 … 65535 in integers, without float rounding that could differ between machines."""
    levels: Grey16 = ((values.astype(np.int64) * WHITE + brightest // 2) // brightest).astype(np.uint16)
    return levels


def bit_depth_levels(bits: int) -> Grey16:
    """Return the 2**bits levels of a source spread over 16 bits, ascending; all 65,536 for 16 bits and more."""
    brightest = 2 ** min(bits, 16) - 1
    return _spread(np.arange(brightest + 1), brightest)


def find_levels(values: Grey16) -> Grey16:
    """Return the levels that an image keeps to, ascending: those of 8 to 15 bits, its own if they form another comb,
    or all.

    Another comb (a scanner's table, or 12 bits shifted up by four) is recognised by how few levels are used compared
    with a smooth histogram of as many pixels.
    """
    histogram = np.bincount(values.ravel(), minlength=WHITE + 1)
    used = np.flatnonzero(histogram).astype(np.uint16)
    for bits in range(8, 16):
        levels = bit_depth_levels(bits)
        if np.isin(used, levels).all():
            return levels
    smooth = uniform_filter1d(histogram.astype(np.float64), _NEIGHBOURHOOD, mode="constant")
    expected = float((1 - np.exp(-smooth)).sum())
    return used if used.size < _COMB * expected else bit_depth_levels(16)


def snap_to_levels(values: Grey16, levels: Grey16) -> Grey16:
    """Return each pixel at the nearest of the levels (ascending), the upper one if it lies half way."""
    if levels.size > WHITE:
        return values
    middles = (levels[:-1].astype(np.int64) + levels[1:] + 1) // 2
    nearest = levels[np.searchsorted(middles, np.arange(WHITE + 1), side="right")]
    return np.take(nearest, values)


def snap_to_source(real: Grey16, adversarial: Grey16) -> Grey16:
    """Return the adversarial image on the levels of its source image, black and full white exactly where that is.

    Black marks the empty background of many images and white their labels: they must neither vanish nor spread.
    """
    levels = find_levels(real)
    snapped = snap_to_levels(adversarial, levels)
    inner = levels[(levels > 0) & (levels < WHITE)]
    if not inner.size:
        return real
    return np.where((real == 0) | (real == WHITE), real, np.clip(snapped, inner[0], inner[-1]))
