"""Result of an evaluation: decisions of one classifier on attacked test images at one resolution (METHOD §4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from readerstudy.errors import BadInput
from readerstudy.serialise import ADDED_LATER, from_dict
from readerstudy.statistics.proportions import Proportion
from readerstudy.statistics.roc import AreaUnderCurve, RocCurve
from readerstudy.vocabulary import Direction

FORMAT = "evaluation/1"  # kind of result and version of its fields


class ThresholdRule(StrEnum):
    """How a threshold was chosen."""

    ARTICLE = "article"  # 0.5
    YOUDEN = "youden"  # the greatest sensitivity + specificity on the tuning split
    SENSITIVITY = "sensitivity"  # the greatest with a sensitivity of at least 0.9 on the tuning split
    FOLD = "fold"  # that of Youden on the tuning part of each fold, subtracted from the scores


class Variant(StrEnum):
    """The images of a table."""

    UNPROCESSED = "unprocessed"  # as the generators draw them, without post-processing, as in the article
    ADVERSARIAL = "adversarial"
    IDENTITY = "identity"  # of the generators as stage 1 left them, which learnt to copy
    SHAM = "sham"  # put through the same steps as the adversarial images, with an invisible change


class Recalibrated(StrEnum):
    """How probabilities were recalibrated on the tuning split."""

    NONE = "none"
    TEMPERATURE = "temperature"
    PLATT = "platt"


class ControlName(StrEnum):
    """The fact that a trivial control uses."""

    HEADER = "header"  # rows, columns and bits of the source file
    BRIGHTEST_PIXEL = "brightest_pixel"
    MEAN = "mean"  # of the grey levels
    STANDARD_DEVIATION = "standard_deviation"  # of the grey levels


@dataclass(frozen=True)
class AreaComparison:
    """A difference of two areas on the same images; no interval and no p if neither area can vary."""

    difference: float
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True)
class Decisions:
    """Decisions of a classifier at one threshold; an image is called positive above it.

    "Right" on an adversarial image means the diagnosis of its flipped label. Fooled: of the images whose real
    version was right, those whose adversarial version gets the opposite diagnosis. Removal acts on positive images,
    insertion on the others.
    """

    rule: ThresholdRule
    threshold: float
    positives_right: Proportion
    negatives_right: Proportion
    adversarial_positives_right: Proportion
    adversarial_negatives_right: Proportion
    fooled: Proportion
    fooled_by_removal: Proportion
    fooled_by_insertion: Proportion


@dataclass(frozen=True)
class AttackTable:
    """Table 1 for one classifier and one set of adversarial images.

    An attack on one class only has no area on flipped labels. `compared` is that area minus the one on the real images.
    `changed` counts the images with a pixel that differs from the source image; None if they were not counted.
    `is_by_patient`: the intervals of the shares treat the images of a patient as dependent; earlier versions did not.
    """

    images: int
    patients: int
    auc_real: AreaUnderCurve | None
    auc_flipped: AreaUnderCurve | None
    decisions: tuple[Decisions, ...]
    compared: AreaComparison | None = None
    changed: int | None = None
    is_by_patient: bool = False

    @property
    def is_applicable(self) -> bool:
        """Return False if no image was changed: the decisions are then those on the real images."""
        return self.changed != 0

    def at(self, rule: ThresholdRule) -> Decisions | None:
        """Return the decisions at the threshold that was chosen by `rule`, or None."""
        return next((decisions for decisions in self.decisions if decisions.rule is rule), None)


@dataclass(frozen=True)
class Subgroup:
    """The same figures for one part of the test images, at the threshold of `ThresholdRule.YOUDEN`.

    `column` is the name of one of the modality's divisions into subgroups, `value` that of the images.
    """

    column: str
    value: str
    images: int
    positive: int
    auc_real: AreaUnderCurve | None
    auc_flipped: AreaUnderCurve | None
    fooled_by_removal: Proportion
    fooled_by_insertion: Proportion
    fooled: Proportion


@dataclass(frozen=True)
class CalibrationBin:
    """Images with similar probabilities: their number, mean probability and the share that is positive."""

    images: int
    mean: float
    share: float


@dataclass(frozen=True)
class Calibration:
    """How far probabilities are from shares: the curve, its mean distance (ECE) and the Brier score (1950)."""

    method: Recalibrated
    slope: float
    intercept: float
    ece: float
    brier: float
    bins: tuple[CalibrationBin, ...]


@dataclass(frozen=True)
class Similarity:
    """Medians over the adversarial test images, each compared with its source image."""

    psnr_median_db: float
    ssim_median: float


@dataclass(frozen=True)
class ChangeFigures:
    """How much the attack changed the test images of one direction: medians over the images that it changed.

    Changes are shares of full scale. `regions` are the connected areas that change by over a hundredth of full scale,
    `changed` is their share of the image. `unchanged` images are left out.
    """

    direction: Direction
    images: int
    unchanged: int
    psnr_db: float
    rms: float  # root mean square in the region of the modality
    greatest: float
    regions: float
    changed: float


@dataclass(frozen=True)
class AttackEvaluation:
    """One attack on one classifier.

    `runs` are the names under which its images were written, `against` the name of the classifier that they were made
    for ("" if unknown). `untouched` counts the test images that the attack leaves alone. `roc` is on flipped labels.
    `identity` and `sham` are its baselines. `unprocessed` are the same generators without post-processing, for those
    of the article's presets. `changes` are by direction; earlier versions did not measure them.
    """

    name: str
    runs: tuple[str, ...]
    against: str
    table: AttackTable
    identity: AttackTable | None
    similarity: Similarity | None
    untouched: int
    subgroups: tuple[Subgroup, ...]
    roc: RocCurve | None
    sham: AttackTable | None = None
    changes: tuple[ChangeFigures, ...] = ()
    unprocessed: AttackTable | None = field(default=None, metadata=ADDED_LATER)


@dataclass(frozen=True)
class Transfer:
    """Images of one attack that fool one classifier at `ThresholdRule.YOUDEN`; `is_target`: it was made for it.

    `is_applicable` is False for a baseline that changes no image.
    """

    attack: str
    variant: Variant
    classifier: str
    is_target: bool
    fooled: Proportion
    fooled_by_removal: Proportion
    fooled_by_insertion: Proportion
    is_applicable: bool = True


@dataclass(frozen=True)
class TrivialControl:
    """The area of a fact that does not depend on seeing the finding, on the real test images.

    What it takes to use the fact was learnt on the training split: .5 is chance. `values` counts the different values
    among the test images; with a single one the area is .5. The area is None if the test images are of one class.
    """

    name: ControlName
    auc: AreaUnderCurve | None
    values: int

    @property
    def is_above_chance(self) -> bool:
        """Return whether the whole interval lies above .5."""
        return self.auc is not None and self.auc.low > 0.5


@dataclass(frozen=True)
class ReferenceComparison:
    """Areas minus those of the reference classifier on the same images, real and by attack; None if not estimable."""

    real: AreaComparison | None
    attacks: dict[str, AreaComparison | None]


@dataclass(frozen=True)
class EvaluationResult:
    """All figures of one classifier at one resolution.

    `reference` is the classifier of the same job that the others are compared with; `compared` is None for itself.
    `transfers` has every attack on every classifier of the job. `controls` are about the images and the same for all
    classifiers; they are empty if none could be computed, and in evaluations of earlier versions.
    """

    format: str
    resolution: str
    classifier: str
    reference: str
    recalibration: Recalibrated
    thresholds: dict[ThresholdRule, float]
    attacks: tuple[AttackEvaluation, ...]
    calibration: tuple[Calibration, ...]
    roc: RocCurve | None
    compared: ReferenceComparison | None
    transfers: tuple[Transfer, ...]
    controls: tuple[TrivialControl, ...] = ()


def read_evaluation(data: Mapping[str, Any]) -> EvaluationResult:
    """Return the stored evaluation. Raises BadInput for another format."""
    if data.get("format") != FORMAT:
        raise BadInput(f"This evaluation was stored as {data.get('format')!r}, not as {FORMAT!r}: evaluate again.")
    return from_dict(EvaluationResult, data)
