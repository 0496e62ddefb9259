"""Result of a detector of adversarial images."""

from dataclasses import dataclass
from enum import StrEnum

from readerstudy.statistics.proportions import Proportion
from readerstudy.statistics.roc import AreaUnderCurve

FORMAT = "detector/1"


class Pool(StrEnum):
    """Attacks that are pooled in a row."""

    SEEN = "seen"  # all that the detector was trained on
    HELD_OUT = "held-out"  # all others


@dataclass(frozen=True)
class DetectorRow:
    """How well a detector separates the test images of one attack, or of a pool of attacks, from their source images.

    `attack` is "" for a pool. `seen`: the detector was trained on this attack.
    """

    attack: str
    pool: Pool | None
    seen: bool
    images: int
    auc: AreaUnderCurve | None
    adversarial_found: Proportion
    sources_passed: Proportion


@dataclass(frozen=True)
class DetectorResult:
    """Every attack at the threshold with the greatest Youden index on the tuning split, for the training attacks."""

    threshold: float
    rows: tuple[DetectorRow, ...]
