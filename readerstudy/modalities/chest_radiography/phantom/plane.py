"""Coordinates of a radiograph: pixels of the picture, and the patient who stands a little shifted and tilted."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.fields import Field
from readerstudy.modalities.chest_radiography.phantom.anatomy import Stance

FIELD_MM: Final = 352.0  # height and width of a radiograph

Box = tuple[int, int, int, int]  # top, left, bottom, right; bottom and right are exclusive
Point = tuple[float, float]


@dataclass(frozen=True)
class Square:
    """The sampling of a square radiograph."""

    rows: int

    @property
    def columns(self) -> int:
        return self.rows

    @property
    def pixel_mm(self) -> float:
        return FIELD_MM / self.rows


@dataclass(frozen=True, eq=False)
class Plane:
    """The patient's coordinates at the pixels: u from the middle of the chest to the image's right, v downwards."""

    side: int  # pixels
    stance: Stance
    area: Box  # the pixels of a part of the picture

    @property
    def pixel_mm(self) -> float:
        return FIELD_MM / self.side

    @cached_property
    def u(self) -> Field:
        """(rows, columns) of the area"""
        x, y = self._axes()
        return x * np.float32(np.cos(self.stance.tilt)) + y * np.float32(np.sin(self.stance.tilt))

    @cached_property
    def v(self) -> Field:
        """(rows, columns) of the area"""
        x, y = self._axes()
        return y * np.float32(np.cos(self.stance.tilt)) - x * np.float32(np.sin(self.stance.tilt))

    def part(self, centre: Point, half_width: float, half_height: float) -> "Plane":
        """Return the plane of the pixels around a point of the patient, cut at the border: at least one pixel."""
        column, row = self.to_pixels(centre)
        across, down = half_width / self.pixel_mm, half_height / self.pixel_mm
        top, left = (min(max(0, int(start)), self.side - 1) for start in (row - down, column - across))
        bottom = min(self.side, max(top + 1, int(row + down) + 1))
        right = min(self.side, max(left + 1, int(column + across) + 1))
        return Plane(self.side, self.stance, (top, left, bottom, right))

    def to_pixels(self, point: Point) -> Point:
        """Return column and row of a point of the patient; whole numbers are the upper left corners of pixels."""
        column, row = self.to_pixels_of(np.asarray(point[0]), np.asarray(point[1]))
        return float(column), float(row)

    def to_pixels_of(self, u: NDArray[Any], v: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return columns and rows of points of the patient, as `to_pixels` does of one."""
        cos, sin = np.cos(self.stance.tilt), np.sin(self.stance.tilt)
        x = u * cos - v * sin + self.stance.right_mm
        y = u * sin + v * cos + self.stance.down_mm
        return x / self.pixel_mm + self.side / 2, y / self.pixel_mm + self.side / 2

    @property
    def pixels(self) -> tuple[slice, slice]:
        """The index of the area in an array of the whole picture."""
        top, left, bottom, right = self.area
        return slice(top, bottom), slice(left, right)

    def _axes(self) -> tuple[Field, Field]:
        top, left, bottom, right = self.area
        centres = (np.arange(self.side, dtype=np.float32) + np.float32(0.5 - self.side / 2)) * np.float32(self.pixel_mm)
        x = centres[None, left:right] - np.float32(self.stance.right_mm)
        return x, centres[top:bottom, None] - np.float32(self.stance.down_mm)


def whole_plane(side: int, stance: Stance) -> Plane:
    """Return the plane of a whole picture of `side` × `side` pixels."""
    return Plane(side, stance, (0, 0, side, side))
