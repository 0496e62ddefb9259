"""Glandular tissue, ligaments, vessels and muscle of one view."""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from readerstudy.imaging.fields import Field, enlarge, power_law, sample_at, sigmoid
from readerstudy.modalities.mammography.phantom.anatomy import PhantomView
from readerstudy.modalities.mammography.phantom.curves import Starts, draw, walk
from readerstudy.modalities.mammography.phantom.grid import Grid, coarse_grid
from readerstudy.modalities.mammography.phantom.shape import Shape
from readerstudy.modalities.mammography.phantom.streams import Stream, mirrored_stream, stream

_LINES: Final = 896  # rows; ligaments are finer than a pixel of the coarse fields
_LAYERS: Final = 3  # of tissue that overlap in the projection
# Spectral exponent of breast texture (Burgess, 1999).
_BETA: Final = 3.0


@dataclass(frozen=True)
class _Line:
    """One width of lines: how many ligaments it has, their brightness and length, and at most how many vessels."""

    sigma_mm: float
    count: int
    light: float
    length_mm: float
    vessels: int


_LIGAMENTS: Final = (_Line(0.32, 620, 0.072, 15, 0), _Line(0.55, 150, 0.055, 24, 5), _Line(0.9, 40, 0.05, 30, 3))


@dataclass(frozen=True, eq=False)
class Texture:
    """The random fields of one view at the picture's size."""

    grain: Field  # mean 0, variance 1
    clouds: Field  # mean 0, variance 1
    lines: Field  # brightness of ligaments, ducts and vessels


def sample_texture(view: PhantomView, grid: Grid, shape: Shape) -> Texture:
    """Draw the fields of a view."""
    fine, coarse = coarse_grid(768), coarse_grid(192)
    return Texture(
        grain=enlarge(power_law(stream(view, Stream.GRAIN), fine, beta=_BETA, longest_mm=14), grid),
        clouds=enlarge(power_law(stream(view, Stream.CLOUDS), coarse, beta=_BETA, longest_mm=60), grid),
        lines=enlarge(_lines(view, shape, grid), grid),
    )


def dense_tissue(view: PhantomView, grid: Grid, shape: Shape, texture: Texture) -> Field:
    """Return how much dense tissue each ray meets: lobes in a cone behind the nipple, lines, and fat between."""
    density = view.breast.density + 0.12 * stream(view, Stream.DENSITY).normal()
    lobes = enlarge(_lobes(view, shape, density), grid)
    inner = np.float32(0.60) + np.float32(0.09) * texture.clouds + np.float32(0.05) * texture.grain
    tissue = lobes * inner
    tissue += (np.float32(0.9) + np.float32(0.4) * lobes) * texture.lines
    tissue += np.float32(0.022) * texture.clouds + np.float32(0.016) * texture.grain
    return tissue


def _lobes(view: PhantomView, shape: Shape, density: float) -> Field:
    """Return the share of dense tissue on a coarse grid.

    Several layers lie one behind the other. Each has lobes with borders of its own, scalloped by fat. What
    the layers share, the left and the right breast share too, mirrored.
    """
    grid = coarse_grid(384)
    cone = _cone(view, shape, grid)
    rng = stream(view, Stream.CLUMPS)
    total = np.zeros((grid.rows, grid.columns), dtype=np.float32)
    common = power_law(mirrored_stream(view, Stream.SIDES), grid, beta=3.4, longest_mm=55)
    for _ in range(_LAYERS):
        own = power_law(rng, grid, beta=3.5, longest_mm=40)
        scallops = np.abs(power_law(rng, grid, beta=4.2, longest_mm=20))
        level = np.float32(0.75 * density - 1.35) + np.float32(2.1) * cone
        level += np.float32(0.65) * common + np.float32(0.5) * own - np.float32(0.22) * (scallops - np.float32(0.8))
        total += sigmoid(np.float32(2.8) * level)
    near = np.clip(shape.skin_on(grid) / np.float32(9), 0, 1)  # a layer of fat lies under the skin
    share: Field = total * near / np.float32(_LAYERS)
    return share


def _cone(view: PhantomView, shape: Shape, grid: Grid) -> Field:
    """Return where glandular tissue is likely, highest in a cone behind the nipple."""
    x, y = shape.nipple
    depth = (x - grid.x) / x
    across = (grid.y - y) / view.breast.half_width_mm
    tilt = across + np.float32(0.22) * depth if shape.pectoral is not None else across
    behind = np.maximum(depth - 0.5, 0) * 1.3
    before = np.maximum(0.07 - depth, 0) * 4
    beside = tilt * (1.0 + 0.6 * np.abs(tilt))
    cone: Field = (1.1 - 1.35 * np.sqrt(behind**2 + before**2 + beside**2)).astype(np.float32)
    return cone


def _lines(view: PhantomView, shape: Shape, grid: Grid) -> Field:
    """Return Cooper's ligaments, ducts and vessels: bent lines, most of them along the way to the nipple.

    They lie on a grid finer than the other fields', as wide as the picture's grid.
    """
    fine = Grid(_LINES, min(coarse_grid(_LINES).columns, ceil(grid.columns * _LINES / grid.rows) + 1))
    ligaments, vessels = stream(view, Stream.STRANDS), stream(view, Stream.VESSELS)
    light = np.zeros((fine.rows, fine.columns), dtype=np.float32)
    for line in _LIGAMENTS:
        curves = [walk(ligaments, _ligament_starts(ligaments, shape, line), wander=0.04, wave_mm=7)]
        if line.vessels:
            curves.append(walk(vessels, _vessel_starts(vessels, shape, line.vessels), wander=0.035, wave_mm=8))
        light += draw(curves, fine.x, fine.y, sigma_mm=line.sigma_mm)
    return light


def _ligament_starts(rng: np.random.Generator, shape: Shape, line: "_Line") -> Starts:
    count = line.count
    x = rng.uniform(-5, shape.nipple[0], count)
    # In MLO they go on into the armpit.
    upper = -1.1 if shape.pectoral is None else -1.8
    y = shape.nipple[1] + rng.uniform(upper, 1.1, count) * shape.half_width
    towards = np.arctan2(shape.nipple[1] - y, shape.nipple[0] + 12 - x)
    spread = np.where(rng.random(count) < 0.3, 1.4, 0.38)
    return Starts(
        x=x,
        y=y,
        heading=towards + spread * rng.standard_normal(count),
        length_mm=np.clip(line.length_mm * np.exp(0.4 * rng.standard_normal(count)), 5, 60),
        bend=0.014 * rng.standard_normal(count),
        light=line.light * np.exp(0.4 * rng.standard_normal(count)),
    )


def _vessel_starts(rng: np.random.Generator, shape: Shape, most: int) -> Starts:
    """A few vessels, from the chest wall and the armpit towards the nipple."""
    count = int(rng.integers(1, most + 1))
    side = rng.choice((-1.0, 1.0), count)
    y = shape.nipple[1] + side * rng.uniform(0.15, 0.75, count) * shape.half_width
    return Starts(
        x=rng.uniform(-8, 0.4 * shape.nipple[0], count),
        y=y,
        heading=0.7 * np.arctan2(shape.nipple[1] - y, shape.nipple[0]) + 0.25 * rng.standard_normal(count),
        length_mm=rng.uniform(35, 95, count),
        bend=0.004 * rng.standard_normal(count),
        light=rng.uniform(0.06, 0.13, count),
    )


def muscle_light(view: PhantomView, muscle: Field, texture: Texture, grid: Grid) -> Field:
    """Return the brightness of the pectoral muscle at the picture's size: bundles of fibres along its border.

    `muscle` is the distance into the muscle on its coarse grid.
    """
    coarse = coarse_grid(muscle.shape[0])
    fibres = power_law(stream(view, Stream.SWAY), Grid(256, 216), beta=2.6, longest_mm=14 * 286 / 256, stretch=0.15)
    rows = np.broadcast_to((coarse.y - np.float32(0.3) * coarse.x) * np.float32(0.9), muscle.shape)
    bundles = enlarge(sample_at(fibres, rows, muscle * np.float32(0.9)), grid)
    light: Field = np.float32(0.37) + np.float32(0.011) * bundles + np.float32(0.022) * texture.clouds
    return light + enlarge(np.float32(0.0016) * np.clip(muscle, 0, 55), grid) + np.float32(0.003) * texture.grain
