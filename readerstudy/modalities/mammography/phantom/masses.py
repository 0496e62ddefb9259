"""Masses: spiculated ones, ovals, lymph nodes and islands of dense tissue. Coordinates in mm around the centre."""

from dataclasses import replace

import numpy as np

from readerstudy.imaging.fields import Field, sigmoid
from readerstudy.modalities.mammography.phantom.curves import Starts, draw, walk
from readerstudy.modalities.mammography.phantom.findings import Finding
from readerstudy.modalities.mammography.phantom.grid import Grid


def spiculated(rng: np.random.Generator, mass: Finding, x: Field, y: Field, grid: Grid) -> Field:
    """Return an irregular core with inner structure, a margin that is partly obscured, and spicules."""
    core = _irregular(rng, mass.radius_mm * 0.8, x, y, margin=0.16)
    return np.float32(1.15) * core + _spicules(rng, mass.radius_mm, x, y, grid)


def oval(rng: np.random.Generator, mass: Finding, x: Field, y: Field, grid: Grid) -> Field:
    """Return a smooth oval with a sharp margin, as of a cyst or a fibroadenoma."""
    distance = _oval_distance(rng, mass.radius_mm, x, y, lobes=0.05)
    inner = np.sqrt(np.clip(1 - np.minimum(distance, 1) ** 2, 0, 1))
    edge = np.float32(max(0.05, 0.7 * grid.pixel_mm / mass.radius_mm))
    light: Field = sigmoid((1 - distance) / edge) * (np.float32(0.55) + np.float32(0.45) * inner)
    return light * _obscured(rng, mass.radius_mm, x, y)


def node(rng: np.random.Generator, mass: Finding, x: Field, y: Field, grid: Grid) -> Field:
    """Return a lymph node: an oval with a notch of fat at one side."""
    distance = _oval_distance(rng, mass.radius_mm, x, y, lobes=0.03)
    turn = rng.uniform(0, 2 * np.pi)
    away = np.hypot(x - 0.42 * mass.radius_mm * np.cos(turn), y - 0.42 * mass.radius_mm * np.sin(turn))
    hilum = np.exp(-((away / np.float32(0.42 * mass.radius_mm)) ** 2))
    light: Field = sigmoid((1 - distance) / np.float32(0.08)) * (1 - np.float32(0.7) * hilum)
    return light


def island(rng: np.random.Generator, mass: Finding, x: Field, y: Field, grid: Grid) -> Field:
    """Return dense tissue of irregular form without spicules, as of a focal asymmetry."""
    return _irregular(rng, mass.radius_mm * 0.85, x, y, margin=0.3) * np.float32(0.9)


def _irregular(rng: np.random.Generator, radius: float, x: Field, y: Field, *, margin: float) -> Field:
    """Return overlapping lobes with a ragged margin and inner structure; the height is about 1."""
    level = np.full((y.shape[0], x.shape[1]), -1e3, dtype=np.float32)
    for _ in range(int(rng.integers(3, 7))):
        turn, away, size = rng.uniform(0, 2 * np.pi), 0.5 * radius * rng.random(), radius * rng.uniform(0.45, 0.85)
        squeeze = rng.uniform(0.75, 1.3)
        across, down = x - away * np.cos(turn), y - away * np.sin(turn)
        level = np.maximum(level, 1 - np.hypot(across * squeeze, down / squeeze) / np.float32(size))
    level = np.maximum(level, -3) + np.float32(0.13) * waves(rng, x, y, longest_mm=1.2 * radius, shortest_mm=1.2)
    soft = np.float32(margin) * (1 + np.float32(0.5) * waves(rng, x, y, longest_mm=2 * radius, shortest_mm=radius)) ** 2
    light: Field = sigmoid(level / np.maximum(soft, np.float32(0.06))) * (
        np.float32(0.62) + np.float32(0.38) * np.clip(level, 0, 1)
    )
    light *= 1 + np.float32(0.11) * waves(rng, x, y, longest_mm=radius, shortest_mm=0.9)
    return light * _obscured(rng, radius, x, y)


def _spicules(rng: np.random.Generator, radius: float, x: Field, y: Field, grid: Grid) -> Field:
    """Return fine bent lines that run out from the mass and taper off."""
    count = int(rng.integers(24, 48))
    angle, inner = rng.uniform(0, 2 * np.pi, count), radius * rng.uniform(0.3, 0.75, count)
    starts = Starts(
        x=inner * np.cos(angle),
        y=inner * np.sin(angle),
        heading=angle + 0.22 * rng.standard_normal(count),
        length_mm=np.clip(radius * 0.95 * np.exp(0.5 * rng.standard_normal(count)), 4, 3 * radius),
        bend=0.16 / radius * rng.standard_normal(count),
        light=0.38 * np.exp(0.45 * rng.standard_normal(count)),
    )
    lines = walk(rng, starts, wander=0.035, wave_mm=5)
    beyond = np.hypot(lines.x, lines.y) / np.float32(radius)
    tapered = replace(lines, light=lines.light * np.clip(np.float32(1.25) - np.float32(0.42) * beyond, 0, 1))
    return draw([tapered], x, y, sigma_mm=max(0.38, 0.4 * grid.pixel_mm))


def _oval_distance(rng: np.random.Generator, radius: float, x: Field, y: Field, *, lobes: float) -> Field:
    """Return the distance from the middle in radii of an oval with a slightly lobed margin."""
    turn, ratio = rng.uniform(0, np.pi), rng.uniform(0.62, 0.95)
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    along, across = (x * cos + y * sin) / np.float32(radius), (y * cos - x * sin) / np.float32(radius * ratio)
    distance: Field = np.hypot(along, across)
    angle = np.arctan2(across, along)
    for wave in (2, 3, 4):
        distance = distance * (
            1 + np.float32(lobes * rng.standard_normal()) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
        )
    return distance


def _obscured(rng: np.random.Generator, radius: float, x: Field, y: Field) -> Field:
    """Return factors from about a half to 1: one side of a mass is lost in the tissue around it."""
    turn, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.0, 0.55)
    side = (x * np.float32(np.cos(turn)) + y * np.float32(np.sin(turn))) / np.float32(radius)
    return 1 - np.float32(strength) * sigmoid(3 * (side - np.float32(0.2)))


def waves(rng: np.random.Generator, x: Field, y: Field, *, longest_mm: float, shortest_mm: float) -> Field:
    """Return a sum of plane waves with mean 0 and variance 1 whose amplitude grows with their length."""
    total = np.zeros((y.shape[0], x.shape[1]), dtype=np.float32)
    power = 0.0
    for _ in range(14):
        length = shortest_mm * (max(longest_mm, shortest_mm) / shortest_mm) ** rng.random()
        turn, phase = rng.uniform(0, 2 * np.pi), rng.uniform(0, 2 * np.pi)
        k = 2 * np.pi / length
        total += np.float32(length) * np.cos(
            np.float32(k * np.cos(turn)) * x + np.float32(k * np.sin(turn)) * y + np.float32(phase)
        )
        power += length**2 / 2
    return total / np.float32(power**0.5)
