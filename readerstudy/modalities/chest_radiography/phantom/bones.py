"""Bones: ribs, collar bones, shoulder blades, upper arms and spine, in mm of water that they add."""

from typing import Final

import numpy as np

from readerstudy.imaging.fields import Field, sigmoid
from readerstudy.modalities.chest_radiography.phantom.anatomy import Chest
from readerstudy.modalities.chest_radiography.phantom.plane import Plane
from readerstudy.modalities.chest_radiography.phantom.shape import apex, centre_line, rib_border

_RIBS: Final = 11
_RIB_MM: Final = 13.0  # of water, in the middle of a rib
_CORTEX: Final = 0.72  # share of a rib's radius that is marrow


def add_bones(chest: Chest, plane: Plane, light: Field, rng: np.random.Generator) -> None:
    """Add all bones in place."""
    _add_spine(chest, plane, light)
    for side in (-1, 1):
        _add_ribs(chest, plane, light, side, rng)
        _add_collar_bone(chest, plane, light, side, rng)
        _add_shoulder(chest, plane, light, side, rng)


def _tube(distance: Field, radius: float | Field) -> Field:
    """Return the bone that a ray meets in a tube with a dense wall: 1 in its middle, more near its borders."""
    outer = np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))
    inner = np.sqrt(np.clip(1 - (distance / (np.float32(_CORTEX) * radius)) ** 2, 0, 1))
    tube: Field = np.float32(1.8) * outer - np.float32(0.8) * inner
    return tube


def _add_ribs(chest: Chest, plane: Plane, light: Field, side: int, rng: np.random.Generator) -> None:
    """Add the ribs of one side: each is half a tilted ring, its upper half behind and its lower half in front."""
    spacing, jitter = chest.height / 9.3, rng.normal(0, 1, (_RIBS, 2))
    for number in range(_RIBS):
        tilt = chest.rib_tilt * (46 + 46 * min(number / 6, 1)) * (1 + 0.03 * jitter[number, 0])
        start = apex(chest) - (14 if number else 6) + spacing * (number + 0.07 * jitter[number, 1])
        half = float(rib_border(chest, start + tilt / 2)) + 3
        part = plane.part((side * half / 2, start + tilt / 2), half / 2 + 22, tilt / 2 + 22)
        light[part.pixels] += np.float32(_RIB_MM * chest.bone) * _rib(chest, part, side, start, tilt, half, number)


def _rib(chest: Chest, part: Plane, side: int, start: float, tilt: float, half: float, number: int) -> Field:
    across, v = part.u * np.float32(side), part.v - np.float32(start + tilt / 2)
    high = np.float32(tilt / 2)
    ring = np.maximum(np.hypot(across / np.float32(half), v / high), np.float32(0.2))
    steep = np.hypot(across / np.float32(half**2), v / high**2) / ring
    distance = (ring - 1) / np.maximum(steep, np.float32(1e-4))
    front = sigmoid(v / 9)
    radius = np.float32(chest.rib_radius) * (1 + np.float32(0.22) * front) * np.float32(0.85 if number == 0 else 1)
    behind_share = sigmoid((across - 14) / 3) * (1 - front)
    # In front, ribs end in cartilage, which is hardly seen.
    cartilage = np.float32(half * (0.5 if number else 0.25))
    front_share = np.float32(0.62) * sigmoid((across - cartilage) / 6) * front
    if number > 8:
        front_share = front_share * sigmoid((across - np.float32(0.8 * half)) / 6)
    return _tube(distance, radius) * (behind_share + front_share)


def _add_collar_bone(chest: Chest, plane: Plane, light: Field, side: int, rng: np.random.Generator) -> None:
    """Add an S-shaped bone from the breastbone up and out to the shoulder."""
    inner, outer = 15.0, chest.half_width + 0.55 * chest.wall
    low = apex(chest) + 33 + 3 * rng.normal()
    high = apex(chest) + 8 + 70 * (chest.shoulder_slope - 0.25)
    part = plane.part((side * (inner + outer) / 2, (low + high) / 2), (outer - inner) / 2 + 14, (low - high) / 2 + 26)
    across = part.u * np.float32(side)
    share = np.clip((across - np.float32(inner)) / np.float32(outer - inner), 0, 1)
    line = np.float32(low) + np.float32(high - low) * share - np.float32(6) * np.sin(np.float32(2 * np.pi) * share)
    slope = ((high - low) - 6 * 2 * np.pi * np.cos(2 * np.pi * share)) / (outer - inner)
    distance = (part.v - line) / np.sqrt(1 + slope.astype(np.float32) ** 2)
    radius = np.float32(6.6) - np.float32(3.4) * share * (1 - share) * 2
    ends = sigmoid((across - np.float32(inner)) / 1.6) * sigmoid((np.float32(outer) - across) / 2.5)
    light[part.pixels] += np.float32(1.2 * _RIB_MM * chest.bone) * _tube(distance, radius) * ends


def _add_shoulder(chest: Chest, plane: Plane, light: Field, side: int, rng: np.random.Generator) -> None:
    """Add the blade, a plate with a denser border beside and behind the upper lung, and the head of the upper arm."""
    top, wide = apex(chest), chest.half_width + chest.wall
    swing = 6 * float(np.clip(rng.normal(), -1.5, 1.5))
    blade = plane.part((side * (wide - 28), top + 72), 62, 82)
    across, v = blade.u * np.float32(side), blade.v - np.float32(top)
    middle = across - np.float32(wide - 62 + swing) - np.float32(0.12) * (v - 60)
    outer = np.float32(wide - 2 + swing) - np.float32(0.34) * (v - 60) - across
    inside = np.minimum(np.minimum(middle, outer), (v - 14) * np.float32(0.9))
    edge = np.exp(-(((inside - 3) / 2.4) ** 2))
    plate = np.float32(5) * sigmoid(inside / 1.5) + np.float32(4.5) * edge
    light[blade.pixels] += np.float32(chest.bone) * plate * sigmoid((np.float32(138) - v) / 8)
    head = plane.part((side * (wide + 6), top + 34), 30, 30)
    u, v = head.u - np.float32(side * (wide + 6)), head.v - np.float32(top + 34)
    light[head.pixels] += np.float32(9 * chest.bone) * _tube(np.hypot(u, v), 23)


def _add_spine(chest: Chest, plane: Plane, light: Field) -> None:
    """Add the column of vertebrae, with darker discs between them."""
    middle = plane.u - centre_line(chest, plane.stance, plane.v).astype(np.float32)
    period = np.float32(chest.height / 9.3)
    phase = np.float32(2 * np.pi) * (plane.v - np.float32(apex(chest))) / period
    bodies = sigmoid((np.cos(phase) + np.float32(0.55)) * 5)
    column = sigmoid((17 + np.float32(1.5) * np.cos(phase) - np.abs(middle)) / np.float32(1.4))
    light += np.float32(9 * chest.bone) * column * (np.float32(0.55) + np.float32(0.45) * bodies)
    pedicles = np.exp(-(((np.abs(middle) - 11) / 3.2) ** 2)) * np.clip(np.cos(phase), 0, 1) ** 6
    light += np.float32(4 * chest.bone) * pedicles
