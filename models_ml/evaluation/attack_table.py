"""The article's Table 1: how often a classifier changes its diagnosis (METHOD §4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from models_ml.errors import LabError
from models_ml.evaluation.predictions import Floats, Labels, auc

REPLICATES = 2000
ARTICLE_THRESHOLD = 0.5
Texts = NDArray[np.str_]


@dataclass(frozen=True)
class Share:
    """Hits out of trials with Wilson's 95 % interval (Wilson, 1927); without trials there is no share."""

    hits: int
    trials: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class AreaUnderCurve:
    """An AUC with its 95 % percentile interval from resampled patients (Rutter, 2000)."""

    value: float
    low: float
    high: float
    replicates: int


@dataclass(frozen=True)
class Decisions:
    """What the classifier decides at one threshold; an image is called malignant above it.

    "Right" on an adversarial image means the diagnosis of its flipped label. Fooled: of the images whose real
    version was right, those whose fake gets the opposite diagnosis. Removal acts on malignant images,
    insertion on the others.
    """

    name: str
    threshold: float
    positives_right: Share
    negatives_right: Share
    adversarial_positives_right: Share
    adversarial_negatives_right: Share
    fooled: Share
    fooled_by_removal: Share
    fooled_by_insertion: Share


@dataclass(frozen=True)
class Compared:
    """A difference of two areas on the same images; no interval and no p where neither area can vary."""

    difference: float
    low: float | None
    high: float | None
    p: float | None


class ComparesAreas(Protocol):
    """Paired DeLong clustered by patient: area a less area b for the same images (STATISTICS §4).

    Gives `difference`, `low`, `high` and `p`; ValueError where a class has fewer than two images or one patient.
    """

    def __call__(self, truth: Any, score_a: Any, score_b: Any, /, *, cluster: Any) -> Any: ...


@dataclass(frozen=True)
class AttackTable:
    """Table 1 for one resolution and one pair of generators.

    An attack that makes twins of one class only has no area on flipped labels. `compared` is that area less the one
    on the real images.
    """

    name: str
    images: int
    patients: int
    auc_real: AreaUnderCurve | None
    auc_flipped: AreaUnderCurve | None
    decisions: tuple[Decisions, ...]
    compared: Compared | None = None


def attack_table(
    *,
    name: str,
    score_real: Floats,
    score_adversarial: Floats,
    labels: Labels,
    patients: Texts,
    thresholds: Mapping[str, float],
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    compare: ComparesAreas | None = None,
) -> AttackTable:
    """Table 1 from aligned arrays (N,): malignant probability of every real test image and of its fake.

    `thresholds` go by name, beside the article's 0.5.
    """
    if not len(score_real) == len(score_adversarial) == len(labels) == len(patients):
        raise LabError("Every image needs a score, an adversarial score, a label and a patient.")
    return AttackTable(
        name=name,
        images=len(labels),
        patients=len(np.unique(patients)),
        auc_real=auc_with_interval(score_real, labels, patients, rng, replicates),
        auc_flipped=auc_with_interval(score_adversarial, 1 - labels, patients, rng, replicates),
        decisions=tuple(
            decide(score_real, score_adversarial, labels, name=which, threshold=threshold)
            for which, threshold in ({"0.5": ARTICLE_THRESHOLD} | dict(thresholds)).items()
        ),
        # A fake scores high for a flipped label exactly where 1 - score is high for its own: the same images, paired.
        compared=compare_areas(compare, labels, 1 - score_adversarial, score_real, patients),
    )


def compare_areas(
    compare: ComparesAreas | None, labels: Labels, score_a: Floats, score_b: Floats, patients: Texts
) -> Compared | None:
    """Area of `score_a` less that of `score_b`; None where the images do not carry it."""
    if compare is None:
        return None
    try:
        found = compare(labels, score_a, score_b, cluster=patients)
    except ValueError:
        return None
    return Compared(found.difference, found.low, found.high, found.p)


def decide(score_real: Floats, score_adversarial: Floats, labels: Labels, *, name: str, threshold: float) -> Decisions:
    """Accuracy by class and fooled shares at one threshold."""
    called, called_fake = score_real > threshold, score_adversarial > threshold
    positive = labels == 1
    right, flipped = called == positive, called_fake != positive
    return Decisions(
        name=name,
        threshold=float(threshold),
        positives_right=share(right[positive]),
        negatives_right=share(right[~positive]),
        # A fake made from a negative is a positive of the adversarial set, and the other way round.
        adversarial_positives_right=share(flipped[~positive]),
        adversarial_negatives_right=share(flipped[positive]),
        fooled=share(flipped[right]),
        fooled_by_removal=share(flipped[right & positive]),
        fooled_by_insertion=share(flipped[right & ~positive]),
    )


def share(hits: NDArray[np.bool_]) -> Share:
    count, trials = int(hits.sum()), len(hits)
    if not trials:
        return Share(0, 0, None, None, None)
    interval = binomtest(count, trials).proportion_ci(method="wilson")
    return Share(count, trials, count / trials, float(interval.low), float(interval.high))


def auc_with_interval(
    score: Floats, labels: Labels, patients: Texts, rng: np.random.Generator, replicates: int
) -> AreaUnderCurve | None:
    """AUC and its percentile interval over patients drawn with replacement, all images of a patient
    together; None where there is one class only.
    """
    if len(np.unique(labels)) < 2:
        return None
    _, number = np.unique(patients, return_inverse=True)
    count = int(number.max()) + 1
    times = rng.multinomial(count, np.full(count, 1 / count), size=replicates)[:, number]  # (replicates, images)
    positive = labels == 1
    wins = np.sign(score[positive][:, None] - score[~positive][None]) / 2 + 0.5
    won = ((times[:, positive] @ wins) * times[:, ~positive]).sum(1)
    pairs = times[:, positive].sum(1) * times[:, ~positive].sum(1)
    values = won[pairs > 0] / pairs[pairs > 0]
    low, high = np.quantile(values, (0.025, 0.975))
    return AreaUnderCurve(auc(score, labels), float(low), float(high), len(values))
