"""Contact sheets of the corners of images, where burned-in text stands."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from readerstudy.imaging.image import Grey16
from readerstudy.imaging.resize import fit
from readerstudy.imaging.thumbnails import Grey8

SIDE: Final = 128  # rows and columns of a corner on the sheet
_SHARE: Final = 4  # a corner is a quarter of the height and of the width
_GAP: Final = 4
_LEAST_RANGE: Final = 2048  # 16-bit grey levels; noise of the background is not spread over the whole range
_BLOCK: Final = 2 * SIDE + 3 * _GAP


def corners_block(values: Grey16) -> Grey8:
    """Return the four corners in a square, each with its own contrast so that faint text shows."""
    rows, columns = (max(1, length // _SHARE) for length in values.shape)
    block = np.full((_BLOCK, _BLOCK), 128, np.uint8)
    for row, vertical in enumerate((slice(rows), slice(-rows, None))):
        for column, horizontal in enumerate((slice(columns), slice(-columns, None))):
            corner = _stretched(values[vertical, horizontal])
            top, left = (_GAP + index * (SIDE + _GAP) for index in (row, column))
            block[top : top + corner.shape[0], left : left + corner.shape[1]] = corner
    return block


def contact_sheet(blocks: Sequence[Grey8], *, columns: int) -> Grey8:
    """Return blocks of one size row by row; missing ones of the last row are grey. Raises ValueError without any."""
    if not blocks:
        raise ValueError("A sheet needs at least one block.")
    rest = -len(blocks) % columns
    filled = [*blocks, *[np.full_like(blocks[0], 128)] * rest]
    lines = (np.hstack(filled[start : start + columns]) for start in range(0, len(filled), columns))
    return np.vstack(list(lines))


def _stretched(corner: Grey16) -> Grey8:
    small = fit(corner, (min(SIDE, corner.shape[0]), min(SIDE, corner.shape[1])))
    low = float(small.min())
    spread = max(float(small.max()) - low, _LEAST_RANGE)
    levels: Grey8 = np.rint(255 * (small - low) / spread).astype(np.uint8)
    return levels
