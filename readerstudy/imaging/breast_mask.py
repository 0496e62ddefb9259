"""Where the breast is in a film, and where its chest wall: measured from the pixels, with plain means.

All of it looks at a small copy of the picture, so that noise averages out and the cost does not matter.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from readerstudy.vocabulary import ChestWall

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

_ROWS: Final = 192  # of the small copy
_TISSUE: Final = 0.15  # tissue is brighter than air by this share of the way to the typical tissue
_NO_AIR: Final = 0.35  # a border strip brighter than this share of the way to white holds no air
_SEAM: Final = 0.02  # of the height: over this depth below the skin a weight rises from 0 to 1
_BAND: Final = 0.05  # of the breast's width: what counts as its outermost columns
_LONG: Final = 0.3  # of the picture's height: a chest wall is at least so long
_CLEAR: Final = 1.6  # the chest wall is so many times as long as what the other side has of a straight line
_OUTER: Final = 0.03  # of either length: the scanner's own border, often fogged, white or black, is looked past


def chest_wall_of(values: NDArray[np.uint16]) -> ChestWall:
    """The side on which the film cuts the breast off in a straight line, or "" where that is not clear.

    The straight side is looked for on the breast's own frame, not on the picture's: many scans have bars, borders
    or black filling beside the film. It must be long, and much longer than what the other side has of it.
    """
    breast = _breast(_small(values))
    columns = np.flatnonzero(breast.any(axis=0))
    if not columns.size:
        return ChestWall.UNKNOWN
    framed = breast[:, columns[0] : columns[-1] + 1]
    depth = max(1, round(_BAND * framed.shape[1]))
    # Share of the picture's height over which the breast reaches to within `depth` of its outermost column.
    left, right = (float(band.any(axis=1).mean()) for band in (framed[:, :depth], framed[:, -depth:]))
    if max(left, right) < _LONG or max(left, right) < _CLEAR * min(left, right):
        return ChestWall.UNKNOWN
    return ChestWall.LEFT if left > right else ChestWall.RIGHT


def breast_weight(values: NDArray[np.uint16]) -> Floats:
    """1 in the breast, 0 in the air, on labels and on borders, with a soft seam below the skin; same shape.

    All 1 where no breast can be made out: better a changed background than a picture that was not changed.
    """
    breast = _breast(_small(values))
    if breast.all() or not breast.any():
        return np.ones(values.shape, dtype=np.float32)
    # Only air counts, not the picture's own border: the weight does not fall towards a chest wall that lies there.
    depth = ndimage.distance_transform_edt(breast)
    weight = np.clip((depth - 1) / (_SEAM * breast.shape[0]), 0, 1).astype(np.float32)
    size = (values.shape[1], values.shape[0])
    return np.asarray(Image.fromarray(weight).resize(size, Image.Resampling.BILINEAR), dtype=np.float32)


def _small(values: NDArray[np.uint16]) -> Floats:
    """The picture at about 192 rows, each pixel a mean, with dark air whatever way round the film was stored."""
    rows = min(_ROWS, values.shape[0])
    columns = max(1, round(values.shape[1] * rows / values.shape[0]))
    picture = Image.fromarray(values.astype(np.float32)).resize((columns, rows), Image.Resampling.BOX)
    small = np.asarray(picture, dtype=np.float32)
    return float(small.max()) - small if _is_negative(small) else small


def _is_negative(small: Floats) -> bool:
    """The air is the commonest grey of a film: where that is near the brightest, the film was stored inverted."""
    low, high = np.percentile(small, (1, 99))
    shares, _ = np.histogram(small, bins=32, range=(low, max(high, low + 1)))
    return bool(shares[-6:].max() > 2 * shares[:6].max())


def _breast(small: Floats) -> Mask:
    """The thickest piece that is brighter than air, after an opening that cuts off labels and scratches."""
    edge = [round(_OUTER * side) for side in small.shape]
    inner = small[edge[0] : small.shape[0] - edge[0], edge[1] : small.shape[1] - edge[1]]
    air, white = _air(inner), float(np.percentile(inner, 98))
    if white - air < 0.02 * 65535:
        return np.zeros(small.shape, dtype=bool)
    # A median: white bars beside the film must not lift the threshold above the thin tissue at the skin.
    typical = float(np.median(inner[inner > air + 0.1 * (white - air)]))
    above = ndimage.gaussian_filter(inner, 1.0) > air + _TISSUE * (typical - air)
    # Beyond the border the breast goes on: else the opening would round off its corners.
    above = np.pad(above, [(side + 6, side + 6) for side in edge], mode="edge")
    opened = ndimage.binary_opening(above, iterations=4)[6:-6, 6:-6]
    pieces, count = ndimage.label(opened)
    if count == 0:
        return np.zeros(small.shape, dtype=bool)
    # The breast is the piece that holds the largest disc: bars and frames beside a film may be larger, but are thin.
    depths = ndimage.maximum(ndimage.distance_transform_edt(opened), pieces, range(1, count + 1))
    thickest: Mask = ndimage.binary_fill_holes(pieces == 1 + int(np.argmax(depths)))
    return thickest


def _air(small: Floats) -> float:
    """The grey of the air: the median of the darkest of the four border strips, a twentieth wide each.

    A breast that reaches all four borders leaves air in the corners at most: then the darkest hundredth speaks.
    """
    rows, columns = (max(1, side // 20) for side in small.shape)
    strips = (small[:rows], small[-rows:], small[:, :columns], small[:, -columns:])
    darkest, white = np.percentile(small, (1, 98))
    air = min(np.median(strip) for strip in strips)
    return float(air if air < darkest + _NO_AIR * (white - darkest) else darkest)
