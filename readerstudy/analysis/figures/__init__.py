"""The figures of the report as accessible SVG; the description of each contains its numbers.

Each function takes the record and the plan (or a rule) and returns a `Picture`, or None without data.
"""

from readerstudy.analysis.figures.accuracy import accuracy_figure
from readerstudy.analysis.figures.agreement import agreement_figure
from readerstudy.analysis.figures.blocks import blocks_figure
from readerstudy.analysis.figures.classifier import classifier_figure
from readerstudy.analysis.figures.confidence import confidence_figure
from readerstudy.analysis.figures.detection import detection_figure
from readerstudy.analysis.figures.forest import forest_figure
from readerstudy.analysis.figures.reader_changes import reader_changes_figure
from readerstudy.analysis.figures.speed_accuracy import speed_figure
from readerstudy.analysis.figures.times import times_figure
from readerstudy.layout.picture import Picture

__all__ = [
    "Picture",
    "accuracy_figure",
    "agreement_figure",
    "blocks_figure",
    "classifier_figure",
    "confidence_figure",
    "detection_figure",
    "forest_figure",
    "reader_changes_figure",
    "speed_figure",
    "times_figure",
]
