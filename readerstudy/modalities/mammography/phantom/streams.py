"""The random streams of one view."""

from enum import IntEnum

import numpy as np

from readerstudy.modalities.mammography.phantom.anatomy import PhantomView


class Stream(IntEnum):
    """The parts of a view that are drawn independently. Append new ones: the numbers are part of every image."""

    OUTLINE = 0
    CLUMPS = 1
    GRAIN = 2
    STRANDS = 3
    CLOUDS = 4
    DENSITY = 5
    SWAY = 6
    QUANTA = 7
    VESSELS = 8
    SKIN = 9


def stream(view: PhantomView, number: Stream) -> np.random.Generator:
    """Return the generator of one part of a view."""
    return np.random.default_rng([view.seed, int(number)])
