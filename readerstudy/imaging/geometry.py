"""What a modality knows about the geometry of its images, as one value that can be handed to pure code."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.image import Grey16, Size
from readerstudy.imaging.resize import Anchor, FindAnchor, Placement, find_placement, resize

Weight = NDArray[np.float32]  # (rows, columns), 0 to 1
FindRegion = Callable[[Grey16], Weight]


@dataclass(frozen=True)
class Geometry:
    """Where an image may be changed, and at which side of a wider frame it lies.

    Both are functions of an image, (rows, columns). `region` returns 1 where changes are allowed and 0 in the
    background, with a soft seam between.
    """

    region: FindRegion
    anchor: FindAnchor

    def resize(self, values: Grey16, size: Size) -> Grey16:
        """Return the image in a frame of `size`, see `imaging.resize.resize`."""
        return resize(values, size, anchor=self.anchor)

    def find_placement(self, values: Grey16, size: Size) -> Placement:
        """Return the rectangle that the image fills in a frame of `size`."""
        return find_placement(values, size, anchor=self.anchor)


def whole_image(values: Grey16) -> Weight:
    """Return 1 everywhere: the region of images without a background."""
    return np.ones(values.shape, dtype=np.float32)


def centred(values: Grey16) -> Anchor:
    """Return the middle for every image."""
    return Anchor.MIDDLE


PLAIN = Geometry(region=whole_image, anchor=centred)
