"""Masses and calcifications, drawn into a patch of the image from a random stream of their own."""

from dataclasses import dataclass

import numpy as np

from readerstudy.imaging.fields import Field, sigmoid
from readerstudy.modalities.mammography.phantom.anatomy import Lesion, LesionKind
from readerstudy.modalities.mammography.phantom.grid import FIELD_HEIGHT_MM, Grid

Box = tuple[int, int, int, int]  # top, left, bottom, right; bottom and right are exclusive

# Extent of the added brightness, and of the box that counts as the lesion's position, in radii.
_REACH: dict[LesionKind, float] = {"mass": 3.2, "benign": 1.6, "calc": 2.2}
_PLACE: dict[LesionKind, float] = {"mass": 1.3, "benign": 0.9, "calc": 1.1}


@dataclass(frozen=True, eq=False)
class Patch:
    """The brightness that a lesion adds to the glandular tissue, and its box in the image."""

    area: Box
    light: Field


def draw(lesion: Lesion, grid: Grid, centre: tuple[float, float]) -> Patch:
    """Draw a lesion around its centre (x, y in mm)."""
    rng = np.random.default_rng(lesion.seed)
    area = _box(grid, centre, _REACH[lesion.kind] * lesion.radius_mm)
    x = grid.x[:, area[1] : area[3]] - np.float32(centre[0])
    y = grid.y[area[0] : area[2]] - np.float32(centre[1])
    if lesion.kind == "calc":
        light = _calcifications(rng, lesion, x, y, grid.pixel_mm)
    elif lesion.kind == "benign":
        light = _core(rng, lesion, x, y, roughness=0.05, waves=3, size=0.8, edge=0.07) * np.float32(0.75)
    else:
        core = _core(rng, lesion, x, y, roughness=0.16, waves=11, size=0.62, edge=0.28)
        light = np.maximum(core, _spicules(rng, lesion, x, y, grid.pixel_mm))
    return Patch(area, (light * np.float32(lesion.amplitude)).astype(np.float32))


def place(lesion: Lesion, grid: Grid, centre: tuple[float, float]) -> Box:
    """Return the box that counts as the lesion's position."""
    return _box(grid, centre, _PLACE[lesion.kind] * lesion.radius_mm)


def _box(grid: Grid, centre: tuple[float, float], half_mm: float) -> Box:
    """Return the box of pixels within half_mm of the centre: at least one, inside the image."""
    column, row = centre[0] / grid.pixel_mm, (centre[1] + FIELD_HEIGHT_MM / 2) / grid.pixel_mm
    half = half_mm / grid.pixel_mm
    top, left = (max(0, int(start - half)) for start in (row, column))
    bottom = min(grid.rows, max(top + 1, int(row + half) + 1))
    right = min(grid.columns, max(left + 1, int(column + half) + 1))
    return top, left, bottom, right


def _core(
    rng: np.random.Generator,
    lesion: Lesion,
    x: Field,
    y: Field,
    *,
    roughness: float,
    waves: int,
    size: float,
    edge: float,
) -> Field:
    """Return a dome whose radius varies with the angle: height 1 in the middle, soft over `edge` radii."""
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    border = np.ones_like(r)
    for k in range(1, waves + 1):
        border += np.float32(roughness / k**0.5 * rng.normal()) * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    border = np.maximum(border, np.float32(0.35)) * np.float32(lesion.radius_mm * size)
    soft = np.float32(edge * lesion.radius_mm)
    dome = np.sqrt(np.clip(1 - (r / (border + soft)) ** 2, 0, 1))
    return np.float32(0.5) * dome + np.float32(0.5) * sigmoid((border - r) / (np.float32(0.35) * soft))


def _spicules(rng: np.random.Generator, lesion: Lesion, x: Field, y: Field, pixel_mm: float) -> Field:
    """Return fine bent lines that run out from the mass and taper off."""
    light = np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=np.float32)
    for _ in range(int(rng.integers(12, 26))):
        angle, bend = rng.uniform(0, 2 * np.pi), rng.normal() * 0.1 / lesion.radius_mm
        length = np.float32(lesion.radius_mm * rng.uniform(1.1, 2.6))
        width = np.float32(max(rng.uniform(0.35, 0.8), 0.5 * pixel_mm))
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        along = x * cos + y * sin
        beside = y * cos - x * sin + np.float32(bend) * along**2
        left = np.clip(1 - along / length, 0, 1) * (along > 0)
        profile = np.exp(-((beside / (width * (np.float32(0.6) + left) + np.float32(0.15 * pixel_mm))) ** 2))
        light = np.maximum(light, profile * left)
    return np.float32(0.55) * light


def _calcifications(rng: np.random.Generator, lesion: Lesion, x: Field, y: Field, pixel_mm: float) -> Field:
    """Return a cluster of bright points; one smaller than a pixel is drawn one pixel wide and fainter."""
    light = np.zeros((y.shape[0], x.shape[1]), dtype=np.float32)
    for _ in range(int(rng.integers(16, 40))):
        point_x, point_y = rng.normal(0, 0.42 * lesion.radius_mm, 2)
        true_sigma = rng.uniform(0.3, 0.6)
        sigma = max(true_sigma, 0.55 * pixel_mm)
        amplitude = np.float32(2.6 * rng.uniform(0.6, 1.3) * true_sigma / sigma)
        columns = slice(*np.searchsorted(x[0], [point_x - 4 * sigma, point_x + 4 * sigma]))
        rows = slice(*np.searchsorted(y[:, 0], [point_y - 4 * sigma, point_y + 4 * sigma]))
        squared = (x[:, columns] - np.float32(point_x)) ** 2 + (y[rows] - np.float32(point_y)) ** 2
        light[rows, columns] += amplitude * np.exp(-squared / np.float32(2 * sigma**2))
    return light
