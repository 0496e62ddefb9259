"""Limits of agreement of two measurements of the same things (Bland and Altman, 1986)."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit
from scipy.stats import nct


@dataclass(frozen=True)
class Limit:
    """An estimate with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Mean difference (second − first), SD of the differences, and the limits that hold 95 % of differences."""

    pairs: int
    bias: Limit
    sd: float
    lower: Limit
    upper: Limit


def limits_of_agreement(
    first: ArrayLike, second: ArrayLike, *, coverage: float = 0.95, confidence: float = 0.95
) -> LimitsOfAgreement:
    """Return bias and limits of agreement of pairs, (n,) each, with exact intervals (Carkeet, 2015).

    The limits are bias ± z · SD; `coverage` of the differences of similar pairs lie between them if differences are
    normal and do not depend on the size. Their intervals come from the non-central t distribution and are exact then;
    Bland and Altman's own (1986) are symmetric and too narrow for few pairs. Pairs must be independent. Raises
    ValueError for fewer than three pairs, or if all differences are equal.

    >>> limits = limits_of_agreement([10.0, 12.0, 9.0, 11.0], [11.0, 12.5, 9.0, 12.5])
    >>> round(limits.bias.value, 2), round(limits.lower.value, 2), round(limits.upper.value, 2)
    (0.75, -0.52, 2.02)
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.ndim != 1 or a.shape != b.shape or not (np.isfinite(a) & np.isfinite(b)).all():
        raise ValueError("first and second must be one-dimensional arrays of finite numbers of the same length.")
    if not (0 < coverage < 1 and 0 < confidence < 1):
        raise ValueError("coverage and confidence must be between 0 and 1.")
    differences = b - a
    pairs = int(differences.size)
    if pairs < 3:
        raise ValueError(f"Limits of agreement need at least three pairs, not {pairs}.")
    mean, sd = float(differences.mean()), float(differences.std(ddof=1))
    if sd <= 1e-12 * float(np.abs(differences).max(initial=0.0)):
        raise ValueError("All differences are equal, so the limits have no spread.")
    tail, z = (1 - confidence) / 2, float(ndtri((1 + coverage) / 2))
    half = float(stdtrit(pairs - 1, 1 - tail)) * sd / sqrt(pairs)
    inner, outer = (float(nct.ppf(share, pairs - 1, z * sqrt(pairs))) * sd / sqrt(pairs) for share in (tail, 1 - tail))
    return LimitsOfAgreement(
        pairs=pairs,
        bias=Limit(mean, mean - half, mean + half),
        sd=sd,
        lower=Limit(mean - z * sd, mean - outer, mean - inner),
        upper=Limit(mean + z * sd, mean + inner, mean + outer),
    )
