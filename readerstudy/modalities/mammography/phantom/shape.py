"""The outline of a compressed breast: distance to the skin, pectoral muscle, nipple. Lengths in mm."""

from dataclasses import dataclass

import numpy as np

from readerstudy.imaging.fields import Field, distance_inside, smooth
from readerstudy.modalities.mammography.attributes import View
from readerstudy.modalities.mammography.phantom.anatomy import Breast
from readerstudy.modalities.mammography.phantom.grid import FIELD_HEIGHT_MM, Grid, coarse_grid

_ROWS = 288
_TOP_MM = -FIELD_HEIGHT_MM / 2
_EXACT_MM = 6.0  # nearer to the skin than this, its distance comes from the formula of the outline


@dataclass(frozen=True)
class Shape:
    """One view's outline on the coarse grid; positive distances lie inside."""

    skin: Field
    pectoral: Field | None
    nipple: tuple[float, float]  # x, y


@dataclass(frozen=True)
class Stance:
    """The position of a breast in one view, with the small differences between two exposures. Lengths in mm."""

    depth: float
    half_width: float
    bend: float
    nipple: tuple[float, float]  # x, y


def draw_stance(breast: Breast, view: View, rng: np.random.Generator) -> Stance:
    """Draw the position of the breast."""
    depth = breast.depth_mm * (1 + 0.03 * rng.standard_normal())
    half_width = breast.half_width_mm * (1 + 0.03 * rng.standard_normal())
    shift, bend = 0.7 * rng.standard_normal(2)
    return Stance(depth, half_width, bend, (depth, 6.0 * shift if view == View.CC else 28 + 8 * shift))


def outline(breast: Breast, view: View, stance: Stance) -> Shape:
    """The outline of one view."""
    grid = coarse_grid(_ROWS)
    depth, half_width, nipple = stance.depth, stance.half_width, stance.nipple
    if view == View.CC:
        edge = _craniocaudal(grid, depth, half_width, nipple[1], exponent=2.0 + 0.25 * abs(stance.bend))
        return Shape(_with_nipple(grid, _distance(grid, edge), nipple), None, nipple)
    edge = _mediolateral(grid, depth, half_width, nipple[1], waist=0.52 + 0.1 * stance.bend)
    return Shape(_with_nipple(grid, _distance(grid, edge), nipple), _muscle(grid, breast, depth), nipple)


def _craniocaudal(grid: Grid, depth: float, half_width: float, middle: float, *, exponent: float) -> Field:
    """Half a superellipse; the result is positive inside and has about unit slope at the skin."""
    radius = ((grid.x / depth) ** exponent + np.abs((grid.y - middle) / half_width) ** exponent) ** (1 / exponent)
    return _unit_slope(grid, 1 - radius)


def _mediolateral(grid: Grid, depth: float, half_width: float, middle: float, *, waist: float) -> Field:
    """Half an ellipse below the nipple, above it a contour that turns in towards the armpit."""
    x, y = grid.x, grid.y
    below = 1 - np.hypot(x / depth, (y - middle) / (0.92 * half_width))
    t = np.clip((middle - y) / (150 + middle), 0, None)
    narrowing = 0.5 + 0.5 * np.cos(np.pi * np.clip(1.35 * t, 0, 1) ** 1.15)
    reach = depth * (waist + (1 - waist) * narrowing) + 26 * np.clip(t - 0.62, 0, 1) ** 1.5
    return np.where(y > middle, _unit_slope(grid, below), _unit_slope(grid, reach - x)).astype(np.float32)


def _unit_slope(grid: Grid, level: Field) -> Field:
    """Divide by the gradient: near its zero, a level function becomes the distance from it."""
    down, across = np.gradient(level, grid.pixel_mm)
    distance: Field = (level / np.maximum(np.hypot(down, across), 1e-6)).astype(np.float32)
    return distance


def _distance(grid: Grid, near: Field) -> Field:
    """Distance to the skin: by formula close to it, where whole pixels would show as steps, else measured."""
    inside = near > 0
    # The chest wall is the border of the image, not skin: the first column is repeated so that it does not count.
    padded = np.pad(inside, ((0, 0), (1, 0)), mode="edge")
    far = distance_inside(padded)[:, 1:] * grid.pixel_mm
    share = np.clip(far / _EXACT_MM, 0, 1)
    blended = np.where(inside, (1 - share) * np.minimum(near, _EXACT_MM) + share * far, np.maximum(near, -20))
    return smooth(blended, 1.0)


def _with_nipple(grid: Grid, skin: Field, nipple: tuple[float, float]) -> Field:
    bump = 4.5 - np.hypot(grid.x - nipple[0] + 1.0, grid.y - nipple[1])
    return np.maximum(skin, np.where(bump > -6, bump, -99)).astype(np.float32)


def _muscle(grid: Grid, breast: Breast, depth: float) -> Field:
    """Distance into the pectoral muscle: a triangle in the upper corner with a slightly bowed long side."""
    width = 62 * breast.pectoral * (depth / 105) ** 0.5
    height = 100 * breast.pectoral
    s = np.clip((grid.y - _TOP_MM) / height, 0, 1.2)
    border = width * (1 - s) + 6 * np.sin(np.pi * np.clip(s, 0, 1))
    inside: Field = ((border - grid.x) / np.hypot(1, width / height)).astype(np.float32)
    return inside
