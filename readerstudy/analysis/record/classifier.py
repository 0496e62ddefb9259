"""The classifier as one more reader: its stored scores of the very pictures that readers were shown, and diagnoses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Diagnosed:
    """Diagnoses of one reader in one session about pictures of one kind: how many said malignant, of how many.

    `kind` is the place in `counts.KINDS`.
    """

    reader: str
    session: int
    kind: int
    malignant: int
    given: int


@dataclass(frozen=True)
class ClassifierRecord:
    """One element for each picture that an arm was to see in a blinded session; scores are NaN where there is none.

    `case` is the key of the image's truth (`queries.counts`). `kind` is the place in `counts.KINDS`: authenticity and
    the patient's own pathology. `parent_score` is the score of the real version of an adversarial image. `sizes` are
    (rows, columns) at which the run judged. `tuning_threshold` is by arm. `diagnosed` has the readers' diagnoses if
    the plan asked for them.
    """

    run: str
    arm: NDArray[np.str_]
    session: NDArray[np.int64]
    case: NDArray[np.int64]
    kind: NDArray[np.int64]
    patient: NDArray[np.int64]
    split: NDArray[np.str_]
    score: Floats
    parent_score: Floats
    tuning_threshold: Mapping[str, float] = field(default_factory=dict)
    sizes: tuple[tuple[int, int], ...] = ()
    diagnosed: tuple[Diagnosed, ...] = ()

    def __len__(self) -> int:
        return int(self.case.size)

    @cached_property
    def scores(self) -> dict[int, float]:
        """Probability of malignancy by case, of those that have one; what the figure takes."""
        known = ~np.isnan(self.score)
        return dict(zip(self.case[known].tolist(), self.score[known].tolist(), strict=True))
