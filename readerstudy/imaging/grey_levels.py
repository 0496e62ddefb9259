"""The grey levels that a picture may hold, so that its histogram does not tell where it comes from.

A film of 8 or 12 bits in a 16-bit file leaves most levels empty, like the teeth of a comb. A network fills the gaps,
and resizing fills them here and there. One rule for real and adversarial pictures: stored pictures keep to the
levels of their source.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from readerstudy.imaging.image import WHITE, Grey16, Pixels, WrongPixels

_NEIGHBOURHOOD: Final = 65  # levels over which a histogram without a comb is even
_COMB: Final = 0.5  # fewer than this share of the levels that an even histogram would fill


def to_16_bit(pixels: Pixels) -> Grey16:
    """Spread 0 … 2**bits - 1 over 0 … 65535, rounded to the nearest.

    The bits set the scale, never the brightest pixel: films of one detector stay comparable.
    """
    values, bits = pixels.values, pixels.bits
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "ui" or bits < 1:
        raise WrongPixels("A picture has rows, columns, whole numbers and at least one bit.")
    brightest = 2**bits - 1
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > brightest:
        raise WrongPixels(f"The picture holds values from {low} to {high}, outside its {bits} bits (0 to {brightest}).")
    if bits > 16:
        return _spread(values, brightest)
    return np.take(levels_of_bits(bits), values)


def _spread(values: NDArray[Any], brightest: int) -> Grey16:
    """Scale in whole numbers: no float rounding that could differ between machines."""
    levels: Grey16 = ((values.astype(np.int64) * WHITE + brightest // 2) // brightest).astype(np.uint16)
    return levels


def levels_of_bits(bits: int) -> Grey16:
    """The 2**bits levels of a source spread over 16 bits, ascending; all 65536 for 16 bits and more."""
    brightest = 2 ** min(bits, 16) - 1
    numbers = np.arange(brightest + 1, dtype=np.int64)
    levels: Grey16 = ((numbers * WHITE + brightest // 2) // brightest).astype(np.uint16)
    return levels


def levels_of(values: Grey16) -> Grey16:
    """The levels that a picture keeps to, ascending: those of 8 to 15 bits, its own where it has another comb, or all.

    An odd comb (a scanner's table, 12 bits moved up by four) is seen by how few levels are filled beside how many an
    even histogram of as many pixels would fill; then exactly the levels in use are kept to.
    """
    histogram = np.bincount(values.ravel(), minlength=WHITE + 1)
    used = np.flatnonzero(histogram).astype(np.uint16)
    for bits in range(8, 16):
        grid = levels_of_bits(bits)
        if np.isin(used, grid).all():
            return grid
    even = uniform_filter1d(histogram.astype(np.float64), _NEIGHBOURHOOD, mode="constant")
    expected = float((1 - np.exp(-even)).sum())
    return used if used.size < _COMB * expected else levels_of_bits(16)


def snap(values: Grey16, levels: Grey16) -> Grey16:
    """Every pixel at the nearest of the levels (ascending); one that lies half way takes the upper."""
    if levels.size > WHITE:
        return values
    middles = (levels[:-1].astype(np.int64) + levels[1:] + 1) // 2
    nearest = levels[np.searchsorted(middles, np.arange(WHITE + 1), side="right")]
    return np.take(nearest, values)


def keep_grid(real: Grey16, adversarial: Grey16) -> Grey16:
    """An adversarial picture on the levels of its parent; black and full white exactly where the parent is.

    Black marks the empty background of many films, white their labels: they must neither vanish nor spread.
    """
    levels = levels_of(real)
    settled = snap(adversarial, levels)
    inner = levels[(levels > 0) & (levels < WHITE)]
    if not inner.size:
        return real
    return np.where((real == 0) | (real == WHITE), real, np.clip(settled, inner[0], inner[-1]))
