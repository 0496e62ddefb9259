"""Soft tissue and air: how many mm of water each ray meets in the body, and how much air of the lungs it passes."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.fields import Field, sigmoid
from readerstudy.modalities.chest_radiography.phantom.anatomy import Chest, Lesion, Stance
from readerstudy.modalities.chest_radiography.phantom.plane import Plane, Point

_APEX_MM: Final = -132.0  # v of the highest point of the lungs
_APEX_SHARE: Final = 0.40  # its u, as a share of the chest's half-width
_WIDEST: Final = 0.75  # share of the height at which the chest is widest
_ROUND: Final = 2.2  # exponent of the curve of the ribs


@dataclass(frozen=True, eq=False)
class Lungs:
    """Air of the lungs at each pixel."""

    air_mm: Field
    share: Field  # 0 outside, 1 in the middle of a lung; for vessels and texture


def apex(chest: Chest) -> float:
    """Return v of the apex of the lungs: tall chests reach higher."""
    return _APEX_MM - 0.35 * (chest.height - 222)


def rib_border(chest: Chest, v: NDArray[Any] | float) -> NDArray[Any]:
    """Return the distance of the inner border of the ribs from the middle."""
    inner = _APEX_SHARE * chest.half_width
    above = np.clip((apex(chest) + _WIDEST * chest.height - v) / (_WIDEST * chest.height), 0, 1)
    return np.asarray(inner + (chest.half_width - inner) * (1 - above**_ROUND) ** (1 / _ROUND))


def centre_line(chest: Chest, stance: Stance, v: NDArray[Any] | float) -> NDArray[Any]:
    """Return u of the spine and mediastinum."""
    return np.asarray(stance.turn_mm + chest.curve * np.sin((v - apex(chest)) * (2 * np.pi / (1.3 * chest.height))))


def dome(chest: Chest, side: int) -> float:
    """Return v of the highest point of the diaphragm; the left one, at the image's right, is lower."""
    return apex(chest) + chest.height + (chest.lift if side > 0 else 0)


def diaphragm(chest: Chest, side: int, across: NDArray[Any] | float) -> NDArray[Any]:
    """Return v of the diaphragm at a distance from the middle."""
    peak = 0.45 * chest.half_width
    outer = np.clip((across - peak) / (chest.half_width - peak), 0, 1.2)
    inner = np.clip((peak - across) / peak, 0, 1)
    return np.asarray(dome(chest, side) + chest.fall * outer**2.3 + 0.3 * chest.fall * inner**2)


def lesion_centre(chest: Chest, stance: Stance, lesion: Lesion) -> Point:
    """Return u and v of the centre of a lesion."""
    v = apex(chest) + lesion.height * (chest.height - 6)
    inner = chest.mediastinum + 6 + (60 if lesion.side > 0 else 22) * max(0.0, lesion.height - 0.45)
    outer = float(rib_border(chest, v)) - 6
    return lesion.side * (inner + lesion.across * max(0.0, outer - inner)), v


def body_mm(chest: Chest, plane: Plane) -> Field:
    """Return the thickness of the body without lungs, 0 in air."""
    inside = _distance_inside(chest, plane)
    q = np.clip(inside / 92, 0, 1)
    level = (plane.v - np.float32(apex(chest) + 15)) / 22
    depth = np.float32(0.52) + np.float32(0.48) * sigmoid(level)
    belly = np.float32(1) + np.float32(0.10) * sigmoid((plane.v - np.float32(dome(chest, -1) + 20)) / 25)
    body: Field = np.float32(chest.depth) * depth * belly * np.sqrt(q * (2 - q))
    return body


def _distance_inside(chest: Chest, plane: Plane) -> Field:
    """Return about the distance from the skin, positive inside: trunk and arms below the shoulders, and the neck."""
    top, across = np.float32(apex(chest)), np.abs(plane.u)
    wide = chest.half_width + chest.wall
    trunk = np.float32(wide) + np.float32(5) * np.sin((plane.v - top) / 45) - across
    armpit = top + np.float32(78)
    arm = (armpit + np.float32(0.9) * (across - np.float32(wide)) - plane.v) * np.float32(0.74)
    slope = np.float32(chest.shoulder_slope)
    round_off = np.maximum(across - np.float32(wide - 8), 0) ** 2 / np.float32(85)
    rise = np.float32(34) * np.exp(-np.maximum(across - np.float32(chest.neck), 0) / np.float32(26))
    shoulder = plane.v - (top - np.float32(14) + slope * (across - np.float32(110)) - rise + round_off)
    neck = np.float32(chest.neck) + np.maximum(plane.v - (top - np.float32(45)), 0) / 3 - across
    body = _soft_minimum(_soft_maximum(trunk, arm, 6), shoulder.astype(np.float32), 9)
    return _soft_maximum(body, neck, 7)


def _soft_maximum(a: Field, b: Field, width: float) -> Field:
    """Return the larger value, rounded where they cross."""
    h = np.maximum(np.float32(width) - np.abs(a - b), 0) / np.float32(width)
    rounded: Field = np.maximum(a, b) + h**2 * np.float32(width / 4)
    return rounded


def _soft_minimum(a: Field, b: Field, width: float) -> Field:
    return -_soft_maximum(-a, -b, width)


def lungs(chest: Chest, plane: Plane) -> Lungs:
    """Return the air of both lungs, with the heart, the great vessels and the diaphragm cut out."""
    side = np.where(plane.u > 0, np.float32(1), np.float32(-1))
    across = np.abs(plane.u)
    round_mm = _inside_ribs(chest, plane, across)
    q = np.clip(round_mm / np.float32(58), 0, 1)
    chord = np.sqrt(q * (2 - q))
    floor = np.where(side > 0, diaphragm(chest, 1, across), diaphragm(chest, -1, across)).astype(np.float32)
    above = (floor - plane.v) * np.float32(0.85)
    # Behind the dome the lung reaches lower.
    open_share = np.float32(0.84) * sigmoid(above / 1.1) + np.float32(0.16) * sigmoid((above + 24) / 8)
    cover = mediastinal_cover(chest, plane)
    share = chord * open_share * (1 - cover)
    return Lungs(np.float32(0.62 * chest.depth * chest.air) * share, share)


def _inside_ribs(chest: Chest, plane: Plane, across: Field) -> Field:
    """Return about the distance from the inner border of the ribs, positive inside."""
    inner = np.float32(_APEX_SHARE * chest.half_width)
    depth = plane.v - np.float32(apex(chest))
    lateral = _inside_quarter(across - inner, depth, chest.half_width - float(inner), _WIDEST * chest.height)
    middle = _inside_quarter(inner - across, depth, 1.15 * float(inner), 0.24 * chest.height)
    return np.where(across >= inner, lateral, middle).astype(np.float32)


def _inside_quarter(out: Field, down: Field, half: float, height: float) -> Field:
    """Return about the distance from a quarter of a superellipse, which continues straight down."""
    a = np.maximum(out, 0) / np.float32(half)
    b = np.maximum(1 - down / np.float32(height), 0)
    radius = np.maximum((a**_ROUND + b**_ROUND) ** np.float32(1 / _ROUND), np.float32(1e-3))
    steep = np.hypot((a / radius) ** (_ROUND - 1) / np.float32(half), (b / radius) ** (_ROUND - 1) / np.float32(height))
    distance: Field = (1 - radius) / np.maximum(steep, np.float32(1e-3))
    return distance


def mediastinal_cover(chest: Chest, plane: Plane) -> Field:
    """Return which share of the lung each ray misses: in the mediastinum, the heart and the great vessels."""
    middle = plane.u - centre_line(chest, plane.stance, plane.v).astype(np.float32)
    top = apex(chest)
    down = (plane.v - np.float32(top)) / np.float32(chest.height)
    half = np.float32(chest.mediastinum) * (1 + np.float32(0.18) * np.sin(np.float32(5.0) * down - 2))
    band = 1 - (middle / half) ** 2
    heart_width = 2 * chest.heart * chest.half_width
    floor = dome(chest, 1)
    left = _ellipse(plane, (0.20 * heart_width, floor - 42), (0.50 * heart_width, 0.36 * heart_width), chest.heart_turn)
    right = _ellipse(plane, (-0.06 * heart_width, floor - 48), (0.30 * heart_width, 0.46 * heart_width), 0.1)
    knob = _ellipse(plane, (chest.mediastinum - 8, top + 0.27 * chest.height), (chest.aorta, chest.aorta * 1.2), 0.0)
    trunk = _ellipse(plane, (chest.mediastinum - 11, top + 0.47 * chest.height), (17, 40), -0.12)
    open_share = np.ones_like(band)
    for level, steepness, most in (
        (band, 1.6, 0.8),
        (left, 1.0, 0.85),
        (right, 1.1, 0.7),
        (knob, 1.3, 0.4),
        (trunk, 1.5, 0.4),
    ):
        open_share *= 1 - np.float32(most) * np.sqrt(np.clip(np.float32(steepness) * level, 0, 1))
    return np.asarray(1 - open_share, dtype=np.float32)


def _ellipse(plane: Plane, centre: Point, half: Point, turn: float) -> Field:
    """Return 1 in the middle of an ellipse, 0 on its border and less outside."""
    u, v = plane.u - np.float32(centre[0]), plane.v - np.float32(centre[1])
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    along, beside = (u * cos + v * sin) / np.float32(half[0]), (v * cos - u * sin) / np.float32(half[1])
    return (1 - along**2 - beside**2).astype(np.float32)


def breasts_mm(chest: Chest, plane: Plane) -> Field:
    """Return the shadows of the breasts over the lower chest."""
    across = np.abs(plane.u)
    radius = 0.46 * chest.half_width
    u = (across - np.float32(0.56 * chest.half_width)) / np.float32(radius)
    v = plane.v - np.float32(dome(chest, -1) - 28)
    below = np.clip(1 - u**2 - (v / np.where(v > 0, np.float32(40), np.float32(95))) ** 2, 0, 1)
    return (np.float32(chest.breasts) * below ** np.float32(0.7)).astype(np.float32)


def stomach_mm(chest: Chest, plane: Plane) -> Field:
    """Return the air of the stomach below the left dome, at the image's right."""
    if not chest.stomach:
        return np.zeros_like(plane.u)
    v = dome(chest, 1) + 21
    bubble = np.sqrt(np.clip(_ellipse(plane, (0.48 * chest.half_width, v), (chest.stomach, 13), 0.12), 0, 1))
    return np.float32(42) * bubble


def trachea_mm(chest: Chest, plane: Plane) -> Field:
    """Return the air of the windpipe, from the neck to its fork."""
    middle = plane.u - centre_line(chest, plane.stance, plane.v).astype(np.float32) - np.float32(1.5)
    end = np.float32(apex(chest) + 0.36 * chest.height)
    open_share = sigmoid((end - plane.v) / 7)
    air: Field = np.float32(13) * np.sqrt(np.clip(1 - (middle / 8.5) ** 2, 0, 1)) * open_share
    return air
