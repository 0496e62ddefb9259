"""The geometry of mammograms: changes stay in the breast, and the chest wall lies at the border of the frame."""

from typing import Final

from readerstudy.imaging.geometry import Geometry
from readerstudy.imaging.image import Grey16
from readerstudy.imaging.resize import Anchor
from readerstudy.modalities.mammography.attributes import ChestWall
from readerstudy.modalities.mammography.breast_mask import breast_weight, find_chest_wall
from readerstudy.modalities.modality import Measured

_ANCHORS: Final = {
    ChestWall.LEFT: Anchor.LEFT,
    ChestWall.RIGHT: Anchor.RIGHT,
    ChestWall.UNKNOWN: Anchor.MIDDLE,
}


def find_anchor(values: Grey16) -> Anchor:
    """Return the side of the chest wall; the middle if it is unknown."""
    return _ANCHORS[find_chest_wall(values)]


def measure(values: Grey16) -> Measured:
    """Return what an import measures in the pixels of a mammogram: its chest wall."""
    chest_wall = find_chest_wall(values)
    return Measured(_ANCHORS[chest_wall], {"chest_wall": chest_wall.value})


GEOMETRY: Final = Geometry(region=breast_weight, anchor=find_anchor)
