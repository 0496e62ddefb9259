"""Random fields and simple operations on them, from which phantoms are made."""

from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]

# scipy.ndimage has no types and creates its names at import, which a type checker cannot follow.
_ndimage: Any = import_module("scipy.ndimage")


class Sampling(Protocol):
    """The points of a picture: how many there are, and their distance in mm."""

    @property
    def rows(self) -> int: ...

    @property
    def columns(self) -> int: ...

    @property
    def pixel_mm(self) -> float: ...


def enlarge(field: Field, grid: Sampling) -> Field:
    """Return a field on the grid of the image, by bicubic interpolation; values beyond the image are cut off."""
    rows = field.shape[0]
    seen = (0.0, 0.0, rows * grid.columns / grid.rows, float(rows))
    picture = Image.fromarray(field).resize((grid.columns, grid.rows), Image.Resampling.BICUBIC, box=seen)
    return np.asarray(picture, dtype=np.float32)


def power_law(
    rng: np.random.Generator, grid: Sampling, *, beta: float, longest_mm: float, stretch: float = 1.0
) -> Field:
    """Gaussian field, mean 0 and variance 1, with spectrum f^-beta below wavelengths of `longest_mm`.

    A stretch below 1 draws structures out along y.
    """
    noise = scipy.fft.rfft2(rng.standard_normal((grid.rows, grid.columns), dtype=np.float32))
    noise *= _amplitudes(grid.rows, grid.columns, grid.pixel_mm, beta, longest_mm, stretch)
    field: Field = scipy.fft.irfft2(noise, s=(grid.rows, grid.columns))
    return field / np.float32(field.std())


@lru_cache(maxsize=16)
def _amplitudes(rows: int, columns: int, pixel_mm: float, beta: float, longest_mm: float, stretch: float) -> Field:
    """Return the amplitude of each frequency of a power-law field, 0 for the mean."""
    f_y = scipy.fft.fftfreq(rows, pixel_mm).astype(np.float32)[:, None] * np.float32(stretch)
    f_x = scipy.fft.rfftfreq(columns, pixel_mm).astype(np.float32)[None]
    amplitudes: Field = (f_y**2 + f_x**2 + np.float32(longest_mm**-2)) ** np.float32(-beta / 4)
    amplitudes[0, 0] = 0
    return amplitudes


def sigmoid(values: NDArray[Any]) -> Field:
    """Logistic function, safe for any size of argument."""
    field: Field = np.float32(0.5) + np.float32(0.5) * np.tanh(values * np.float32(0.5), dtype=np.float32)
    return field


def smooth(values: NDArray[Any], sigma: float) -> Field:
    """Gaussian smoothing, sigma in grid points; borders continue as they end."""
    return np.asarray(_ndimage.gaussian_filter(values, sigma, mode="nearest"), dtype=np.float32)


def distance_inside(inside: NDArray[np.bool_]) -> Field:
    """Return the distance in grid points from each point inside to the nearest one outside; 0 outside."""
    return np.asarray(_ndimage.distance_transform_edt(inside), dtype=np.float32)


def sample_at(field: Field, rows: Field, columns: Field) -> Field:
    """Return the field at fractional positions, bilinear; it is periodic beyond its borders."""
    at = np.stack([rows, columns])
    return np.asarray(_ndimage.map_coordinates(field, at, order=1, mode="grid-wrap"), dtype=np.float32)
