"""The article's Table 1: how often a classifier changes its diagnosis (METHOD §4)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models_ml.errors import LabError
from models_ml.evaluation.predictions import Floats, Labels
from readerstudy.results.evaluation import AreaComparison, AttackTable, Decisions, ThresholdRule
from readerstudy.statistics import delong
from readerstudy.statistics.proportions import Proportion, wilson_by_cluster
from readerstudy.statistics.roc import auc_by_patient

REPLICATES = 2000
ARTICLE_THRESHOLD = 0.5
Texts = NDArray[np.str_]


def attack_table(
    *,
    score_real: Floats,
    score_adversarial: Floats,
    labels: Labels,
    patients: Texts,
    thresholds: Mapping[ThresholdRule, float],
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    with_area_comparison: bool = False,
    changed: int | None = None,
) -> AttackTable:
    """Return Table 1 from aligned arrays (N,): positive probability of each real test image and its adversarial one.

    `thresholds` are used beside the article's 0.5. `with_area_comparison` compares the two areas by `compare_areas`.
    `changed` is stored as it is. Raises LabError if the arrays differ in length.
    """
    if not len(score_real) == len(score_adversarial) == len(labels) == len(patients):
        raise LabError("Every image needs a score, an adversarial score, a label and a patient.")
    return AttackTable(
        images=len(labels),
        patients=len(np.unique(patients)),
        auc_real=auc_by_patient(score_real, labels, patients, rng, replicates=replicates),
        auc_flipped=auc_by_patient(score_adversarial, 1 - labels, patients, rng, replicates=replicates),
        decisions=tuple(
            decide(score_real, score_adversarial, labels, patients, rule=rule, threshold=threshold)
            for rule, threshold in ({ThresholdRule.ARTICLE: ARTICLE_THRESHOLD} | dict(thresholds)).items()
        ),
        # An adversarial score is high for the flipped label exactly if 1 - score is high for the image's own label,
        # so both areas are about the same images and labels: paired.
        compared=compare_areas(labels, 1 - score_adversarial, score_real, patients) if with_area_comparison else None,
        changed=changed,
        is_by_patient=True,
    )


def compare_areas(labels: Labels, score_a: Floats, score_b: Floats, patients: Texts) -> AreaComparison | None:
    """Return the area of `score_a` minus that of `score_b` by DeLong's paired test, clustered by patient.

    All arrays are aligned, (N,). Returns None if a class has fewer than two images or one patient.
    """
    try:
        difference = delong.paired(labels, score_a, score_b, cluster=patients)
    except ValueError:
        return None
    return AreaComparison(difference.difference, difference.low, difference.high, difference.p)


def decide(
    score_real: Floats,
    score_adversarial: Floats,
    labels: Labels,
    patients: Texts,
    *,
    rule: ThresholdRule,
    threshold: float,
) -> Decisions:
    """Return accuracy by class and fooled shares at one threshold, from aligned arrays (N,)."""
    called, called_adversarial = score_real > threshold, score_adversarial > threshold
    positive = labels == 1
    right, flipped = called == positive, called_adversarial != positive

    def among(hits: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Proportion:
        return wilson_by_cluster(hits[chosen], patients[chosen])

    return Decisions(
        rule=rule,
        threshold=float(threshold),
        positives_right=among(right, positive),
        negatives_right=among(right, ~positive),
        # An adversarial image made from a negative counts as a positive, and the other way round.
        adversarial_positives_right=among(flipped, ~positive),
        adversarial_negatives_right=among(flipped, positive),
        fooled=among(flipped, right),
        fooled_by_removal=among(flipped, right & positive),
        fooled_by_insertion=among(flipped, right & ~positive),
    )
