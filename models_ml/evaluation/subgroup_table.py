"""Figures for parts of the test images, such as those of one view or of one kind of lesion."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_ml.evaluation.attack_table import REPLICATES, Texts, decide
from models_ml.evaluation.predictions import Floats, Labels
from readerstudy.results.evaluation import Subgroup, ThresholdRule
from readerstudy.statistics.roc import auc_by_patient


def subgroups(
    columns: Mapping[str, Texts],
    *,
    score_real: Floats,
    score_adversarial: Floats,
    labels: Labels,
    patients: Texts,
    threshold: float,
    of_finding: Collection[str],
    seed: int,
    replicates: int = REPLICATES,
) -> tuple[Subgroup, ...]:
    """Return the figures for each value of each column that has several; all arrays are (N,).

    Images with an unknown value ("") are in no part. Figures are at `threshold`, Youden's. Only positive images have
    a value in the columns `of_finding`: those of each value are compared with all images without the finding.
    """
    arrays: dict[str, Any] = {
        "score_real": score_real,
        "score_adversarial": score_adversarial,
        "labels": labels,
        "patients": patients,
    }
    return tuple(
        _subgroup(name, value, {key: array[chosen] for key, array in arrays.items()}, threshold, seed, replicates)
        for name, value, chosen in _parts(columns, labels, of_finding)
    )


def _parts(
    columns: Mapping[str, Texts], labels: Labels, of_finding: Collection[str]
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield column, value and the mask of its images."""
    for name, column in columns.items():
        is_of_finding = name in of_finding
        known = column[labels == 1] if is_of_finding else column
        values = [value for value in np.unique(known).tolist() if value]
        if len(values) + bool((known == "").any()) < 2:
            continue  # a single value for all: the same as the table over all images
        for value in values:
            chosen = column == value
            yield name, value, (chosen & (labels == 1)) | (labels == 0) if is_of_finding else chosen


def _subgroup(
    name: str, value: str, arrays: Mapping[str, Any], threshold: float, seed: int, replicates: int
) -> Subgroup:
    real, adversarial, labels, patients = (
        arrays[key] for key in ("score_real", "score_adversarial", "labels", "patients")
    )
    rng = np.random.default_rng(seed)
    decisions = decide(real, adversarial, labels, patients, rule=ThresholdRule.YOUDEN, threshold=threshold)
    return Subgroup(
        column=name,
        value=value,
        images=len(labels),
        positive=int((labels == 1).sum()),
        auc_real=auc_by_patient(real, labels, patients, rng, replicates=replicates),
        auc_flipped=auc_by_patient(adversarial, 1 - labels, patients, rng, replicates=replicates),
        fooled_by_removal=decisions.fooled_by_removal,
        fooled_by_insertion=decisions.fooled_by_insertion,
        fooled=decisions.fooled,
    )
