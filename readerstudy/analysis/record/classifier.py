"""The classifier's stored scores of the images shown to readers, and the readers' diagnoses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DiagnosisCounts:
    """Diagnoses of one reader in one session on images of one kind (index in KINDS)."""

    reader: str
    session: int
    kind: int
    positive: int
    total: int


@dataclass(frozen=True)
class ClassifierRecord:
    """Scores of one run, one element per image allocated to an arm in a blinded session; NaN without a score.

    `kind` is the index in KINDS: authenticity and the patient's own pathology. `source_score` is the score of the
    source image of an adversarial image. `sizes` are the (rows, columns) at which the run evaluated images.
    `tuning_threshold` is by arm. `diagnoses` are those of readers, if the plan asked for them.
    """

    run: str
    arm: NDArray[np.str_]
    session: NDArray[np.int64]
    case: NDArray[np.int64]
    kind: NDArray[np.int64]
    patient: NDArray[np.int64]
    split: NDArray[np.str_]
    score: Floats
    source_score: Floats
    tuning_threshold: Mapping[str, float] = field(default_factory=dict)
    sizes: tuple[tuple[int, int], ...] = ()
    diagnoses: tuple[DiagnosisCounts, ...] = ()

    def __len__(self) -> int:
        return int(self.case.size)

    @cached_property
    def scores(self) -> dict[int, float]:
        """Probability of the finding by case, for cases that have a score."""
        known = ~np.isnan(self.score)
        return dict(zip(self.case[known].tolist(), self.score[known].tolist(), strict=True))
