"""Simulated studies with a known truth (Roe & Metz, 1997; Gallas & Hillis, 2014, J. Med. Imaging 1:031006).

A score is a class mean plus normal effects of reader, case, and reader by case, each once for all conditions and
once more per condition. Everything about mean AUCs then follows from bivariate normal probabilities, so that an
estimator can be held against the truth instead of against another estimator.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, owens_t

from readerstudy.statistics.mrmc.moments import weights_when_crossed
from readerstudy.statistics.mrmc.readings import Floats, Integers


@dataclass(frozen=True)
class Effects:
    """Variances of readers, of cases, and of readers by cases (with what is left), for one class of truth."""

    reader: float
    case: float
    reader_case: float


@dataclass(frozen=True)
class RoeMetz:
    """Two conditions, fully crossed. `separation` is the mean of positives less that of negatives, per condition.

    `shared` effects are the same in both conditions, `own` are drawn anew in each; each a pair, of the negatives and
    of the positives.
    """

    separation: tuple[float, float]
    shared: tuple[Effects, Effects]
    own: tuple[Effects, Effects]


@dataclass(frozen=True)
class ExactTruth:
    """Expected AUCs, and true variances of their means over readers and of the difference of these means."""

    auc: tuple[float, float]
    variance: tuple[float, float]
    difference_variance: float
    moments: tuple[Floats, Floats, Floats]  # (8,) of the first, of the second, of both


@dataclass(frozen=True)
class Simulated:
    """One study in long form, as the analyses take it."""

    score: Floats
    truth: Integers
    reader: Integers
    case: Integers
    condition: Integers


def exact_truth(model: RoeMetz, *, readers: int, negatives: int, positives: int) -> ExactTruth:
    """The true moments and variances for a crossed study of that size."""
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
    """Draw one study: every reader reads every case in both conditions."""
    truth = np.repeat([0, 1], [negatives, positives])
    score = np.zeros((2, readers, truth.size))
    for kind in (0, 1):
        cases = np.flatnonzero(truth == kind)
        for effects, copies in ((model.shared[kind], 1), (model.own[kind], 2)):
            shape = (copies, readers, cases.size)
            drawn = rng.normal(0, np.sqrt(effects.reader), (copies, readers, 1))
            drawn = drawn + rng.normal(0, np.sqrt(effects.case), (copies, 1, cases.size))
            score[:, :, cases] += drawn + rng.normal(0, np.sqrt(effects.reader_case), shape)
    score += np.asarray(model.separation)[:, None, None] * truth
    condition, reader, case = (axis.ravel() for axis in np.indices(score.shape))
    return Simulated(score.ravel(), truth[case], reader, case, condition)


def _moments(model: RoeMetz, first: float, second: float, *, same: bool, total: float) -> Floats:
    """P(both kernels succeed) for the eight kinds of pairs, by what they share."""
    effects = [model.shared, model.own] if same else [model.shared]
    found = []
    for kind in range(8):
        reader = not kind & 4
        common = sum(
            reader * e.reader + (not kind & bit) * (e.case + reader * e.reader_case)
            for pair in effects
            for e, bit in zip(pair, (1, 2), strict=True)
        )
        found.append(_both_below(first, second, common / total))
    return np.array(found)


def _both_below(h: float, k: float, correlation: float) -> float:
    """P(X < h, Y < k) of two standard normals, by Owen's T (Owen, 1956); h and k must not be 0."""
    if correlation >= 1 - 1e-12:
        return float(ndtr(min(h, k)))
    root = np.sqrt(1 - correlation**2)
    correction = 0.0 if h * k > 0 else 0.5
    tail = owens_t(h, (k / h - correlation) / root) + owens_t(k, (h / k - correlation) / root)
    return float((ndtr(h) + ndtr(k)) / 2 - tail - correction)
