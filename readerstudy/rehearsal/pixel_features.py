"""Trivial facts of a picture that could tell an altered one without looking at the breast. Numbers by name."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from readerstudy.imaging.background import background_level
from readerstudy.imaging.breast_mask import breast_weight
from readerstudy.imaging.grey_levels import find_levels

Grey16 = NDArray[np.uint16]

_AIR = 1966  # 3 % of full scale
_NEIGHBOURHOOD = 257  # levels over which a histogram without a comb is even


def pixel_facts(picture: Grey16) -> dict[str, float]:
    """The facts of one 16-bit picture (rows, columns)."""
    return {
        **_levels(picture),
        **_histogram(picture),
        **_border(picture),
        **_inside_and_outside(picture),
        **_last_bits(picture),
    }


def _levels(picture: Grey16) -> dict[str, float]:
    low, high = int(picture.min()), int(picture.max())
    distinct = len(np.unique(picture))
    return {
        "minimum": float(low),
        "maximum": float(high),
        "distinct values": float(distinct),
        "levels of its grid": float(find_levels(picture).size),
        "exact zeros": float((picture == 0).mean()),
        "full white": float((picture == 65535).mean()),
    }


def _histogram(picture: Grey16) -> dict[str, float]:
    """Comb: the share of pixels that would have to move for an even histogram (0 smooth, towards 2 a comb).

    Air is left out: its few levels hold half of the pixels. Entropy of 256 greys, in bits.
    """
    counts = np.bincount(picture.ravel(), minlength=65536).astype(np.float64)
    # The last level holds what is saturated: a peak there is a fact of its own.
    tissue = counts[_AIR:-1]
    even = uniform_filter1d(tissue, _NEIGHBOURHOOD, mode="nearest")
    share = counts.reshape(256, 256).sum(axis=1) / counts.sum()
    share = share[share > 0]
    return {
        "comb in the histogram": float(np.abs(tissue - even).sum() / max(1.0, tissue.sum())),
        "entropy": float(-(share * np.log2(share)).sum()),
    }


def _border(picture: Grey16) -> dict[str, float]:
    """The outermost pixels: their grey, and on the worst of the four sides the step to the picture behind them."""
    values = picture.astype(np.float64)
    sides = [values, values[::-1], values.T, values.T[::-1]]
    border = np.concatenate([side[0] for side in sides])
    return {
        "border level": float(border.mean()),
        "border spread": float(border.std()),
        "border step": max(float(np.abs(side[0] - side[min(2, len(side) - 1)]).mean()) for side in sides),
        "background level": float(background_level(picture)),
    }


def _inside_and_outside(picture: Grey16) -> dict[str, float]:
    """Noise (median absolute Laplacian) and grey of the breast and of what is not breast."""
    values = picture.astype(np.int64)
    inside = values[1:-1, 1:-1]
    laplacian = np.abs(4 * inside - values[:-2, 1:-1] - values[2:, 1:-1] - values[1:-1, :-2] - values[1:-1, 2:])
    weight = breast_weight(picture)[1:-1, 1:-1]
    tissue, air = weight == 1, weight == 0
    return {
        "noise in the tissue": _median(laplacian[tissue]),
        "noise in the air": _mean(laplacian[air]),
        "grey of the air": _mean(inside[air]),
        "exact zeros in the air": _mean((inside == 0)[air]),
    }


def _last_bits(picture: Grey16) -> dict[str, float]:
    """Share of odd values in the tissue, and how uneven its last three bits are: chi-square for each pixel.

    Both show how values were rounded, which must be the same for real and adversarial images.
    """
    tissue = picture[breast_weight(picture) == 1]
    counts = np.bincount(tissue % 8, minlength=8)
    expected = max(1.0, tissue.size / 8)
    return {
        "odd values in the tissue": _mean(tissue % 2),
        "unevenness of the last three bits": float(((counts - expected) ** 2).sum() / expected / max(1, tissue.size)),
    }


def _median(values: NDArray[Any]) -> float:
    return float(np.median(values)) if values.size else 0.0


def _mean(values: NDArray[Any]) -> float:
    return float(np.mean(values)) if values.size else 0.0
