"""The vessels of the lungs: trees that branch from the hila and become thinner at each fork."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from readerstudy.imaging.fields import Field, smooth
from readerstudy.modalities.chest_radiography.phantom.anatomy import Chest
from readerstudy.modalities.chest_radiography.phantom.plane import Plane
from readerstudy.modalities.chest_radiography.phantom.shape import apex

_FORKS: Final = 6
_FIRST: Final = 9  # branches at each hilum
_STEP_MM: Final = 0.5


@dataclass(frozen=True, eq=False)
class _Branches:
    """Pieces of vessels of one generation; arrays of one length."""

    u: Field
    v: Field
    angle: Field
    length: Field
    calibre: Field


def vessels_mm(chest: Chest, plane: Plane, rng: np.random.Generator) -> Field:
    """Return the blood that each ray of the whole picture meets, also outside the lungs."""
    total = np.zeros((plane.side, plane.side), dtype=np.float32)
    branches = _hila(chest, rng)
    for _generation in range(_FORKS + 1):
        points = _points(branches, rng)
        sigma = max(0.34 * float(branches.calibre.mean()) / plane.pixel_mm, 0.5)
        total += smooth(_splat(plane, *points), sigma)
        branches = _fork(branches, rng)
    return total


def _hila(chest: Chest, rng: np.random.Generator) -> _Branches:
    sides = np.repeat(np.array([-1.0, 1.0], dtype=np.float32), _FIRST)
    fan = np.tile(np.linspace(-1.25, 1.35, _FIRST), 2) + rng.normal(0, 0.12, 2 * _FIRST)
    angle = np.where(sides > 0, fan, np.pi - fan)
    down = apex(chest) + (0.48 - 0.02 * sides) * chest.height + 16 * np.sin(fan)
    jitter = rng.normal(0, 1, (3, 2 * _FIRST))
    return _Branches(
        u=_floats(sides * (chest.mediastinum + 2) + jitter[0]),
        v=_floats(down + 2 * jitter[1]),
        angle=_floats(angle),
        length=_floats(rng.uniform(22, 44, 2 * _FIRST)),
        calibre=_floats(7.0 * chest.vessels * np.exp(0.16 * jitter[2])),
    )


def _fork(branches: _Branches, rng: np.random.Generator) -> _Branches:
    """Return two branches at the end of each: the thicker one turns less (Murray, 1926)."""
    count = branches.u.size
    u, v, angle = _along(branches, np.ones(count, dtype=np.float32))
    share = np.float32(1) * rng.uniform(0.35, 0.65, count)
    sign = rng.choice([-1.0, 1.0], count)
    calibres = [branches.calibre * part ** (1 / 2.7) for part in (share, 1 - share)]
    angles = [angle + sign * (0.85 * (1 - share) + 0.1), angle - sign * (0.85 * share + 0.1)]
    lengths = [branches.length * rng.uniform(0.55, 0.98, count) for _ in range(2)]
    return _Branches(
        u=np.tile(u, 2),
        v=np.tile(v, 2),
        angle=_floats(np.concatenate(angles)),
        length=_floats(np.concatenate(lengths)),
        calibre=_floats(np.concatenate(calibres)),
    )


def _along(branches: _Branches, share: Field) -> tuple[Field, Field, Field]:
    """Return u, v and direction at a share of each branch's length."""
    distance = branches.length * share
    return (
        branches.u + distance * np.cos(branches.angle),
        branches.v + distance * np.sin(branches.angle),
        branches.angle,
    )


def _points(branches: _Branches, rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Return u, v and blood in mm³ of points along all branches, which waver a little."""
    counts = np.maximum(2, (branches.length / _STEP_MM).astype(int))
    index = np.repeat(np.arange(counts.size), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    share = ((np.arange(index.size) - first) / counts[index]).astype(np.float32)
    bend = _floats(rng.normal(0, 0.07, counts.size))[index] * np.sin(np.float32(np.pi) * share)
    along, length = branches.angle[index], branches.length[index]
    u = branches.u[index] + length * (share * np.cos(along) - bend * np.sin(along))
    v = branches.v[index] + length * (share * np.sin(along) + bend * np.cos(along))
    thick = branches.calibre[index] * (1 - np.float32(0.15) * share)
    return u, v, np.float32(np.pi / 4 * _STEP_MM) * thick**2


def _splat(plane: Plane, u: Field, v: Field, volume: Field) -> Field:
    """Return points shared among the four nearest pixels, in mm."""
    column, row = plane.to_pixels_of(u, v)
    column, row = column - np.float32(0.5), row - np.float32(0.5)
    left, top = np.floor(column).astype(int), np.floor(row).astype(int)
    side = plane.side
    total = np.zeros(side * side)
    for right in (0, 1):
        for below in (0, 1):
            x, y = left + right, top + below
            weight = volume * np.abs(1 - right - (column - left)) * np.abs(1 - below - (row - top))
            seen = (x >= 0) & (x < side) & (y >= 0) & (y < side)
            total += np.bincount((y * side + x)[seen], weights=weight[seen], minlength=side * side)
    return _floats(total.reshape(side, side) / plane.pixel_mm**2)


def _floats(values: np.ndarray) -> Field:
    return np.asarray(values, dtype=np.float32)
