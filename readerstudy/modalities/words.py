"""What pages, jobs and reports say about the images of a modality.

Whole sentences, not nouns to put into sentences: other languages inflect the words around a noun. Every text is
translated when it is shown. `%(name)s` are places.
"""

from dataclasses import dataclass
from typing import Any

from readerstudy.vocabulary import Direction

Text = Any  # a string that is translated when it is shown


@dataclass(frozen=True)
class ReadingWords:
    """The reading room: what readers see."""

    image: Text
    this_image_is: Text  # before the verdicts
    this_image_is_real: Text  # a sentence of a question with another scale
    real_image: Text
    same_image_altered: Text
    display_too_small: Text
    upper_window: Text  # the preset that shows the upper part of the grey levels
    familiarisation: Text  # instructions of the article's sessions
    blinded: Text
    not_real_means: Text  # completes “Not real” means:
    education: Text
    score_means: Text  # what the score of the classifier says, below it
    diagnosis_negative: Text
    diagnosis_positive: Text


@dataclass(frozen=True)
class LabWords:
    """The lab and its jobs. Pages about all cohorts, such as forms and lists, have words of their own."""

    drawing_phantoms: Text
    inserted: Text
    removed: Text
    of_finding: Text  # completes "probability": "of malignancy"
    mean_probability: Text
    share_positive: Text
    compared_with_other: Text  # each kind of lesion with images without the finding
    balanced_training: Text
    changed_outside: Text
    change_in_lesion: Text
    deepest_position: Text
    random_position: Text

    def direction(self, direction: Direction) -> Text:
        """Return what an attack in that direction did."""
        return self.inserted if direction is Direction.INSERT else self.removed


@dataclass(frozen=True)
class ReportWords:
    """The report."""

    patients_with_finding: Text  # %(count)s
    with_finding: Text  # %(parts)s
    probability: Text  # of an axis
    each_dot: Text  # the caption of the classifier's figure
    small_images: Text  # the gallery's note
    positive_means: Text  # the caption of the article's first table
    counted_by_source: Text  # and of adversarial images that have a source image
    different_questions: Text  # the note on readers and classifier


@dataclass(frozen=True)
class Words:
    """All words of a modality."""

    reading: ReadingWords
    lab: LabWords
    report: ReportWords
