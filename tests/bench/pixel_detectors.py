"""Simple detectors of an altered image: single numbers of the pixels, without a look at what the image shows."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, gaussian_filter, gaussian_gradient_magnitude, laplace, median_filter
from scipy.stats import kurtosis

from readerstudy.imaging.image import WHITE, Grey16

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
SKIN = 12  # pixels of the region's edge that are left out


def detect(image: Grey16, weight: NDArray[np.float32]) -> dict[str, float]:
    """Return every detector's number of an image; `weight` is 1 in the region."""
    rows, columns = np.flatnonzero(weight.any(axis=1)), np.flatnonzero(weight.any(axis=0))
    crop = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inside = binary_erosion(weight[crop] == 1, iterations=SKIN)
    levels = image[crop]
    values = levels.astype(np.float32) / WHITE
    return {name: float(detector(values, inside)) for name, detector in DETECTORS.items()} | {
        "share of odd values": float((levels[inside] % 2).mean()),
        "equal neighbours": float((levels[:, 1:] == levels[:, :-1])[inside[:, 1:]].mean()),
    }


def _dog(values: Floats, inner: float, outer: float) -> Floats:
    difference: Floats = gaussian_filter(values, inner) - gaussian_filter(values, outer)
    return difference


def _period(values: Floats, inside: Mask, period: int) -> float:
    """Return how unevenly the second differences are spread over the columns by their position in a period."""
    second = np.abs(np.diff(values, 2, axis=1))
    valid = inside[:, 1:-1]
    means = [
        second[:, start::period][valid[:, start::period]].mean()
        for start in range(period)
        if valid[:, start::period].any()
    ]
    return float(np.std(means) / np.mean(means))


DETECTORS: Final[Mapping[str, Callable[[Floats, Mask], float]]] = {
    "DoG 8-16 px, largest": lambda values, inside: _dog(values, 8, 16)[inside].max(),
    "DoG 4-8 px, spread": lambda values, inside: _dog(values, 4, 8)[inside].std(),
    "gradient, 99th percentile": lambda values, inside: np.percentile(
        gaussian_gradient_magnitude(values, 1)[inside], 99
    ),
    "brightest tissue": lambda values, inside: gaussian_filter(values, 1)[inside].max(),
    "Laplacian, median": lambda values, inside: np.median(np.abs(laplace(values))[inside]),
    "noise residual, log variance": lambda values, inside: np.log(
        (values - gaussian_filter(values, 1.5))[inside].var()
    ),
    "median residual, kurtosis": lambda values, inside: kurtosis((values - median_filter(values, 3))[inside]),
    "high-frequency power": lambda values, inside: (
        (values - gaussian_filter(values, 1))[inside].var() / values[inside].var()
    ),
    "8-pixel period": lambda values, inside: _period(values, inside, 8),
    "4-pixel period": lambda values, inside: _period(values, inside, 4),
}
