"""Changes during a session: accuracy over position, logistic trend, Kendall's τ and lag-one autocorrelation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, ndtr, ndtri

from readerstudy.statistics.proportions import Proportion, wilson

Floats = NDArray[np.float64]
Levels = NDArray[np.int8]

BLOCKS = 10
PERMUTATIONS = 4999
_CHUNK = 2_000_000  # permuted readings in memory at a time


@dataclass(frozen=True)
class PositionBlock:
    """Consecutive readings: first and last position, and the share of correct verdicts with Wilson's interval."""

    first: int
    last: int
    accuracy: Proportion


@dataclass(frozen=True)
class PermutationTest:
    """A statistic of the reading order, compared with its distribution under permuted orders.

    `p` is two-sided. `usual_low` and `usual_high` are quantiles of the permutation distribution; `low` and `high` are
    the value minus these quantiles relative to the expected value, which is no confidence interval: the spread of
    permuted orders is that of independent readings, and with few wrong verdicts it is skewed.
    """

    value: float
    p: float
    low: float
    high: float
    usual_low: float
    usual_high: float
    permutations: int


@dataclass(frozen=True)
class LogisticTrend:
    """Log odds ratio of a correct verdict between the middle and the end of the session."""

    slope: float
    se: float
    z: float
    p: float
    low: float
    high: float


def accuracy_over_position(
    correct: ArrayLike, *, blocks: int = BLOCKS, confidence: float = 0.95
) -> tuple[PositionBlock, ...]:
    """Return accuracies of contiguous blocks of one session's readings, (n,) in reading order.

    Blocks are as equal in size as possible and cover all readings. Raises ValueError if `blocks` is below 1.
    """
    credits = _checked(correct)
    if blocks < 1:
        raise ValueError(f"blocks must be 1 or more, not {blocks}.")
    ends = np.linspace(0, credits.size, min(blocks, credits.size) + 1).round().astype(int) if credits.size else [0]
    sums = np.concatenate([[0.0], credits.cumsum()])[ends]
    return tuple(
        PositionBlock(int(a) + 1, int(b), wilson(float(above - below), int(b - a), confidence=confidence))
        for a, b, below, above in zip(ends[:-1], ends[1:], sums[:-1], sums[1:], strict=True)
    )


def kendall(
    correct: ArrayLike, *, rng: np.random.Generator, permutations: int = PERMUTATIONS, confidence: float = 0.95
) -> PermutationTest | None:
    """Return Kendall's τ-b (1945) of correctness and reading position, or None if every reading has the same credit.

    p is (1 + as extreme) / (1 + permutations) (Phipson and Smyth, 2010). The interval is the value minus the quantiles
    of permuted orders.
    """
    credits = _checked(correct)
    levels, codes = np.unique(credits, return_inverse=True)
    if levels.size < 2:
        return None
    counts = np.bincount(codes)
    pairs = credits.size * (credits.size - 1) / 2
    scale = float(np.sqrt(pairs * (pairs - (counts * (counts - 1) / 2).sum())))

    def tau(orders: Levels) -> Floats:
        return _concordance(orders, counts) / scale

    return _permutation_test(codes.astype(np.int8), tau, 0.0, rng, permutations, confidence)


def lag_one(
    correct: ArrayLike, *, rng: np.random.Generator, permutations: int = PERMUTATIONS, confidence: float = 0.95
) -> PermutationTest | None:
    """Return the autocorrelation of consecutive readings, or None if every reading has the same credit.

    If it is above 0, correct and wrong verdicts come in runs, and tests that assume independent readings reject too
    often.
    """
    credits = _checked(correct)
    if credits.size < 3 or credits.min() == credits.max():
        return None
    levels, codes = np.unique(credits, return_inverse=True)
    deviations = levels - credits.mean()
    total = float(((credits - credits.mean()) ** 2).sum())

    def autocorrelation(orders: Levels) -> Floats:
        values = deviations[orders]
        correlations: Floats = (values[:, 1:] * values[:, :-1]).sum(axis=1) / total
        return correlations

    expected = -1 / credits.size  # the mean over all orders
    return _permutation_test(codes.astype(np.int8), autocorrelation, expected, rng, permutations, confidence)


def trend(correct: ArrayLike, position: ArrayLike, *, confidence: float = 0.95) -> LogisticTrend | None:
    """Return the logistic regression of correctness on position, by maximum likelihood (Wald); half credits count half.

    Scale `position` to run from −1 to 1. Returns None if there is no finite estimate: all correct, all wrong, or
    perfectly separated by position.
    """
    y, x = _checked(correct), np.asarray(position, dtype=float)
    if x.shape != y.shape or not np.isfinite(x).all():
        raise ValueError("position must be a finite number for each reading.")
    if y.size < 2 or y.min() == y.max() or x.min() == x.max() or _is_separated(y, x):
        return None
    design = np.stack([np.ones_like(x), x], axis=1)
    beta = np.zeros(2)
    for _ in range(100):
        mean = expit(design @ beta)
        information = design.T @ (design * (mean * (1 - mean))[:, None])
        step = np.linalg.solve(information, design.T @ (y - mean))
        beta = beta + step / max(1.0, float(np.abs(step).max()))  # a long first step can overshoot
        if np.abs(step).max() < 1e-12:
            break
    slope, se = float(beta[1]), float(np.sqrt(np.linalg.inv(information)[1, 1]))
    half = float(ndtri((1 + confidence) / 2)) * se
    return LogisticTrend(slope, se, slope / se, float(2 * ndtr(-abs(slope / se))), slope - half, slope + half)


def _concordance(orders: Levels, counts: NDArray[np.int64]) -> Floats:
    """Return concordant minus discordant pairs of credit and position, (k,), for orders (k, n) of credit codes."""
    difference = np.zeros(len(orders))
    for lower in range(len(counts) - 1):
        seen = (orders == lower).cumsum(axis=1)
        for higher in range(lower + 1, len(counts)):
            after = (seen * (orders == higher)).sum(axis=1)
            difference += 2.0 * after - float(counts[lower]) * float(counts[higher])
    return difference


def _permutation_test(
    codes: Levels,
    statistic: Callable[[Levels], Floats],
    expected: float,
    rng: np.random.Generator,
    permutations: int,
    confidence: float,
) -> PermutationTest:
    if permutations < 99:
        raise ValueError(f"permutations must be 99 or more, not {permutations}.")
    value = float(statistic(codes[None, :])[0])
    size = max(1, _CHUNK // codes.size)
    parts = [min(size, permutations - done) for done in range(0, permutations, size)]
    permuted = np.concatenate([statistic(rng.permuted(np.tile(codes, (part, 1)), axis=1)) for part in parts])
    as_extreme = int((np.abs(permuted - expected) >= abs(value - expected) - 1e-12).sum())
    low, high = np.quantile(permuted, ((1 - confidence) / 2, (1 + confidence) / 2)).tolist()
    p = (1 + as_extreme) / (1 + permutations)
    return PermutationTest(value, p, value - (high - expected), value - (low - expected), low, high, permutations)


def _is_separated(y: Floats, x: Floats) -> bool:
    """Return whether position separates correct from wrong readings, so that the slope is not finite."""
    correct, wrong = x[y > 0], x[y < 1]
    return bool(correct.min() >= wrong.max() or correct.max() <= wrong.min())


def _checked(correct: ArrayLike) -> Floats:
    credits = np.asarray(correct, dtype=float)
    if credits.ndim != 1 or not ((credits >= 0) & (credits <= 1)).all():
        raise ValueError("correct must contain a number between 0 and 1 for each reading.")
    return credits
