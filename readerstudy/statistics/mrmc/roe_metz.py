"""Simulated studies with a known truth (Roe & Metz, 1997; Gallas & Hillis, 2014, J. Med. Imaging 1:031006).

A score is a class mean plus normal effects of reader, case, and reader by case; each effect has one part shared by all
conditions and one part per condition. Means and variances of AUCs then follow from bivariate normal probabilities, so
an estimator can be compared with the truth instead of with another estimator.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, owens_t

from readerstudy.statistics.mrmc.moments import weights_when_crossed
from readerstudy.statistics.mrmc.readings import Floats, Integers


@dataclass(frozen=True)
class Effects:
    """Variances of readers, cases, and readers by cases (including the residual), for one class of truth."""

    reader: float
    case: float
    reader_case: float


@dataclass(frozen=True)
class RoeMetz:
    """Two conditions, fully crossed. `separation` is the mean of positives minus that of negatives, per condition.

    `shared` effects are equal in both conditions, `own` effects are drawn for each condition. Both are pairs:
    negatives, positives.
    """

    separation: tuple[float, float]
    shared: tuple[Effects, Effects]
    own: tuple[Effects, Effects]


@dataclass(frozen=True)
class ExactTruth:
    """Expected AUCs, and the true variances of their means over readers and of the difference of these means."""

    auc: tuple[float, float]
    variance: tuple[float, float]
    difference_variance: float
    moments: tuple[Floats, Floats, Floats]  # (8,) of the first, of the second, of both


@dataclass(frozen=True)
class Simulated:
    """One study in long form, (n,) each, as the analyses take it."""

    score: Floats
    truth: Integers
    reader: Integers
    case: Integers
    condition: Integers


def exact_truth(model: RoeMetz, *, readers: int, negatives: int, positives: int) -> ExactTruth:
    """Return the true moments and variances for a crossed study of the given size."""
    total = sum(sum(vars(effects).values()) for effects in (*model.shared, *model.own))
    heights = [mu / np.sqrt(total) for mu in model.separation]
    moments = tuple(
        _moments(model, heights[a], heights[b], same=a == b, total=total) for a, b in ((0, 0), (1, 1), (0, 1))
    )
    weights = weights_when_crossed(readers, negatives, positives)
    first, second, both = (float(weights @ m) for m in moments)
    return ExactTruth(
        (float(ndtr(heights[0])), float(ndtr(heights[1]))),
        (first, second),
        first + second - 2 * both,
        (moments[0], moments[1], moments[2]),
    )


def simulate(model: RoeMetz, *, readers: int, negatives: int, positives: int, rng: np.random.Generator) -> Simulated:
    """Simulate one study in which every reader reads every case in both conditions."""
    truth = np.repeat([0, 1], [negatives, positives])
    score = np.zeros((2, readers, truth.size))
    for kind in (0, 1):
        cases = np.flatnonzero(truth == kind)
        for effects, copies in ((model.shared[kind], 1), (model.own[kind], 2)):
            shape = (copies, readers, cases.size)
            effect = rng.normal(0, np.sqrt(effects.reader), (copies, readers, 1))
            effect = effect + rng.normal(0, np.sqrt(effects.case), (copies, 1, cases.size))
            score[:, :, cases] += effect + rng.normal(0, np.sqrt(effects.reader_case), shape)
    score += np.asarray(model.separation)[:, None, None] * truth
    condition, reader, case = (axis.ravel() for axis in np.indices(score.shape))
    return Simulated(score.ravel(), truth[case], reader, case, condition)


def _moments(model: RoeMetz, first: float, second: float, *, same: bool, total: float) -> Floats:
    """Return P(both kernels succeed) for the eight kinds of pairs, (8,), by what they share."""
    effects = [model.shared, model.own] if same else [model.shared]
    probabilities = []
    for kind in range(8):
        reader = not kind & 4
        common = sum(
            reader * e.reader + (not kind & bit) * (e.case + reader * e.reader_case)
            for pair in effects
            for e, bit in zip(pair, (1, 2), strict=True)
        )
        probabilities.append(_both_below(first, second, common / total))
    return np.array(probabilities)


def _both_below(h: float, k: float, correlation: float) -> float:
    """Return P(X < h, Y < k) of two standard normals by Owen's T (Owen, 1956). h and k must not be 0."""
    if correlation >= 1 - 1e-12:
        return float(ndtr(min(h, k)))
    root = np.sqrt(1 - correlation**2)
    correction = 0.0 if h * k > 0 else 0.5
    tail = owens_t(h, (k / h - correlation) / root) + owens_t(k, (h / k - correlation) / root)
    return float((ndtr(h) + ndtr(k)) / 2 - tail - correction)
