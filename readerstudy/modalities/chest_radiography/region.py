"""Segmentation of the body in a radiograph, with plain image processing."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from readerstudy.imaging.image import WHITE, Grey16
from readerstudy.imaging.masks import Floats, Mask, small_copy, soft_weight, thickest_piece

_LEAST_CONTRAST: Final = 0.02  # of full scale, between air and bone of an image with a body
_UNIFORM: Final = 0.01  # of the image's range: a line of a collimated border varies less
_LEAST_INSIDE: Final = 0.3  # of either side: what remains between two borders
_AIR: Final = 0.07  # of the image's range above its darkest level: as bright as air gets
_FLAT: Final = 0.02  # of the image's range above its darkest level: half of the air is darker
_LEAST_AIR: Final = 0.002  # of the image's area, of a piece of air
_LARGEST_AIR: Final = 0.015  # of the area, at least: only smaller pieces are dark places of lungs that are cut off

Window = tuple[slice, slice]


def body_weight(values: Grey16) -> Floats:
    """Return 1 in the body and 0 in air, labels and collimated borders, (rows, columns), with a soft seam.

    All 1 if the body fills the image, as in most radiographs.
    """
    small = small_copy(values)
    low, high = np.percentile(small, (1, 99))
    if high - low < _LEAST_CONTRAST * WHITE:
        return np.ones(values.shape, dtype=np.float32)
    window = _between_borders(small, float(high - low))
    inside = small[window]
    body = np.zeros(small.shape, dtype=bool)
    body[window] = _segment(float(inside.max()) - inside if _is_inverted(inside) else inside)
    return soft_weight(body, values.shape)


def _between_borders(small: Floats, contrast: float) -> Window:
    """Return the window without the uniform lines along the borders: collimation, black or white, or air."""
    top, left, bottom, right = 0, 0, *small.shape
    for _ in range(3):  # a border can have a border
        part = small[top:bottom, left:right]
        before, after = _border_lines(part, contrast)
        start, end = _border_lines(part.T, contrast)
        if not before + after + start + end:
            break
        top, bottom, left, right = top + before, bottom - after, left + start, right - end
        if bottom - top < _LEAST_INSIDE * small.shape[0] or right - left < _LEAST_INSIDE * small.shape[1]:
            return slice(None), slice(None)
    return slice(top, bottom), slice(left, right)


def _border_lines(part: NDArray[Any], contrast: float) -> tuple[int, int]:
    """Return the numbers of uniform rows at the top and at the bottom, each with the mixed row that follows."""
    low, high = np.percentile(part, (3, 97), axis=1)
    varied = np.flatnonzero(high - low > _UNIFORM * contrast)
    if not varied.size:
        return len(part), 0
    before, after = int(varied[0]), len(part) - 1 - int(varied[-1])
    return before + (before > 0), after + (after > 0)


def _is_inverted(inside: Floats) -> bool:
    """Return whether the middle of the chest, where spine and heart lie, is darker than both lungs."""
    rows, columns = inside.shape
    band = inside[round(0.25 * rows) : max(1, round(0.6 * rows))]

    def level(start: float, end: float) -> float:
        return float(np.median(band[:, round(start * columns) : max(round(start * columns) + 1, round(end * columns))]))

    return level(0.45, 0.55) < min(level(0.22, 0.38), level(0.62, 0.78))


def _segment(inside: Floats) -> Mask:
    """Return the thickest piece that is not air, after an opening that cuts off labels."""
    above = np.pad(~_air(inside), 6, mode="edge")  # the body continues beyond the border
    return thickest_piece(ndimage.binary_opening(above, iterations=4)[6:-6, 6:-6])


def _air(inside: Floats) -> Mask:
    """Return the dark flat areas that touch the border: lungs can be as dark, but are enclosed."""
    low, high = (float(level) for level in np.percentile(inside, (0.5, 99)))
    smoothed = ndimage.gaussian_filter(inside, 1.0)
    pieces, _count = ndimage.label(smoothed < low + _AIR * (high - low))
    at_border = np.unique(np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]]))
    flat = [
        piece
        for piece in (pieces == number for number in at_border[at_border > 0])
        if piece.mean() >= _LEAST_AIR and np.median(inside[piece]) - low < _FLAT * (high - low)
    ]
    if not any(piece.mean() >= _LARGEST_AIR for piece in flat):
        return np.zeros(inside.shape, dtype=bool)
    return np.asarray(np.logical_or.reduce(flat), dtype=bool)
