"""Calcifications, malignant and benign. Coordinates in mm around the centre."""

import numpy as np

from readerstudy.imaging.fields import Field
from readerstudy.modalities.mammography.phantom.curves import Floats, Starts, walk
from readerstudy.modalities.mammography.phantom.findings import Finding
from readerstudy.modalities.mammography.phantom.grid import Grid
from readerstudy.modalities.mammography.phantom.masses import waves


def cluster(rng: np.random.Generator, calc: Finding, x: Field, y: Field, grid: Grid) -> Field:
    """Return a cluster of fine points, rods and branches of unequal size and brightness, in slightly dense tissue."""
    count = int(rng.integers(26, 54))
    turn, ratio = rng.uniform(0, np.pi), rng.uniform(0.4, 0.9)
    along, across = rng.normal(0, 0.5 * calc.radius_mm, count), rng.normal(0, 0.5 * calc.radius_mm * ratio, count)
    middle_x, middle_y = along * np.cos(turn) - across * np.sin(turn), along * np.sin(turn) + across * np.cos(turn)
    pieces = rng.integers(1, 6, count)
    rod = turn + rng.normal(0, 0.7, count)
    step = rng.uniform(0.15, 0.4, count)
    each = np.repeat(np.arange(count), pieces)
    order = np.arange(len(each)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    bend = rng.normal(0, 0.5, len(each))
    at_x = middle_x[each] + order * step[each] * np.cos(rod[each] + bend)
    at_y = middle_y[each] + order * step[each] * np.sin(rod[each] + bend)
    height = 1.6 * np.exp(rng.normal(0, 0.45, count))[each] * rng.uniform(0.6, 1.1, len(each))
    light = _points(at_x, at_y, rng.uniform(0.16, 0.3, len(each)), height, x, y, grid)
    size = np.float32(0.8 * calc.radius_mm)
    haze = np.exp(-(((x / size) ** 2 + (y / size) ** 2) ** 1.0) / 2)
    return light + np.float32(0.22) * haze * (1 + np.float32(0.4) * waves(rng, x, y, longest_mm=8, shortest_mm=2))


def coarse(rng: np.random.Generator, calc: Finding, x: Field, y: Field, grid: Grid) -> Field:
    """Return one large calcification, as of an old fibroadenoma: a few joined lumps."""
    count = int(rng.integers(1, 6))
    away = calc.radius_mm * 0.45
    return _points(
        rng.normal(0, away, count),
        rng.normal(0, away, count),
        rng.uniform(0.18, 0.5, count) * calc.radius_mm,
        rng.uniform(0.7, 1.3, count),
        x,
        y,
        grid,
    )


def scattered(rng: np.random.Generator, calc: Finding, x: Field, y: Field, grid: Grid) -> Field:
    """Return a few round points of equal kind, far from each other."""
    count = int(rng.integers(2, 9))
    return _points(
        rng.normal(0, calc.radius_mm, count),
        rng.normal(0, calc.radius_mm, count),
        np.full(count, rng.uniform(0.25, 0.5)),
        rng.uniform(1.0, 1.6, count),
        x,
        y,
        grid,
    )


def vascular(rng: np.random.Generator, calc: Finding, x: Field, y: Field, grid: Grid) -> Field:
    """Return two parallel rows of points along the walls of a vessel."""
    radius = calc.radius_mm
    turn = rng.uniform(0, 2 * np.pi)
    starts = Starts(
        x=np.array([-radius * np.cos(turn)]),
        y=np.array([-radius * np.sin(turn)]),
        heading=np.array([turn]),
        length_mm=np.array([2 * radius]),
        bend=rng.normal(0, 0.03, 1),
        light=np.ones(1),
    )
    vessel = walk(rng, starts, wander=0.06, wave_mm=6)
    chosen = np.flatnonzero(rng.random(vessel.x.shape[1]) < 0.55)
    side = rng.choice((-1.0, 1.0), chosen.size) * 0.9
    x_along, y_along = vessel.x[0].astype(np.float64), vessel.y[0].astype(np.float64)
    direction = np.arctan2(np.gradient(y_along), np.gradient(x_along))[chosen]
    return _points(
        x_along[chosen] - side * np.sin(direction),
        y_along[chosen] + side * np.cos(direction),
        rng.uniform(0.14, 0.26, chosen.size),
        rng.uniform(0.3, 1.0, chosen.size),
        x,
        y,
        grid,
    )


def _points(at_x: Floats, at_y: Floats, sigma: Floats, height: Floats, x: Field, y: Field, grid: Grid) -> Field:
    """Return Gaussian points; one smaller than a pixel is drawn wider and fainter, with the same light in all."""
    light = np.zeros((y.shape[0], x.shape[1]), dtype=np.float32)
    for point_x, point_y, true_sigma, peak in zip(at_x, at_y, sigma, height, strict=True):
        width = max(float(true_sigma), 0.5 * grid.pixel_mm)
        columns = slice(*np.searchsorted(x[0], [point_x - 4 * width, point_x + 4 * width]))
        rows = slice(*np.searchsorted(y[:, 0], [point_y - 4 * width, point_y + 4 * width]))
        squared = (x[:, columns] - np.float32(point_x)) ** 2 + (y[rows] - np.float32(point_y)) ** 2
        light[rows, columns] += np.float32(peak * (true_sigma / width) ** 2) * np.exp(
            -squared / np.float32(2 * width**2)
        )
    return light
