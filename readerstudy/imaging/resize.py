"""Resizing and framing of images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from readerstudy.imaging.breast_mask import chest_wall_of
from readerstudy.imaging.image import Grey16, Size, quantise, require_grey16


def background_of(values: Grey16) -> int:
    """The grey level of the air around the breast: the median of the darkest of the four border strips.

    A strip is one hundredth of the picture wide. The median forgives labels and scratches, and one of the
    four sides is always free of breast.
    """
    return int(min(np.median(strip) for strip in _border_strips(values)))


def _border_strips(values: Grey16) -> tuple[Grey16, Grey16, Grey16, Grey16]:
    """Top, bottom, left, right."""
    height, width = values.shape
    rows, columns = max(1, height // 100), max(1, width // 100)
    return values[:rows], values[-rows:], values[:, :columns], values[:, -columns:]


def fit(values: Grey16, size: Size) -> Grey16:
    """The largest picture of the same shape that fits into `size`, bicubic with antialiasing; not padded."""
    require_grey16(values)
    fitted = _fitted(values.shape, size)
    if fitted == values.shape:
        return values.copy()
    # Mode F carries the full 16 bits: Pillow's integer modes round between its two passes.
    picture = Image.fromarray(values.astype(np.float32))
    resized = np.asarray(picture.resize((fitted[1], fitted[0]), Image.Resampling.BICUBIC))
    return quantise(resized)


def _fitted(shape: tuple[int, ...], size: Size) -> Size:
    """The largest size of that shape within `size`, in whole pixels."""
    height, width = shape
    scale = min(size[0] / height, size[1] / width)
    return min(size[0], max(1, round(height * scale))), min(size[1], max(1, round(width * scale)))


@dataclass(frozen=True)
class Placing:
    """Where a fitted picture lies in its frame; in pixels of the frame."""

    frame: Size
    top: int
    left: int
    rows: int
    columns: int

    def carry(self, box: Mapping[str, float]) -> dict[str, float]:
        """A box in shares of the picture, {"top", "left", "bottom", "right"}, to shares of the frame."""
        down, across = ((self.top, self.rows, self.frame[0]), (self.left, self.columns, self.frame[1]))
        sides = {"top": down, "left": across, "bottom": down, "right": across}
        return {side: (start + box[side] * length) / whole for side, (start, length, whole) in sides.items()}


def place_in(values: Grey16, size: Size) -> Placing:
    """Where `resize` lays a picture in a frame of `size`.

    Vertically it sits in the middle. Horizontally the chest wall stays at its border where it is clear which
    side that is, else the picture sits in the middle.
    """
    rows, columns = _fitted(values.shape, size)
    spare = size[1] - columns
    wall = chest_wall_of(values) if spare else ""
    left = {"left": 0, "right": spare, "": spare // 2}[wall]
    return Placing(frame=size, top=(size[0] - rows) // 2, left=left, rows=rows, columns=columns)


def resize(values: Grey16, size: Size) -> Grey16:
    """Bring a picture to exactly `size`, ratio kept, laid as `place_in` says, the rest its own background.

    One that has the size already comes back unchanged.
    """
    fitted = fit(values, size)
    if fitted.shape == size:
        return fitted
    framed = np.full(size, background_of(values), dtype=np.uint16)
    place = place_in(values, size)
    framed[place.top : place.top + place.rows, place.left : place.left + place.columns] = fitted
    return framed
