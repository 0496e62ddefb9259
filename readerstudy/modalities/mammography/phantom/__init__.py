"""Procedural mammograms for users without data. Each can be drawn with and without its lesion."""

from readerstudy.modalities.mammography.phantom.anatomy import (
    DEFAULT_CONTRAST,
    POSITIVE_FRACTION,
    Breast,
    PhantomView,
    sample_cohort,
)
from readerstudy.modalities.mammography.phantom.findings import Finding, Lesion, LesionKind
from readerstudy.modalities.mammography.phantom.render import Phantom, lesion_box, phantom_images, render

__all__ = [
    "DEFAULT_CONTRAST",
    "POSITIVE_FRACTION",
    "Breast",
    "Finding",
    "Lesion",
    "LesionKind",
    "Phantom",
    "PhantomView",
    "lesion_box",
    "phantom_images",
    "render",
    "sample_cohort",
]
