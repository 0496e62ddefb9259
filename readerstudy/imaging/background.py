"""The grey level of the background around what was imaged."""

from typing import Final

import numpy as np

from readerstudy.imaging.image import Grey16

_STRIPS: Final = 100  # a border strip is a hundredth of a side wide


def background_level(values: Grey16) -> int:
    """Return the grey level of the background: the median of the darkest border strip, one hundredth of the image wide.

    The median is robust to labels and scratches, and one of the four sides nearly always shows background alone.
    """
    return int(darkest_border_level(values, strips=_STRIPS))


def darkest_border_level(values: Grey16 | np.ndarray, *, strips: int) -> float:
    """Return the median of the darkest of the four border strips, each one of `strips` parts of its side wide."""
    rows, columns = (max(1, side // strips) for side in values.shape)
    borders = (values[:rows], values[-rows:], values[:, :columns], values[:, -columns:])
    return float(min(np.median(border) for border in borders))
