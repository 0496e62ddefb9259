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
    SIDES = 10


def stream(view: PhantomView, number: Stream) -> np.random.Generator:
    """Return the generator of one part of a view."""
    return np.random.default_rng([view.seed, int(number)])


def mirrored_stream(view: PhantomView, number: Stream) -> np.random.Generator:
    """Return the generator of what the left and the right breast have in common in this view."""
    return np.random.default_rng([view.sides_seed, int(number)])
