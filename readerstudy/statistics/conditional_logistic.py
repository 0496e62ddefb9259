"""Conditional logistic regression: odds of a correct verdict under two conditions, within a reader and an image.

A stratum holds the verdicts of one reader on one image. Its own odds cancel, so neither the skill of the reader nor the
difficulty of the image needs a model (Cox, 1970; Lee, Jang and Lee, 2026, for readers and cases). Only strata with
correct and wrong verdicts carry information. With two conditions these are the discordant pairs of McNemar's test, and
the score test is McNemar's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh
from scipy.special import betaincinv, chdtrc

from readerstudy.statistics.crossed_effects import FixedEffect, Floats, wald_effect
from readerstudy.statistics.exact_tests import mcnemar

NOT_INFORMATIVE = "correct: no stratum has a correct and a wrong verdict, so conditions cannot be compared."
NOT_FINITE = (
    "correct: the effects separate correct from wrong verdicts within the strata, so an odds ratio is not finite."
)
_STEPS = 100
_TOLERANCE = 1e-10
_FLAT = 1e-6  # share of the information at 0 that is left where the likelihood increases forever


@dataclass(frozen=True)
class ChiSquare:
    """A test of all effects together."""

    chi2: float
    df: int
    p: float


@dataclass(frozen=True)
class ConditionalModel:
    """Log odds ratios with Wald's tests, and three tests of all effects; `strata` counts those with information.

    With clusters, standard errors are robust and `df` of each effect is the number of clusters less one. The three
    tests always take strata as independent.
    """

    fixed: tuple[FixedEffect, ...]
    likelihood_ratio: ChiSquare
    score: ChiSquare
    wald: ChiSquare
    log_likelihood: float
    readings: int
    strata: int
    clusters: int | None


@dataclass(frozen=True)
class PairedOdds:
    """The odds ratio of a correct verdict, second to first condition, from images judged under both.

    `odds_ratio` is 0 or infinite if all discordant pairs favour one condition, None without any; then the bounds are 0
    and infinite.
    """

    only_first: int
    only_second: int
    odds_ratio: float | None
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class _Strata:
    """Informative strata of one size: effects (strata, size, p), number of chosen readings (strata,), sums (strata, p).

    Chosen are the correct readings or, where they are fewer, the wrong ones with the signs of the effects turned.
    """

    index: NDArray[np.int64]
    effects: Floats
    chosen: NDArray[np.int64]
    observed: Floats


@dataclass(frozen=True)
class _Moments:
    """Log-likelihood and its derivatives at some coefficients; `scores` has shape (strata, p)."""

    log_likelihood: float
    scores: Floats
    information: Floats

    @property
    def gradient(self) -> Floats:
        total: Floats = self.scores.sum(axis=0)
        return total


def conditional_logistic(
    correct: ArrayLike,
    fixed: Mapping[str, ArrayLike],
    stratum: ArrayLike,
    *,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
) -> ConditionalModel:
    """Return the log odds ratios of effects within strata, by the exact conditional likelihood (Gail et al., 1981).

    Arrays have shape (n,), one element per reading: `correct` is 0 or 1, `stratum` any label, for example of a reader
    and an image. Two-sided p by Wald's z, which takes strata as independent given the effects: they are not if the
    effect differs between readers. `cluster`, for example the reader of each reading, gives robust standard errors
    (Liang and Zeger, 1986; times C / (C − 1) for C clusters, never below the others) and Student's t with C − 1 df.

    Raises ValueError if no stratum has correct and wrong verdicts, if an effect does not vary within such strata or
    repeats others, if there is no finite estimate, or if a stratum belongs to two clusters.

    >>> model = conditional_logistic([1, 0, 0, 1, 1, 0, 0, 1], {"aid": [0, 1] * 4}, [1, 1, 2, 2, 3, 3, 4, 4])
    >>> round(model.fixed[0].estimate, 3), round(model.fixed[0].se, 3), model.strata
    (0.0, 1.0, 4)
    """
    y, effects, codes = _checked(correct, fixed, stratum)
    groups = list(_by_size(y, effects, codes))
    if not groups:
        raise ValueError(NOT_INFORMATIVE)
    null = _moments(groups, np.zeros(effects.shape[1]))
    if np.linalg.matrix_rank(null.information, hermitian=True) < effects.shape[1]:
        raise ValueError(f"fixed: {', '.join(fixed)} do not vary within strata, or one repeats the others.")
    beta, best = _maximise(groups, null)
    covariance: Floats = np.linalg.inv(best.information).astype(float)
    variances, clusters = np.diag(covariance).copy(), None
    if cluster is not None:
        clusters, robust = _robust(best, covariance, _cluster_of_strata(cluster, codes, groups))
        variances = np.maximum(variances, robust)
    df = None if clusters is None else clusters - 1.0
    return ConditionalModel(
        fixed=tuple(
            wald_effect(name, value, se, df=df, confidence=confidence)
            for name, value, se in zip(fixed, beta.tolist(), np.sqrt(variances).tolist(), strict=True)
        ),
        likelihood_ratio=_chi_square(2 * (best.log_likelihood - null.log_likelihood), len(beta)),
        score=_chi_square(float(null.gradient @ np.linalg.solve(null.information, null.gradient)), len(beta)),
        wald=_chi_square(float(beta @ best.information @ beta), len(beta)),
        log_likelihood=best.log_likelihood,
        readings=int(y.size),
        strata=len(best.scores),
        clusters=clusters,
    )


def paired_odds(only_first: int, only_second: int, *, confidence: float = 0.95) -> PairedOdds:
    """Return the conditional odds ratio of one reader with its exact interval and p, from the discordant pairs.

    The ratio is only_second / only_first. Its bounds are those of Clopper and Pearson for the share of pairs that
    favour the second condition, as odds (Breslow and Day, 1980, section 5.2); they hold with any number of pairs. p is
    McNemar's exact one. Raises ValueError unless both are counts.

    >>> odds = paired_odds(4, 26)
    >>> odds.odds_ratio, round(odds.low, 2), round(odds.high, 2), round(odds.p, 5)
    (6.5, 2.26, 25.63, 6e-05)
    """
    p = mcnemar(only_first, only_second).p
    first, second, tail = int(only_first), int(only_second), (1 - confidence) / 2
    low = float(betaincinv(second, first + 1, tail)) if second else 0.0
    high = float(betaincinv(second + 1, first, 1 - tail)) if first else 1.0
    ratio = None if not first + second else second / first if first else float("inf")
    return PairedOdds(first, second, ratio, low / (1 - low), high / (1 - high) if high < 1 else float("inf"), p)


def pooled_odds(only_first: ArrayLike, only_second: ArrayLike, *, confidence: float = 0.95) -> FixedEffect:
    """Return the log odds ratio of all readers from their discordant pairs, (readers,) each, for similar readers.

    The same as `conditional_logistic` of one effect with a stratum for each reader and image and the readers as
    clusters. Raises ValueError unless two readers have discordant pairs and all pairs together favour both conditions.

    >>> effect = pooled_odds([1, 2, 1], [6, 9, 11])
    >>> round(float(np.exp(effect.estimate)), 2), effect.df
    (6.5, 2.0)
    """
    first, second = (np.asarray(each, dtype=float) for each in (only_first, only_second))
    if first.ndim != 1 or first.shape != second.shape or not ((first >= 0) & (second >= 0)).all():
        raise ValueError("only_first and only_second must be counts, one of each per reader.")
    pairs = first + second
    readers, total = int((pairs > 0).sum()), float(pairs.sum())
    if not total:
        raise ValueError(NOT_INFORMATIVE)
    if readers < 2:
        raise ValueError("only_first: with one reader who changed verdicts, nothing can be said about similar readers.")
    share = float(second.sum()) / total
    if share in (0.0, 1.0):
        raise ValueError(NOT_FINITE)
    information = total * share * (1 - share)
    scores = second - pairs * share
    robust = readers / (readers - 1) * float(scores @ scores) / information**2
    se = sqrt(max(1 / information, robust))
    return wald_effect("second", log(share / (1 - share)), se, df=readers - 1.0, confidence=confidence)


def _checked(
    correct: ArrayLike, fixed: Mapping[str, ArrayLike], stratum: ArrayLike
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    y, labels = np.asarray(correct, dtype=float), np.asarray(stratum)
    if y.ndim != 1 or y.shape != labels.shape or not np.isin(y, (0, 1)).all():
        raise ValueError("correct must be 0 or 1 for each reading, and stratum must label each reading.")
    if not fixed:
        raise ValueError("fixed must name at least one effect.")
    columns = []
    for name, values in fixed.items():
        column = np.asarray(values, dtype=float)
        if column.shape != y.shape or not np.isfinite(column).all():
            raise ValueError(f"{name} must contain a finite number for each reading.")
        columns.append(column)
    return y, np.stack(columns, axis=1), np.unique(labels, return_inverse=True)[1]


def _by_size(y: Floats, effects: Floats, codes: NDArray[np.int64]) -> Iterator[_Strata]:
    """Yield the informative strata, those of one size together."""
    sizes, sums = np.bincount(codes), np.bincount(codes, y)
    informative = (sums > 0) & (sums < sizes)
    order = np.argsort(codes, kind="stable")
    starts = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[informative]).tolist():
        index = np.flatnonzero(informative & (sizes == size))
        rows = order[starts[index][:, None] + np.arange(size)]
        turned = sums[index] > size / 2
        sign = np.where(turned, -1.0, 1.0)
        own = effects[rows] * sign[:, None, None]
        is_chosen = np.where(turned[:, None], 1 - y[rows], y[rows])
        chosen = is_chosen.sum(axis=1).astype(np.int64)
        yield _Strata(index, own, chosen, (own * is_chosen[:, :, None]).sum(axis=1))


def _moments(groups: list[_Strata], beta: Floats) -> _Moments:
    """Return the log-likelihood and its derivatives. Scores are in the order of the groups."""
    parts = [_moments_of_size(strata, beta) for strata in groups]
    return _Moments(
        sum(part.log_likelihood for part in parts),
        np.concatenate([part.scores for part in parts]),
        np.sum([part.information for part in parts], axis=0),
    )


def _moments_of_size(strata: _Strata, beta: Floats) -> _Moments:
    """Sum over all ways to choose as many readings, with first and second derivatives, by recursion over readings."""
    number, size, p = strata.effects.shape
    linear = strata.effects @ beta
    linear -= linear.max(axis=1, keepdims=True)  # the same factor above and below the fraction
    most = int(strata.chosen.max())
    ways, first = np.zeros((number, most + 1)), np.zeros((number, most + 1, p))
    second = np.zeros((number, most + 1, p, p))
    ways[:, 0] = 1.0
    for reading in range(size):
        x, weight = strata.effects[:, reading], np.exp(linear[:, reading])
        for count in range(min(reading + 1, most), 0, -1):
            fewer, slope = ways[:, count - 1], first[:, count - 1]
            crossed = slope[:, :, None] * x[:, None, :]
            squared = fewer[:, None, None] * x[:, :, None] * x[:, None, :]
            added = second[:, count - 1] + crossed + crossed.transpose(0, 2, 1) + squared
            second[:, count] += weight[:, None, None] * added
            first[:, count] += weight[:, None] * (slope + fewer[:, None] * x)
            ways[:, count] += weight * fewer
    row = np.arange(number)
    total = ways[row, strata.chosen]
    mean = first[row, strata.chosen] / total[:, None]
    spread = second[row, strata.chosen] / total[:, None, None] - mean[:, :, None] * mean[:, None, :]
    chosen_linear = strata.observed @ beta - strata.chosen * (strata.effects @ beta).max(axis=1)
    return _Moments(float((chosen_linear - np.log(total)).sum()), strata.observed - mean, spread.sum(axis=0))


def _maximise(groups: list[_Strata], null: _Moments) -> tuple[Floats, _Moments]:
    """Return the coefficients of the greatest likelihood, by Newton's method. Raises ValueError if it has none."""
    beta, current = np.zeros(len(null.information)), null
    for _ in range(_STEPS):
        if eigh(current.information, null.information, eigvals_only=True)[0] < _FLAT:
            break
        step = np.linalg.solve(current.information, current.gradient)
        following = _moments(groups, beta + step)
        while following.log_likelihood < current.log_likelihood - _TOLERANCE and np.abs(step).max() > _TOLERANCE:
            step = step / 2
            following = _moments(groups, beta + step)
        beta, current = beta + step, following
        if np.abs(step).max() < _TOLERANCE:
            return beta, current
    raise ValueError(NOT_FINITE)


def _cluster_of_strata(cluster: ArrayLike, codes: NDArray[np.int64], groups: list[_Strata]) -> NDArray[np.int64]:
    """Return the cluster of each informative stratum, in the order of the groups."""
    labels = np.asarray(cluster)
    if labels.shape != codes.shape:
        raise ValueError("cluster must label each reading.")
    own = np.unique(labels, return_inverse=True)[1]
    of_stratum = np.empty(codes.max() + 1, dtype=np.int64)
    of_stratum[codes] = own
    if (of_stratum[codes] != own).any():
        raise ValueError("cluster: a stratum belongs to two clusters.")
    informative: NDArray[np.int64] = of_stratum[np.concatenate([strata.index for strata in groups])]
    return informative


def _robust(best: _Moments, covariance: Floats, cluster: NDArray[np.int64]) -> tuple[int, Floats]:
    """Return the number of clusters with information and the robust variances of the coefficients."""
    code = np.unique(cluster, return_inverse=True)[1]
    clusters = int(code.max()) + 1
    if clusters < 2:
        raise ValueError("cluster must contain two clusters with correct and wrong verdicts in a stratum.")
    sums = np.stack([np.bincount(code, column, clusters) for column in best.scores.T], axis=1)
    middle = clusters / (clusters - 1) * sums.T @ sums
    return clusters, np.diag(covariance @ middle @ covariance)


def _chi_square(chi2: float, df: int) -> ChiSquare:
    return ChiSquare(chi2, df, float(chdtrc(df, max(chi2, 0.0))))
