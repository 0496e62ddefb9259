"""Twenty features of a mammogram that need no learning, and a logistic regression on them: what a task must not yield.

A phantom whose cancer is found by the brightest pixel or by a filter for blobs says nothing about networks.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from readerstudy.imaging.image import WHITE, Grey16

Floats = NDArray[np.float64]

_AIR: Final = 0.03  # of full scale
_QUANTILES: Final = (0.05, 0.5, 0.9, 0.99, 0.999)
_BLOBS: Final = (0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)  # standard deviations in pixels
FEATURES: Final = (
    "brightest pixel",
    "area of the breast",
    "mean in the breast",
    "standard deviation in the breast",
    "skewness in the breast",
    *(f"quantile {share:g} in the breast" for share in _QUANTILES),
    *(f"largest blob, sigma {sigma:g}" for sigma in _BLOBS),
    "share of pixels in small bright points",
    "largest standard deviation in a window",
    "mean gradient",
)
_RIDGE: Final = 1.0  # weight of the squared coefficients of standardised features
_STEPS: Final = 25


def hand_made_features(image: Grey16) -> Floats:
    """Return FEATURES of an image (H, W) of about 256 rows."""
    values = image.astype(np.float64) / WHITE
    inside = values > _AIR
    breast = values[inside] if inside.any() else values.ravel()
    mean, spread = breast.mean(), breast.std()
    blobs = [-(sigma**2) * ndimage.gaussian_laplace(values, sigma) for sigma in _BLOBS]
    window_mean = ndimage.uniform_filter(values, 9)
    variance = ndimage.uniform_filter(values**2, 9) - window_mean**2
    # The border of the breast is not of interest.
    core = ndimage.binary_erosion(inside, iterations=6, border_value=1)
    core = core if core.any() else np.ones_like(core)
    return np.array(
        [
            values.max(),
            inside.mean(),
            mean,
            spread,
            ((breast - mean) ** 3).mean() / max(spread, 1e-9) ** 3,
            *np.quantile(breast, _QUANTILES),
            *(blob[core].max() for blob in blobs),
            (blobs[1][core] > 0.03).mean(),
            np.sqrt(max(variance[core].max(), 0)),
            ndimage.gaussian_gradient_magnitude(values, 1.0)[core].mean(),
        ]
    )


def logistic_scores(training: Floats, labels: NDArray[np.int64], test: Floats) -> Floats:
    """Return the log odds of the test rows (N, F) by a ridge logistic regression on training rows (M, F).

    Features are standardised on the training rows; both classes weigh the same.
    """
    mean, spread = training.mean(axis=0), training.std(axis=0)
    known, asked = (_with_constant((rows - mean) / np.maximum(spread, 1e-12)) for rows in (training, test))
    weights = np.where(labels == 1, 0.5 / max(labels.mean(), 1e-9), 0.5 / max(1 - labels.mean(), 1e-9))
    ridge = np.full(known.shape[1], _RIDGE)
    ridge[-1] = 0
    coefficients = np.zeros(known.shape[1])
    for _ in range(_STEPS):
        share = 1 / (1 + np.exp(-np.clip(known @ coefficients, -30, 30)))
        gradient = known.T @ (weights * (labels - share)) - ridge * coefficients
        curvature = (known * (weights * share * (1 - share))[:, None]).T @ known + np.diag(ridge + 1e-9)
        coefficients += np.linalg.solve(curvature, gradient)
    scores: Floats = asked @ coefficients
    return scores


def _with_constant(rows: Floats) -> Floats:
    return np.hstack([rows, np.ones((len(rows), 1))])
