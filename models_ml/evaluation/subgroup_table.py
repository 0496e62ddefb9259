"""The same figures for parts of the test images: a view, a side, a kind of lesion, a density."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_ml.evaluation.attack_table import REPLICATES, AreaUnderCurve, Share, Texts, auc_with_interval, decide
from models_ml.evaluation.predictions import Floats, Labels

# Only a malignant image has a malignant lesion: each kind is set against all images without cancer.
OF_LESIONS = "lesion"


@dataclass(frozen=True)
class Subgroup:
    """One part of the test images, judged at one threshold."""

    column: str
    value: str
    images: int
    malignant: int
    auc_real: AreaUnderCurve | None
    auc_flipped: AreaUnderCurve | None
    fooled_by_removal: Share
    fooled_by_insertion: Share
    fooled: Share


def subgroups(
    columns: Mapping[str, Texts],
    *,
    score_real: Floats,
    score_adversarial: Floats,
    labels: Labels,
    patients: Texts,
    threshold: float,
    seed: int,
    replicates: int = REPLICATES,
) -> tuple[Subgroup, ...]:
    """A line for every value of every column that tells images apart; where it is unknown ("") an image is in none."""
    arrays: dict[str, Any] = {
        "score_real": score_real,
        "score_adversarial": score_adversarial,
        "labels": labels,
        "patients": patients,
    }
    return tuple(
        _judged(name, value, {key: array[chosen] for key, array in arrays.items()}, threshold, seed, replicates)
        for name, value, chosen in _parts(columns, labels)
    )


def _parts(columns: Mapping[str, Texts], labels: Labels) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    for name, column in columns.items():
        of_lesions = name == OF_LESIONS
        told = column[labels == 1] if of_lesions else column
        values = [value for value in np.unique(told).tolist() if value]
        if len(values) + bool((told == "").any()) < 2:
            continue  # one value for all: the table over all images says the same
        for value in values:
            chosen = column == value
            yield name, value, (chosen & (labels == 1)) | (labels == 0) if of_lesions else chosen


def _judged(name: str, value: str, arrays: Mapping[str, Any], threshold: float, seed: int, replicates: int) -> Subgroup:
    real, fake, labels, patients = (arrays[key] for key in ("score_real", "score_adversarial", "labels", "patients"))
    chance = np.random.default_rng(seed)
    at = decide(real, fake, labels, name="", threshold=threshold)
    return Subgroup(
        column=name,
        value=value,
        images=len(labels),
        malignant=int((labels == 1).sum()),
        auc_real=auc_with_interval(real, labels, patients, chance, replicates),
        auc_flipped=auc_with_interval(fake, 1 - labels, patients, chance, replicates),
        fooled_by_removal=at.fooled_by_removal,
        fooled_by_insertion=at.fooled_by_insertion,
        fooled=at.fooled,
    )
