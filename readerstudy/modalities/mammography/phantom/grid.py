"""The millimetre grid that phantoms are made of.

Coarse fields live on grids of a fixed extent, FIELD_HEIGHT_MM high and 27/32 as wide, and are enlarged to the
picture: the same seed gives the same breast at every picture size, and the costly steps run on few points.
Breast texture has a power-law spectrum with an exponent near 3 (Burgess, 1999).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from readerstudy.imaging.fields import Field

Box = tuple[int, int, int, int]  # top, left, bottom, right; bottom and right are exclusive

FIELD_HEIGHT_MM: Final = 286.0
WIDEST: Final = 27 / 32  # columns for each row of a coarse grid


@dataclass(frozen=True)
class Grid:
    """Pixel centres in mm: x from the chest wall, y from the middle of the picture downwards."""

    rows: int
    columns: int

    @property
    def pixel_mm(self) -> float:
        return FIELD_HEIGHT_MM / self.rows

    @property
    def x(self) -> Field:
        """(1, columns)"""
        return ((np.arange(self.columns, dtype=np.float32) + 0.5) * np.float32(self.pixel_mm))[None]

    @property
    def y(self) -> Field:
        """(rows, 1)"""
        return ((np.arange(self.rows, dtype=np.float32) + 0.5 - self.rows / 2) * np.float32(self.pixel_mm))[:, None]


def coarse_grid(rows: int) -> Grid:
    """A grid over the whole field; `rows` is a multiple of 32."""
    return Grid(rows, int(rows * WIDEST))


def box(grid: Grid, centre: tuple[float, float], half_mm: float) -> Box:
    """Return the box of pixels within half_mm of the centre: at least one, inside the image."""
    column, row = centre[0] / grid.pixel_mm, (centre[1] + FIELD_HEIGHT_MM / 2) / grid.pixel_mm
    half = half_mm / grid.pixel_mm
    top, left = (
        max(0, min(int(start - half), last)) for start, last in ((row, grid.rows - 1), (column, grid.columns - 1))
    )
    bottom = min(grid.rows, max(top + 1, int(row + half) + 1))
    right = min(grid.columns, max(left + 1, int(column + half) + 1))
    return top, left, bottom, right
