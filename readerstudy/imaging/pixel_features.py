"""Simple features of an image's pixels that could reveal an adversarial image without a look at what it shows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from readerstudy.imaging.background import background_level
from readerstudy.imaging.geometry import FindRegion, Weight
from readerstudy.imaging.grey_levels import find_levels
from readerstudy.imaging.image import WHITE, Grey16

_AIR = 1966  # 3 % of full scale
_NEIGHBOURHOOD = 257  # levels over which a histogram without gaps is smooth


def pixel_facts(image: Grey16, *, region: FindRegion) -> dict[str, float]:
    """Return the features of one 16-bit image (rows, columns) by name.

    The weight of `region` is 1 in the tissue and 0 in the air around it.
    """
    weight = region(image)
    return {
        **_levels(image),
        **_histogram(image),
        **_border(image),
        **_inside_and_outside(image, weight),
        **_last_bits(image, weight),
    }


def _levels(image: Grey16) -> dict[str, float]:
    low, high = int(image.min()), int(image.max())
    distinct = len(np.unique(image))
    return {
        "minimum": float(low),
        "maximum": float(high),
        "distinct values": float(distinct),
        "levels of its grid": float(find_levels(image).size),
        "exact zeros": float((image == 0).mean()),
        "full white": float((image == WHITE).mean()),
    }


def _histogram(image: Grey16) -> dict[str, float]:
    """Measure the comb, the summed deviation from a smoothed histogram as a share of the pixels (0 smooth, up to 2),
    and the entropy of 256 grey levels in bits.

    The comb is measured without air, whose few levels have half of the pixels.
    """
    counts = np.bincount(image.ravel(), minlength=65536).astype(np.float64)
    # Without the level of saturated pixels, which is a feature of its own.
    tissue = counts[_AIR:-1]
    even = uniform_filter1d(tissue, _NEIGHBOURHOOD, mode="nearest")
    share = counts.reshape(256, 256).sum(axis=1) / counts.sum()
    share = share[share > 0]
    return {
        "comb in the histogram": float(np.abs(tissue - even).sum() / max(1.0, tissue.sum())),
        "entropy": float(-(share * np.log2(share)).sum()),
    }


def _border(image: Grey16) -> dict[str, float]:
    """Measure the grey of the outermost pixels, and the largest step of the four sides to the pixels behind them."""
    values = image.astype(np.float64)
    sides = [values, values[::-1], values.T, values.T[::-1]]
    border = np.concatenate([side[0] for side in sides])
    return {
        "border level": float(border.mean()),
        "border spread": float(border.std()),
        "border step": max(float(np.abs(side[0] - side[min(2, len(side) - 1)]).mean()) for side in sides),
        "background level": float(background_level(image)),
    }


def _inside_and_outside(image: Grey16, weight: Weight) -> dict[str, float]:
    """Measure noise (absolute Laplacian: median in the tissue, mean in the air) and the grey of the air."""
    values = image.astype(np.int64)
    inside = values[1:-1, 1:-1]
    laplacian = np.abs(4 * inside - values[:-2, 1:-1] - values[2:, 1:-1] - values[1:-1, :-2] - values[1:-1, 2:])
    inner = weight[1:-1, 1:-1]
    tissue, air = inner == 1, inner == 0
    return {
        "noise in the tissue": _median(laplacian[tissue]),
        "noise in the air": _mean(laplacian[air]),
        "grey of the air": _mean(inside[air]),
        "exact zeros in the air": _mean((inside == 0)[air]),
    }


def _last_bits(image: Grey16, weight: Weight) -> dict[str, float]:
    """Measure the share of odd values in the tissue, and chi-square per pixel of its last three bits against equal
    counts.

    Both show how values were rounded, which must be the same for real and adversarial images.
    """
    tissue = image[weight == 1]
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
