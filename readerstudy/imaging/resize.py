"""Resizing of images into frames of a fixed size."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PIL import Image

from readerstudy.imaging.background import background_level
from readerstudy.imaging.image import Grey16, Size, quantise, require_grey16


class Anchor(StrEnum):
    """The side of its frame at which an image lies if the frame is wider."""

    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"


FindAnchor = Callable[[Grey16], Anchor]


def fit(values: Grey16, size: Size) -> Grey16:
    """Return the largest image of the same shape that fits into `size`, bicubic with antialiasing, not padded.

    Raises WrongPixels unless the array is one 16-bit grey image.
    """
    require_grey16(values)
    fitted = _fitted_size(values.shape, size)
    if fitted == values.shape:
        return values.copy()
    # Mode F keeps the full 16 bits: Pillow's integer modes round between its two passes.
    image = Image.fromarray(values.astype(np.float32))
    resized = np.asarray(image.resize((fitted[1], fitted[0]), Image.Resampling.BICUBIC))
    return quantise(resized)


def _fitted_size(shape: tuple[int, ...], size: Size) -> Size:
    """Return the largest size of that shape within `size`, in whole pixels."""
    height, width = shape
    scale = min(size[0] / height, size[1] / width)
    return min(size[0], max(1, round(height * scale))), min(size[1], max(1, round(width * scale)))


@dataclass(frozen=True)
class Placement:
    """The rectangle of a frame that a fitted image fills, in pixels of the frame."""

    frame: Size
    top: int
    left: int
    rows: int
    columns: int

    def to_frame(self, box: Mapping[str, float]) -> dict[str, float]:
        """Return a box given as shares of the image, {"top", "left", "bottom", "right"}, as shares of the frame."""
        vertical, horizontal = (self.top, self.rows, self.frame[0]), (self.left, self.columns, self.frame[1])
        sides = {"top": vertical, "left": horizontal, "bottom": vertical, "right": horizontal}
        return {side: (start + box[side] * length) / whole for side, (start, length, whole) in sides.items()}

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Return top, left, rows and columns."""
        return self.top, self.left, self.rows, self.columns

    def content_of(self, framed: Grey16) -> Grey16:
        """Return the image without what `resize` added around it."""
        return framed[self.top : self.top + self.rows, self.left : self.left + self.columns]


def find_placement(values: Grey16, size: Size, *, anchor: Anchor | FindAnchor = Anchor.MIDDLE) -> Placement:
    """Return the rectangle that the image fills in a frame of `size` after `resize`.

    Vertically the image is centred. Horizontally it lies at `anchor`, which can be a function of the image; the
    function is called only if the frame is wider than the image.
    """
    rows, columns = _fitted_size(values.shape, size)
    spare = size[1] - columns
    if not isinstance(anchor, Anchor):
        anchor = anchor(values) if spare else Anchor.MIDDLE
    left = {Anchor.LEFT: 0, Anchor.MIDDLE: spare // 2, Anchor.RIGHT: spare}[anchor]
    return Placement(frame=size, top=(size[0] - rows) // 2, left=left, rows=rows, columns=columns)


def resize(
    values: Grey16, size: Size, *, anchor: Anchor | FindAnchor = Anchor.MIDDLE, background: int | None = None
) -> Grey16:
    """Return the image at exactly `size`, ratio kept, at its `find_placement`; the rest has its background level.

    `background` is another level for the rest, such as that of the image from which this one was made. An image of
    this size comes back unchanged. Raises WrongPixels unless the array is one 16-bit grey image.
    """
    fitted = fit(values, size)
    if fitted.shape == size:
        return fitted
    framed = np.full(size, background_level(values) if background is None else background, dtype=np.uint16)
    place = find_placement(values, size, anchor=anchor)
    framed[place.top : place.top + place.rows, place.left : place.left + place.columns] = fitted
    return framed
