"""Lesions and what resembles them, each drawn into a patch of the image from a random stream of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from readerstudy.imaging.fields import Field
from readerstudy.modalities.mammography.phantom import calcifications, masses
from readerstudy.modalities.mammography.phantom.findings import Finding, FindingKind, Lesion
from readerstudy.modalities.mammography.phantom.grid import Box, Grid, box


@dataclass(frozen=True)
class _Form:
    """How a kind is drawn, and its reach in radii."""

    draw: Callable[[np.random.Generator, Finding, Field, Field, Grid], Field]
    reach: float


_FORMS: Final[dict[FindingKind, _Form]] = {
    "mass": _Form(masses.spiculated, 3.4),
    "benign": _Form(masses.oval, 1.5),
    "calc": _Form(calcifications.cluster, 2.4),
    "oval": _Form(masses.oval, 1.5),
    "node": _Form(masses.node, 1.5),
    "island": _Form(masses.island, 2.2),
    "coarse": _Form(calcifications.coarse, 2.0),
    "scattered": _Form(calcifications.scattered, 2.5),
    "vascular": _Form(calcifications.vascular, 2.0),
}
# Half the side of the box that counts as the lesion's position, in radii.
_PLACE: Final[dict[FindingKind, float]] = {"mass": 1.5, "benign": 1.0, "calc": 1.2}


@dataclass(frozen=True, eq=False)
class Patch:
    """The brightness that a finding adds to the glandular tissue, and its box in the image."""

    area: Box
    light: Field


def draw(finding: Finding, grid: Grid, centre: tuple[float, float], *, view: int) -> Patch:
    """Draw a finding around its centre (x, y in mm) as the view with this number shows it."""
    form = _FORMS[finding.kind]
    area = box(grid, centre, form.reach * finding.radius_mm)
    x = grid.x[:, area[1] : area[3]] - np.float32(centre[0])
    y = grid.y[area[0] : area[2]] - np.float32(centre[1])
    light = form.draw(np.random.default_rng([finding.seed, view]), finding, x, y, grid)
    return Patch(area, (light * np.float32(finding.amplitude)).astype(np.float32))


def place(lesion: Lesion, grid: Grid, centre: tuple[float, float]) -> Box:
    """Return the box that counts as the lesion's position."""
    return box(grid, centre, _PLACE[lesion.kind] * lesion.radius_mm)
