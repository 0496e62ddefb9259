"""Areas under ROC curves and their differences by structural components (DeLong, DeLong & Clarke-Pearson, 1988).

Images of one patient are not independent: `cluster` holds the patient of each image, and components are summed per
patient first (Obuchowski, 1997, Biometrics 53:567). Without it, every image counts as a separate patient.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from readerstudy.statistics.mrmc.figures_of_merit import case_contributions
from readerstudy.statistics.mrmc.readings import Floats, code_labels, signal_mask

ROUNDING = 1e-12  # relative to the variances; smaller differences are rounding errors


@dataclass(frozen=True)
class Area:
    """An area under a ROC curve, its variance, and its interval, clipped to 0 to 1.

    At an area of 0 or 1, DeLong's variance is 0, which is no certainty: the interval is then exact and conservative.
    Of k disjoint pairs of a positive and a negative case of different patients all are ordered alike, which has at most
    the probability area^k (Clopper and Pearson, 1934). If all scores are equal, the interval is 0 to 1.
    """

    auc: float
    variance: float
    low: float
    high: float


@dataclass(frozen=True)
class AreaDifference:
    """auc_a − auc_b with its interval and two-sided p.

    `df` is infinite if the normal distribution was used. If neither area can vary (both 0 or 1), `z`, `p` and the
    interval are None, unless the areas are equal; then `z` is 0 and `p` is 1.
    """

    auc_a: float
    auc_b: float
    difference: float
    variance_a: float
    variance_b: float
    covariance: float
    se: float
    z: float | None
    df: float
    p: float | None
    low: float | None
    high: float | None


def area(truth: ArrayLike, score: ArrayLike, *, cluster: ArrayLike | None = None, confidence: float = 0.95) -> Area:
    """Return the area for `score` (n,), which is higher for `truth` 1 (n,); ties count half."""
    (auc,), matrix = _areas(truth, cluster, confidence, score=score)
    variance = float(matrix[0, 0])
    half = float(ndtri((1 + confidence) / 2)) * np.sqrt(variance)
    if variance <= ROUNDING:
        low, high = _bounds_without_variance(float(auc), _disjoint_pairs(truth, cluster), confidence)
        return Area(float(auc), variance, low, high)
    return Area(float(auc), variance, float(max(auc - half, 0.0)), float(min(auc + half, 1.0)))


def _bounds_without_variance(auc: float, pairs: int, confidence: float) -> tuple[float, float]:
    bound = float(((1 - confidence) / 2) ** (1 / pairs))
    if auc > 1 - ROUNDING:
        return bound, 1.0
    return (0.0, 1 - bound) if auc < ROUNDING else (0.0, 1.0)


def _disjoint_pairs(truth: ArrayLike, cluster: ArrayLike | None) -> int:
    """Return how many pairs of a positive and a negative case can be made of different patients at least."""
    positive = signal_mask(truth)
    patient = np.arange(positive.size) if cluster is None else np.asarray(cluster)
    with_positives, with_negatives = np.unique(patient[positive]), np.unique(patient[~positive])
    patients = np.union1d(with_positives, with_negatives).size
    return int(min(with_positives.size, with_negatives.size, patients // 2))


def paired(
    truth: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
) -> AreaDifference:
    """Compare two scores of the same cases, (n,). With `cluster`, cases of one patient may be dependent.

    >>> truth = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> compared = paired(truth, [1, 2, 3, 4, 3, 4, 5, 6], [1, 4, 2, 3, 2, 3, 4, 5])
    >>> compared.auc_a, compared.auc_b, round(compared.p, 3)
    (0.875, 0.71875, 0.35)
    """
    aucs, matrix = _areas(truth, cluster, confidence, score_a=score_a, score_b=score_b)
    return _difference(aucs, matrix, np.inf, confidence)


def unpaired(
    truth_a: ArrayLike,
    score_a: ArrayLike,
    truth_b: ArrayLike,
    score_b: ArrayLike,
    *,
    cluster_a: ArrayLike | None = None,
    cluster_b: ArrayLike | None = None,
    confidence: float = 0.95,
) -> AreaDifference:
    """Compare scores of two independent sets of cases by a t distribution with Welch's degrees of freedom.

    Do not use it if cases of the two sets are related (an adversarial image and its source image); use `paired`.
    """
    (auc_a,), a = _areas(truth_a, cluster_a, confidence, score_a=score_a)
    (auc_b,), b = _areas(truth_b, cluster_b, confidence, score_b=score_b)
    sizes = [
        np.size(truth) if cluster is None else np.unique(np.asarray(cluster)).size
        for truth, cluster in ((truth_a, cluster_a), (truth_b, cluster_b))
    ]
    parts = sum(float(matrix[0, 0]) ** 2 / (size - 1) for matrix, size in zip((a, b), sizes, strict=True))
    df = float(a[0, 0] + b[0, 0]) ** 2 / parts if parts > 0 else np.inf
    matrix = np.diag([a[0, 0], b[0, 0]])
    return _difference(np.array([auc_a, auc_b]), matrix, df, confidence)


def _areas(
    truth: ArrayLike, cluster: ArrayLike | None, confidence: float, **scores: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the areas (k,) of k scores of the same cases, and their covariances (k, k)."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}.")
    positive = signal_mask(truth)
    values = np.stack([_column(name, score, positive.size) for name, score in scores.items()])
    for kind, chosen in ((1, positive), (0, ~positive)):
        if chosen.sum() < 2:
            raise ValueError(f"truth has fewer than two cases of {kind}, so the area has no variance.")
    tables = (values[:, ~positive], values[:, positive])
    beaten_by, beats = case_contributions(tables, "auc")
    aucs = beats.mean(axis=1)
    deviations = [beaten_by - aucs[:, None], beats - aucs[:, None]]
    if cluster is None:
        counts = [part.shape[1] for part in deviations]
        return aucs, np.sum([d @ d.T / (n * (n - 1)) for d, n in zip(deviations, counts, strict=True)], axis=0)
    patient = np.asarray(cluster)
    if patient.shape != positive.shape:
        raise ValueError(f"cluster has {patient.size} elements, truth has {positive.size}: give one per case.")
    return aucs, _clustered(deviations, positive, code_labels(patient)[0])


def _clustered(deviations: list[Floats], positive: NDArray[np.bool_], patient: NDArray[np.int64]) -> Floats:
    """Return Obuchowski's covariances: components are summed per patient; patients with both classes link the sums."""
    patients = int(patient.max()) + 1
    if patients < 2:
        raise ValueError("cluster has a single patient, so the area has no variance.")
    sums, numbers, factors = [], [], []
    for part, chosen in zip(deviations, (~positive, positive), strict=True):
        total = np.stack([np.bincount(patient[chosen], weights=row, minlength=patients) for row in part])
        with_cases = np.unique(patient[chosen]).size
        if with_cases < 2:
            raise ValueError("cluster: all cases of one truth belong to a single patient.")
        sums.append(total)
        numbers.append(part.shape[1])
        factors.append(with_cases / (with_cases - 1))
    own = [factor * (s @ s.T) / n**2 for s, n, factor in zip(sums, numbers, factors, strict=True)]
    cross = patients / (patients - 1) * (sums[1] @ sums[0].T) / (numbers[0] * numbers[1])
    matrix: Floats = own[0] + own[1] + cross + cross.T
    return matrix


def _difference(aucs: Floats, matrix: Floats, df: float, confidence: float) -> AreaDifference:
    difference = float(aucs[0] - aucs[1])
    variance = float(matrix[0, 0] + matrix[1, 1] - 2 * matrix[0, 1])
    se = float(np.sqrt(max(variance, 0.0)))
    z: float | None = None
    p = low = high = None
    if variance > ROUNDING * float(matrix[0, 0] + matrix[1, 1]):
        z, upper = difference / se, (1 + confidence) / 2
        half = float(ndtri(upper) if np.isinf(df) else stdtrit(df, upper)) * se
        p = 2 * float(ndtr(-abs(z)) if np.isinf(df) else stdtr(df, -abs(z)))
        low, high = difference - half, difference + half
    elif difference == 0:
        z, p, low, high = 0.0, 1.0, 0.0, 0.0
    return AreaDifference(
        auc_a=float(aucs[0]),
        auc_b=float(aucs[1]),
        difference=difference,
        variance_a=float(matrix[0, 0]),
        variance_b=float(matrix[1, 1]),
        covariance=float(matrix[0, 1]),
        se=se,
        z=z,
        df=float(df),
        p=p,
        low=low,
        high=high,
    )


def _column(name: str, values: ArrayLike, length: int) -> NDArray[Any]:
    column = np.asarray(values, dtype=float)
    if column.shape != (length,):
        raise ValueError(f"{name} has shape {column.shape}, truth has {length} elements: give one score per case.")
    if np.isnan(column).any():
        raise ValueError(f"{name} contains NaN: omit cases without a score.")
    return column
