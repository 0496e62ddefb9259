"""Procedural chest radiographs for users without data. Each can be drawn with and without its lesion."""

from readerstudy.modalities.chest_radiography.phantom.anatomy import (
    DEFAULT_CONTRAST,
    POSITIVE_FRACTION,
    Chest,
    Finding,
    Lesion,
    LesionKind,
    PhantomView,
    Stance,
    sample_patients,
)
from readerstudy.modalities.chest_radiography.phantom.plane import FIELD_MM
from readerstudy.modalities.chest_radiography.phantom.render import Phantom, lesion_box, render

__all__ = [
    "DEFAULT_CONTRAST",
    "FIELD_MM",
    "POSITIVE_FRACTION",
    "Chest",
    "Finding",
    "Lesion",
    "LesionKind",
    "Phantom",
    "PhantomView",
    "Stance",
    "lesion_box",
    "render",
    "sample_patients",
]
