"""Nodules and what looks like them, drawn into a patch of the image from a random stream of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from readerstudy.imaging.fields import Field
from readerstudy.modalities.chest_radiography.phantom.anatomy import Lesion, LesionKind
from readerstudy.modalities.chest_radiography.phantom.plane import Plane, Point

# Half the side of a lesion's box in radii. Nothing is drawn outside.
_REACH: Final[dict[LesionKind, float]] = {"nodule": 1.5, "granuloma": 1.5, "nipple": 1.25, "scar": 1.1}


@dataclass(frozen=True, eq=False)
class Patch:
    """The mm of water that a lesion adds, and the plane of its box."""

    plane: Plane
    light: Field


def place(lesion: Lesion, plane: Plane, centre: Point) -> Plane:
    """Return the plane of the lesion's box."""
    half = _REACH[lesion.kind] * lesion.radius_mm
    return plane.part(centre, half, half)


def draw(lesion: Lesion, plane: Plane, centre: Point) -> Patch:
    """Draw a lesion around its centre (u, v)."""
    part = place(lesion, plane, centre)
    u, v = part.u - np.float32(centre[0]), part.v - np.float32(centre[1])
    light = _DRAW[lesion.kind](lesion, u, v) * np.float32(lesion.amplitude)
    # The patient may stand tilted, so that the corners of the box lie further out than its sides.
    reach = np.float32(_REACH[lesion.kind] * lesion.radius_mm)
    fade = np.clip((reach - np.maximum(np.abs(u), np.abs(v))) / np.float32(0.05 * reach), 0, 1)
    return Patch(part, (light * fade).astype(np.float32))


def _nodule(lesion: Lesion, u: Field, v: Field) -> Field:
    """Return a solid ball, slightly lobed, with a soft edge."""
    rng = np.random.default_rng(lesion.seed)
    border = _border(rng, lesion, u, v, roughness=0.05, waves=5)
    dome = np.clip(1 - (np.hypot(u, v) / (np.float32(1.3) * border)) ** 2, 0, 1) ** np.float32(1.2)
    light: Field = np.float32(1.5 * lesion.radius_mm) * dome
    return light


def _granuloma(lesion: Lesion, u: Field, v: Field) -> Field:
    """Return a small calcified ball with a sharp edge."""
    rng = np.random.default_rng(lesion.seed)
    border = _border(rng, lesion, u, v, roughness=0.08, waves=4)
    edge = np.clip((border - np.hypot(u, v)) / np.float32(0.9) + np.float32(0.5), 0, 1)
    light: Field = np.float32(4 + 3.6 * lesion.radius_mm) * edge
    return light


def _nipple(lesion: Lesion, u: Field, v: Field) -> Field:
    """Return a faint disc that is sharp towards the side and fades towards the middle."""
    r = np.hypot(u, v) / np.float32(lesion.radius_mm)
    outward = u * np.float32(lesion.side) / np.float32(lesion.radius_mm)
    edge = np.clip((1 - r) / np.float32(0.22), 0, 1)
    light: Field = np.float32(9) * edge * np.clip(np.float32(0.55) + np.float32(0.45) * outward, 0, 1)
    return light


def _scar(lesion: Lesion, u: Field, v: Field) -> Field:
    """Return a thin bent line that tapers off."""
    rng = np.random.default_rng(lesion.seed)
    angle, bend, width = rng.uniform(0, np.pi), rng.normal() * 0.12, rng.uniform(0.9, 1.5)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along = (u * cos + v * sin) / np.float32(lesion.radius_mm)
    beside = v * cos - u * sin + np.float32(bend * lesion.radius_mm) * (along**2 - 0.5)
    ends = np.clip((np.float32(1) - np.abs(along)) / np.float32(0.35), 0, 1)
    light: Field = np.float32(9.5) * np.exp(-((beside / np.float32(width)) ** 2)) * ends
    return light


def _border(rng: np.random.Generator, lesion: Lesion, u: Field, v: Field, *, roughness: float, waves: int) -> Field:
    """Return the radius in the direction of each pixel."""
    angle = np.arctan2(v, u)
    border = np.ones_like(angle)
    for k in range(2, waves + 1):
        border += np.float32(roughness / k**0.5 * rng.normal()) * np.cos(k * angle + np.float32(rng.uniform(0, 6.3)))
    return np.clip(border, 0.8, 1.05) * np.float32(lesion.radius_mm)


_DRAW: Final[dict[LesionKind, Callable[[Lesion, Field, Field], Field]]] = {
    "nodule": _nodule,
    "granuloma": _granuloma,
    "nipple": _nipple,
    "scar": _scar,
}
