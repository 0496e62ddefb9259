"""Fine lines of the breast, drawn as curves that wander from a starting point: ligaments, ducts and vessels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.fields import Field, smooth
from readerstudy.imaging.image import Size

Floats = NDArray[np.float64]

STEP_MM: Final = 0.25
_SQRT_TWO_PI: Final = 2.5066283


@dataclass(frozen=True, eq=False)
class Curves:
    """Points of curves, each array (curves, points); `light` is the brightness at the middle of the line there."""

    x: Field
    y: Field
    light: Field


@dataclass(frozen=True, eq=False)
class Starts:
    """Where curves begin, and how they go on: one value for each curve. Angles in radians, y points downwards."""

    x: Floats
    y: Floats
    heading: Floats
    length_mm: Floats
    bend: Floats  # mean curvature, 1/mm
    light: Floats

    @property
    def count(self) -> int:
        return len(self.x)


def walk(rng: np.random.Generator, starts: Starts, *, wander: float, wave_mm: float) -> Curves:
    """Return the curves. Their curvature varies by `wander` (1/mm) over about `wave_mm`; both ends fade out."""
    points = max(2, int(starts.length_mm.max() / STEP_MM))
    knots = rng.standard_normal((starts.count, int(points * STEP_MM / wave_mm) + 3))
    at = np.arange(points) * (STEP_MM / wave_mm)
    left = at.astype(int)
    share = _ease(at - left)
    curvature = wander * (knots[:, left] * (1 - share) + knots[:, left + 1] * share) + starts.bend[:, None]
    angle = starts.heading[:, None] + np.cumsum(curvature * STEP_MM, axis=1)
    along = (np.arange(points) * STEP_MM)[None] / starts.length_mm[:, None]
    fade = np.clip(4 * along, 0, 1) * np.clip(4 * (1 - along), 0, 1)
    return Curves(
        x=(starts.x[:, None] + np.cumsum(np.cos(angle) * STEP_MM, axis=1)).astype(np.float32),
        y=(starts.y[:, None] + np.cumsum(np.sin(angle) * STEP_MM, axis=1)).astype(np.float32),
        light=(fade * starts.light[:, None]).astype(np.float32),
    )


def draw(curves: Sequence[Curves], x: Field, y: Field, *, sigma_mm: float) -> Field:
    """Return the lines at pixel centres x (1, columns) and y (rows, 1).

    Their profile is a Gaussian with `sigma_mm`. Where lines cross, they add up.
    """
    pixel_mm = float(x[0, 1] - x[0, 0]) if x.size > 1 else 1.0
    along, down, light = (np.concatenate([getattr(each, n).ravel() for each in curves]) for n in ("x", "y", "light"))
    weight = light * np.float32(sigma_mm * _SQRT_TWO_PI * STEP_MM / pixel_mm**2)
    column, row = (along - x[0, 0]) / np.float32(pixel_mm), (down - y[0, 0]) / np.float32(pixel_mm)
    return smooth(scatter(row, column, weight, (y.shape[0], x.shape[1])), sigma_mm / pixel_mm)


def scatter(row: Field, column: Field, weights: Field, size: Size) -> Field:
    """Return the sum of the points' weights in each pixel, each shared bilinearly by the four nearest pixels."""
    rows, columns = size
    seen = (weights != 0) & (row >= 0) & (row < rows - 1) & (column >= 0) & (column < columns - 1)
    column, row, weights = column[seen], row[seen], weights[seen]
    left, top = column.astype(np.int64), row.astype(np.int64)
    across, down = column - left, row - top
    corners = [(below, right) for below in (0, 1) for right in (0, 1)]
    at = np.concatenate([(top + below) * columns + left + right for below, right in corners])
    parts = [weights * (down if below else 1 - down) * (across if right else 1 - across) for below, right in corners]
    total = np.bincount(at, weights=np.concatenate(parts), minlength=rows * columns)
    return total.reshape(size).astype(np.float32)


def _ease(share: Floats) -> Floats:
    """Return a share from 0 to 1 with level ends, so that curvature has no kinks."""
    return share * share * (3 - 2 * share)
