"""The detector as one more reader: what it made of the very pictures that readers were shown."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class DetectorRecord:
    """One detector's stored scores. `score` is the probability that an image was altered, by case (`queries.counts`).

    `patient` and `split` are by case, too. `threshold` was chosen on its tuning split; it learnt from the twins of
    the attacks in `learnt_from`, and `of_study` are those among them whose twins the study shows.
    """

    run: str
    threshold: float
    learnt_from: tuple[str, ...]
    of_study: tuple[str, ...]
    score: Mapping[int, float]
    patient: Mapping[int, int]
    split: Mapping[int, str]
