"""Does a reader change in the course of a session? Accuracy over position, trend, Kendall's τ, autocorrelation."""

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
_AT_ONCE = 2_000_000  # shuffled readings held in memory at a time


@dataclass(frozen=True)
class Block:
    """A stretch of a session: first and last position, and the share that was right, with Wilson's interval."""

    first: int
    last: int
    accuracy: Proportion


@dataclass(frozen=True)
class Shuffled:
    """A statistic of the order of readings, held against what shuffled orders give.

    p is two-sided; low and high bound the interval around the value, usual_low and usual_high what chance gives.
    """

    value: float
    p: float
    low: float
    high: float
    usual_low: float
    usual_high: float
    permutations: int


@dataclass(frozen=True)
class Trend:
    """Log odds ratio of a correct verdict from the middle of the session to its end."""

    slope: float
    se: float
    z: float
    p: float
    low: float
    high: float


def accuracy_over_position(correct: ArrayLike, *, blocks: int = BLOCKS, confidence: float = 0.95) -> tuple[Block, ...]:
    """The readings of one session, in reading order, in contiguous blocks as equal as can be; none is left out."""
    credits = _checked(correct)
    if blocks < 1:
        raise ValueError(f"blocks must be 1 or more, not {blocks}.")
    ends = np.linspace(0, credits.size, min(blocks, credits.size) + 1).round().astype(int) if credits.size else [0]
    sums = np.concatenate([[0.0], credits.cumsum()])[ends]
    return tuple(
        Block(int(a) + 1, int(b), wilson(float(above - below), int(b - a), confidence=confidence))
        for a, b, below, above in zip(ends[:-1], ends[1:], sums[:-1], sums[1:], strict=True)
    )


def kendall(
    correct: ArrayLike, *, rng: np.random.Generator, permutations: int = PERMUTATIONS, confidence: float = 0.95
) -> Shuffled | None:
    """Kendall's τ-b (1945) of being right with reading position; None where every reading has the same credit.

    p is (1 + as extreme) / (1 + permutations) (Phipson and Smyth, 2010); the interval is the value less the
    quantiles of shuffled orders.
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

    return _held_against_chance(codes.astype(np.int8), tau, 0.0, rng, permutations, confidence)


def lag_one(
    correct: ArrayLike, *, rng: np.random.Generator, permutations: int = PERMUTATIONS, confidence: float = 0.95
) -> Shuffled | None:
    """Autocorrelation of readings that follow one another; None where every reading has the same credit.

    Above 0, right and wrong come in runs, and tests that take readings as independent reject too often.
    """
    credits = _checked(correct)
    if credits.size < 3 or credits.min() == credits.max():
        return None
    levels, codes = np.unique(credits, return_inverse=True)
    deviations = levels - credits.mean()
    total = float(((credits - credits.mean()) ** 2).sum())

    def autocorrelation(orders: Levels) -> Floats:
        around = deviations[orders]
        products: Floats = (around[:, 1:] * around[:, :-1]).sum(axis=1) / total
        return products

    usual = -1 / credits.size  # the mean over all orders
    return _held_against_chance(codes.astype(np.int8), autocorrelation, usual, rng, permutations, confidence)


def trend(correct: ArrayLike, position: ArrayLike, *, confidence: float = 0.95) -> Trend | None:
    """Logistic regression of being right on position, by maximum likelihood (Wald); half credits count half.

    Scale `position` to run from −1 to 1. None where there is no finite estimate: all right, all wrong, or the wrong
    ones all before the right ones.
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
        beta = beta + step / max(1.0, float(np.abs(step).max()))  # a long first step may overshoot
        if np.abs(step).max() < 1e-12:
            break
    slope, se = float(beta[1]), float(np.sqrt(np.linalg.inv(information)[1, 1]))
    half = float(ndtri((1 + confidence) / 2)) * se
    return Trend(slope, se, slope / se, float(2 * ndtr(-abs(slope / se))), slope - half, slope + half)


def _concordance(orders: Levels, counts: NDArray[np.int64]) -> Floats:
    """Pairs of readings of which the later got more credit, less those where it got less; orders (k, n) of codes."""
    found = np.zeros(len(orders))
    for lower in range(len(counts) - 1):
        seen = (orders == lower).cumsum(axis=1)
        for higher in range(lower + 1, len(counts)):
            after = (seen * (orders == higher)).sum(axis=1)
            found += 2.0 * after - float(counts[lower]) * float(counts[higher])
    return found


def _held_against_chance(
    codes: Levels,
    statistic: Callable[[Levels], Floats],
    usual: float,
    rng: np.random.Generator,
    permutations: int,
    confidence: float,
) -> Shuffled:
    if permutations < 99:
        raise ValueError(f"permutations must be 99 or more, not {permutations}.")
    value = float(statistic(codes[None, :])[0])
    size = max(1, _AT_ONCE // codes.size)
    parts = [min(size, permutations - done) for done in range(0, permutations, size)]
    chance = np.concatenate([statistic(rng.permuted(np.tile(codes, (part, 1)), axis=1)) for part in parts])
    as_extreme = int((np.abs(chance - usual) >= abs(value - usual) - 1e-12).sum())
    low, high = np.quantile(chance, ((1 - confidence) / 2, (1 + confidence) / 2)).tolist()
    p = (1 + as_extreme) / (1 + permutations)
    return Shuffled(value, p, value - (high - usual), value - (low - usual), low, high, permutations)


def _is_separated(y: Floats, x: Floats) -> bool:
    """Every right reading lies to one side of every wrong one, so that the slope has no end."""
    right, wrong = x[y > 0], x[y < 1]
    return bool(right.min() >= wrong.max() or right.max() <= wrong.min())


def _checked(correct: ArrayLike) -> Floats:
    credits = np.asarray(correct, dtype=float)
    if credits.ndim != 1 or not ((credits >= 0) & (credits <= 1)).all():
        raise ValueError("correct must hold a number between 0 and 1 for each reading.")
    return credits
