"""Procedural mammograms for people without data: like no person, and each with a lesion-free twin."""

from readerstudy.cohort.sources.phantom.anatomy import (
    DEFAULT_CONTRAST,
    POSITIVE_FRACTION,
    Breast,
    Lesion,
    LesionKind,
    PhantomView,
    sample_cohort,
)
from readerstudy.cohort.sources.phantom.render import Phantom, lesion_box, phantom_images, render

__all__ = [
    "DEFAULT_CONTRAST",
    "POSITIVE_FRACTION",
    "Breast",
    "Lesion",
    "LesionKind",
    "Phantom",
    "PhantomView",
    "lesion_box",
    "phantom_images",
    "render",
    "sample_cohort",
]
