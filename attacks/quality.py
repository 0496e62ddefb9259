"""How much an attack changed a picture, and where."""

from dataclasses import dataclass
from math import inf, log10

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from models_ml.errors import WrongImages

Image = NDArray[np.uint16]
FULL_SCALE = 65535.0


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels: top and left included, bottom and right not."""

    top: int
    left: int
    bottom: int
    right: int


def psnr(real: Image, adversarial: Image) -> float:
    """Peak signal-to-noise ratio in dB against full scale; infinite for equal pictures."""
    _require_pair(real, adversarial)
    error = float(np.mean((real.astype(np.float64) - adversarial) ** 2))
    return 10 * log10(FULL_SCALE**2 / error) if error else inf


def ssim(real: Image, adversarial: Image, *, window: int = 7) -> float:
    """Mean structural similarity (Wang et al., 2004) over square windows wholly inside the picture.

    Uniform windows, unbiased variances, K1 = 0.01, K2 = 0.03: scikit-image's defaults.
    """
    _require_pair(real, adversarial)
    if min(real.shape) < window:
        raise WrongImages(f"Structural similarity needs at least {window} × {window} pixels.")
    x, y = real / FULL_SCALE, adversarial / FULL_SCALE
    mean_x, mean_y = uniform_filter(x, window), uniform_filter(y, window)
    unbiased = window**2 / (window**2 - 1)
    var_x = unbiased * (uniform_filter(x * x, window) - mean_x**2)
    var_y = unbiased * (uniform_filter(y * y, window) - mean_y**2)
    both = unbiased * (uniform_filter(x * y, window) - mean_x * mean_y)
    c1, c2 = 0.01**2, 0.03**2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * both + c2)) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    edge = window // 2
    return float(similarity[edge:-edge, edge:-edge].mean())


def energy_share(real: Image, adversarial: Image, box: Box) -> float:
    """Share of the squared difference that lies inside the box; 0 where nothing was changed."""
    _require_pair(real, adversarial)
    energy = (real.astype(np.float64) - adversarial) ** 2
    total = float(energy.sum())
    inside = float(energy[box.top : box.bottom, box.left : box.right].sum())
    return inside / total if total else 0.0


def _require_pair(real: Image, adversarial: Image) -> None:
    if real.shape != adversarial.shape or real.ndim != 2:
        raise WrongImages("Two grey pictures of the same size are needed to compare them.")
