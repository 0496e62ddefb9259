"""ROC curves and the areas under them, with an interval from resampled patients."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class AreaUnderCurve:
    """An AUC with its 95 % percentile interval from resampled patients (Rutter, 2000)."""

    value: float
    low: float
    high: float
    replicates: int


@dataclass(frozen=True)
class RocCurve:
    """A ROC curve in counts, from "none called" to "all called".

    `points` are its corners as (false positives, true positives); points between two corners are left out.
    """

    positives: int
    negatives: int
    points: tuple[tuple[int, int], ...]


def auc(score: Floats, labels: Labels) -> float:
    """Return the area under the ROC curve as the Mann-Whitney statistic, ties counted half.

    `labels` (N,) are 1 and 0, `score` (N,) is higher for 1. Raises ValueError if a class is missing.
    """
    if len(np.unique(labels)) < 2:
        raise ValueError("An area under the curve needs images of both classes (positive and other).")
    return float(areas(score[:, None], labels[:, None])[0])


def areas(scores: Floats, labels: Labels) -> Floats:
    """Return the AUC of each column of `scores` (N, K) for the same column of `labels` (N, K)."""
    ranks = rankdata(scores, axis=0)
    positives = labels.sum(axis=0)
    negatives = len(labels) - positives
    won = (ranks * labels).sum(axis=0) - positives * (positives + 1) / 2
    values: Floats = won / (positives * negatives)
    return values


def auc_by_patient(
    score: Floats, labels: Labels, patients: NDArray[Any], rng: np.random.Generator, *, replicates: int
) -> AreaUnderCurve | None:
    """Return the AUC with its percentile interval over patients drawn with replacement (Rutter, 2000).

    All images of a patient are drawn together. Replicates without both classes are left out. None if there is one
    class only.
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


def roc_curve(score: Floats, labels: Labels) -> RocCurve | None:
    """Return the curve of `score` (N,) for `labels` (N,) of 1 and 0; equal scores are one step. None for one class."""
    positive = labels == 1
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)  # of each run of equal scores
    true, false = (np.append(0, np.cumsum(chosen[order])[last]) for chosen in (positive, ~positive))
    points = np.stack([false, true], axis=1)
    return RocCurve(positives, negatives, tuple((int(x), int(y)) for x, y in points[_corners(points)]))


def _corners(points: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the first point, the last point and those where the direction changes."""
    steps = np.diff(points, axis=0)
    turns = steps[:-1, 0] * steps[1:, 1] != steps[:-1, 1] * steps[1:, 0]
    corners: NDArray[np.bool_] = np.concatenate([[True], turns, [True]])
    return corners
