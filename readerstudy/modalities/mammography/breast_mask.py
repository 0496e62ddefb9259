"""Segmentation of the breast and detection of its chest wall, with plain image processing.

Both work on a small copy of the image, which averages noise and costs little.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from readerstudy.imaging.background import darkest_border_level
from readerstudy.imaging.image import WHITE, Grey16
from readerstudy.imaging.masks import Floats, Mask, small_copy, soft_weight, thickest_piece
from readerstudy.modalities.mammography.attributes import ChestWall

_TISSUE: Final = 0.15  # tissue is brighter than air by this share of the distance to the typical tissue
_NO_AIR: Final = 0.35  # a border strip brighter than this share of the distance to white contains no air
_AIR_STRIPS: Final = 20  # a border strip is a twentieth of a side wide
_LEAST_CONTRAST: Final = 0.02  # of full scale, between air and the brightest tissue of an image with a breast
_BAND: Final = 0.05  # of the breast's width: its outermost columns
_LEAST_LENGTH: Final = 0.3  # of the image's height: length of a chest wall
_LEAST_RATIO: Final = 1.6  # of the chest wall's length to the straight part of the other side
_OUTER: Final = 0.03  # of either side: the scanner's own border, often fogged, white or black, is ignored


def find_chest_wall(values: Grey16) -> ChestWall:
    """Return the side on which the image cuts the breast off in a straight line.

    The straight side is measured on the breast's own frame, not on the image's: many scans have bars, borders or black
    padding beside the digitised film. It must be long, and much longer than the straight part of the other side.
    """
    breast = _segment(_copy_with_dark_air(values))
    columns = np.flatnonzero(breast.any(axis=0))
    if not columns.size:
        return ChestWall.UNKNOWN
    framed = breast[:, columns[0] : columns[-1] + 1]
    depth = max(1, round(_BAND * framed.shape[1]))
    # Share of the image's height over which the breast reaches to within `depth` of its outermost column.
    left, right = (float(band.any(axis=1).mean()) for band in (framed[:, :depth], framed[:, -depth:]))
    if max(left, right) < _LEAST_LENGTH or max(left, right) < _LEAST_RATIO * min(left, right):
        return ChestWall.UNKNOWN
    return ChestWall.LEFT if left > right else ChestWall.RIGHT


def breast_weight(values: Grey16) -> Floats:
    """Return 1 in the breast and 0 in air, labels and borders, (rows, columns), with a soft seam below the skin.

    All 1 if no breast is found: a changed background is better than an image that was not changed.
    """
    return soft_weight(_segment(_copy_with_dark_air(values)), values.shape)


def _copy_with_dark_air(values: Grey16) -> Floats:
    """Return a small copy of the image, with dark air even if the image was stored inverted."""
    small = small_copy(values)
    return float(small.max()) - small if _is_inverted(small) else small


def _is_inverted(small: Floats) -> bool:
    """Return whether the most common grey, that of the air, is near the brightest."""
    low, high = np.percentile(small, (1, 99))
    shares, _ = np.histogram(small, bins=32, range=(low, max(high, low + 1)))
    return bool(shares[-6:].max() > 2 * shares[:6].max())


def _segment(small: Floats) -> Mask:
    """Return the thickest piece that is brighter than air, after an opening that cuts off labels and scratches."""
    margin = [round(_OUTER * side) for side in small.shape]
    inner = small[margin[0] : small.shape[0] - margin[0], margin[1] : small.shape[1] - margin[1]]
    air, white = _air_level(inner), float(np.percentile(inner, 98))
    if white - air < _LEAST_CONTRAST * WHITE:
        return np.zeros(small.shape, dtype=bool)
    # The median, so that white bars beside the image do not lift the threshold above the thin tissue at the skin.
    typical = float(np.median(inner[inner > air + 0.1 * (white - air)]))
    above = ndimage.gaussian_filter(inner, 1.0) > air + _TISSUE * (typical - air)
    # The breast continues beyond the border; otherwise the opening would round off its corners.
    above = np.pad(above, [(side + 6, side + 6) for side in margin], mode="edge")
    return thickest_piece(ndimage.binary_opening(above, iterations=4)[6:-6, 6:-6])


def _air_level(small: NDArray[Any]) -> float:
    """Return the grey level of the air: the darkest border strip, or the darkest hundredth if no strip holds air.

    A breast that reaches all four borders leaves air in the corners at most.
    """
    darkest, white = np.percentile(small, (1, 98))
    air = darkest_border_level(small, strips=_AIR_STRIPS)
    return float(air if air < darkest + _NO_AIR * (white - darkest) else darkest)
