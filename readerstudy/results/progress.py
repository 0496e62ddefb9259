"""What a job reports while it runs: numbers and keys, which `readerstudy.jobs.progress_text` puts into words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class ActivityKind(StrEnum):
    """What a job is doing."""

    READING_IMAGES = "reading-images"
    FINDING_REGIONS = "finding-regions"
    STARTING_FROM_SCRATCH = "starting-from-scratch"  # a preset for ImageNet's weights starts from random ones
    TRAINING_CLASSIFIER = "training-classifier"
    TRAINING_GAN = "training-gan"
    TRAINING_INPAINTER = "training-inpainter"
    OPTIMISING_PATCH = "optimising-patch"
    GENERATING_IMAGES = "generating-images"
    SCORING_IMAGES = "scoring-images"
    IMPORTING_IMAGES = "importing-images"
    REWRITING_FILES = "rewriting-files"  # a study is being locked
    REHEARSING = "rehearsing"
    SIMULATING_STUDIES = "simulating-studies"
    WRITING_BUNDLE = "writing-bundle"
    CHECKING_BUNDLE = "checking-bundle"
    LAYING_OUT_PDF = "laying-out-pdf"
    # the parts of a report
    ADDING_UP_READINGS = "adding-up-readings"
    COMPARING_SESSIONS = "comparing-sessions"
    TESTING_READERS = "testing-readers"
    DRAWING_REPORT = "drawing-report"
    WRITING_REPORT = "writing-report"


@dataclass(frozen=True)
class Activity:
    """What a job is doing, with the stage of a GAN and the fold of a cross-validation, from 1; 0 if there is none."""

    kind: ActivityKind
    stage: int = 0
    stages: int = 0  # in all
    fold: int = 0

    def in_fold(self, fold: int) -> "Activity":
        """Return the same activity as a part of a fold."""
        return replace(self, fold=fold)


@dataclass(frozen=True)
class ProgressReport:
    """The last report of a job: its activity and its figures by name, None for a figure that was not finite."""

    activity: Activity
    values: Mapping[str, float | None]
