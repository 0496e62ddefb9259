"""Stored scores of a detector of adversarial images for the images shown to readers."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class DetectorRecord:
    """Scores of one detector. `score` is the probability that an image is adversarial, by case.

    `patient` and `split` are by case, too. `threshold` was chosen on the tuning split. `trained_on` are the attacks
    whose adversarial images the detector was trained on; `of_study` are those of them that the study shows.
    """

    run: str
    threshold: float
    trained_on: tuple[str, ...]
    of_study: tuple[str, ...]
    score: Mapping[int, float]
    patient: Mapping[int, int]
    split: Mapping[int, str]
