"""The outline of a compressed breast: distance to the skin, pectoral muscle, nipple. Lengths in mm."""

from dataclasses import dataclass

import numpy as np

from readerstudy.imaging.fields import Field, distance_inside, enlarge, smooth
from readerstudy.modalities.mammography.attributes import View
from readerstudy.modalities.mammography.phantom.anatomy import Breast
from readerstudy.modalities.mammography.phantom.grid import FIELD_HEIGHT_MM, Grid, coarse_grid

_ROWS = 288
_TOP_MM = -FIELD_HEIGHT_MM / 2
_AIR_MM = 2.0  # beyond the skin, before the drawing ends
_EXACT_MM = 6.0  # nearer to the skin than this, its distance comes from the formula of the outline


@dataclass(frozen=True)
class Shape:
    """One view's outline on the coarse grid; positive distances lie inside. Lengths in mm."""

    skin: Field
    pectoral: Field | None
    nipple: tuple[float, float]  # x, y of the breast's foremost point
    nipple_centre: tuple[float, float]  # x, y of the nipple, which need not be in profile
    nipple_size: tuple[float, float]  # half axes
    half_width: float

    def skin_on(self, grid: Grid) -> Field:
        """Return the distance to the skin on a grid."""
        return enlarge(self.skin, grid)

    def seen_on(self, grid: Grid) -> Grid:
        """Return the part of a grid from the chest wall to just beyond the skin, all rows."""
        near = np.flatnonzero((self.skin > -_AIR_MM).any(axis=0))
        coarse = FIELD_HEIGHT_MM / len(self.skin)
        return Grid(grid.rows, min(grid.columns, int((near[-1] + 2) * coarse / grid.pixel_mm) + 1))


@dataclass(frozen=True)
class Stance:
    """The position of a breast in one view, with the small differences between two exposures. Lengths in mm."""

    depth: float
    half_width: float
    bend: float
    nipple: tuple[float, float]  # x, y
    behind: float  # how far the nipple lies behind the foremost point
    lean: float  # how much wider the breast is below the nipple than above
    waves: tuple[float, ...]  # of the outline: amplitudes and phases in turn


def draw_stance(breast: Breast, view: View, rng: np.random.Generator) -> Stance:
    """Draw the position of the breast."""
    depth = breast.depth_mm * (1 + 0.03 * rng.standard_normal())
    half_width = breast.half_width_mm * (1 + 0.03 * rng.standard_normal())
    shift, bend = 0.7 * rng.standard_normal(2)
    nipple = (depth, 6.0 * shift if view == View.CC else 28 + 8 * shift)
    behind = max(0.0, 5.0 * rng.standard_normal()) if rng.random() < 0.5 else 0.0
    lean = 0.10 * float(rng.standard_normal())
    waves = tuple(float(value) for _ in range(3) for value in (rng.standard_normal(), rng.uniform(0, 2 * np.pi)))
    return Stance(depth, half_width, bend, nipple, behind, lean, waves)


def outline(breast: Breast, view: View, stance: Stance) -> Shape:
    """The outline of one view."""
    grid = coarse_grid(_ROWS)
    depth, half_width, (x, y) = stance.depth, stance.half_width, stance.nipple
    centre = (x + 0.2 * breast.nipple_mm - stance.behind, y)
    size = (0.5 * breast.nipple_mm + 1.0, 0.35 * breast.nipple_mm + 4.5)
    if view == View.CC:
        edge = _craniocaudal(grid, stance)
    else:
        edge = _mediolateral(grid, depth, half_width, y, waist=0.72 + 0.08 * stance.bend)
    skin = _distance(grid, _unit_slope(grid, edge + _waves(grid, stance, breast.nipple_mm)))
    muscle = _muscle(grid, breast, stance) if view == View.MLO else None
    return Shape(skin, muscle, stance.nipple, centre, size, half_width)


def _craniocaudal(grid: Grid, stance: Stance) -> Field:
    """Half a superellipse, wider on one side; the result is positive inside and has about unit slope at the skin."""
    exponent = 2.05 + 0.22 * abs(stance.bend)
    beside = grid.y - stance.nipple[1]
    half_width = stance.half_width * (1 + stance.lean * np.tanh(beside / 40))
    radius = ((grid.x / stance.depth) ** exponent + np.abs(beside / half_width) ** exponent) ** (1 / exponent)
    return _unit_slope(grid, (1 - radius).astype(np.float32))


def _mediolateral(grid: Grid, depth: float, half_width: float, middle: float, *, waist: float) -> Field:
    """Half a superellipse below the nipple, above it a contour that turns in towards the armpit."""
    x, y = grid.x, grid.y
    below = 1 - ((x / depth) ** 2.2 + np.clip((y - middle) / (0.92 * half_width), 0, None) ** 2.2) ** (1 / 2.2)
    t = np.clip((middle - y) / (150 + middle), 0, None)
    narrowing = 0.5 + 0.5 * np.cos(np.pi * np.clip(1.12 * t, 0, 1) ** 1.3)
    reach = depth * (waist + (1 - waist) * narrowing) + 20 * np.clip(t - 0.7, 0, 1) ** 1.5
    return np.where(y > middle, _unit_slope(grid, below), _unit_slope(grid, reach - x)).astype(np.float32)


def _waves(grid: Grid, stance: Stance, nipple_mm: float) -> Field:
    """Return how far the skin lies outside of the plain outline in each row, with the nipple if it is in profile."""
    bulge = np.zeros_like(grid.y)
    for number, wave_mm in enumerate((190, 120, 80)):
        amplitude, phase = stance.waves[2 * number : 2 * number + 2]
        bulge += np.float32(0.011 * wave_mm * amplitude) * np.cos(
            grid.y * np.float32(2 * np.pi / wave_mm) + np.float32(phase)
        )
    # The nipple stays where it is.
    beside = np.abs(grid.y - stance.nipple[1])
    height = max(0.0, 0.7 * nipple_mm - stance.behind)
    nipple = height * np.exp(-((beside / (3.5 + 0.35 * nipple_mm)) ** 3)) + 0.2 * height * np.exp(-((beside / 15) ** 2))
    beyond: Field = (bulge * (1 - np.exp(-((beside / 25) ** 2))) + nipple).astype(np.float32)
    return beyond


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


def lowest_muscle(breast: Breast, stance: Stance, x: float) -> float:
    """Return y at which the muscle's border in MLO meets x: lower down there is none."""
    rows = coarse_grid(_ROWS).y[:, 0]
    covered = rows[_border(rows, breast, stance) > x]
    return float(covered.max()) if covered.size else _TOP_MM


def _border(y: Field, breast: Breast, stance: Stance) -> Field:
    """Return x of the pectoral muscle's border: from the top to about the nipple's level, slightly bowed."""
    width, height = _muscle_size(breast, stance)
    s = np.clip((y - _TOP_MM) / height, 0, 1.2)
    bow = 7 * breast.pectoral * np.sin(np.pi * np.clip(s, 0, 1) ** 0.8)
    border: Field = (width * (1 - s) + bow).astype(np.float32)
    return border


def _muscle_size(breast: Breast, stance: Stance) -> tuple[float, float]:
    """Return the muscle's width at the top and its height, in mm."""
    width = 62 * breast.pectoral * (stance.depth / 105) ** 0.5
    return width, stance.nipple[1] - _TOP_MM + 24 * (breast.pectoral - 1) + 10 * stance.bend


def _muscle(grid: Grid, breast: Breast, stance: Stance) -> Field:
    """Return the distance into the pectoral muscle."""
    width, height = _muscle_size(breast, stance)
    slope = np.float32(np.hypot(1, width / height))
    return smooth((_border(grid.y, breast, stance) - grid.x) / slope, 2.0)
