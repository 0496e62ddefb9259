"""U-statistics of MRMC studies (Gallas, 2006): the second opinion, for any design, with missing readings.

The variance of the mean figure over readers and cases is estimated without bias and without a model; the price is
that it can come out negative. Then nothing is tested, and the V-statistic (the MLE of the same variance, biased
upwards) is there beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from readerstudy.statistics.mrmc.moments import Moments, Tables, all_moments
from readerstudy.statistics.mrmc.readings import Design, Figure, Floats, Label, Readings, readings_of, whole

READER, POSITIVE, NEGATIVE = 4, 2, 1  # the factors' bits in the numbers of moments
ONE_SAMPLE_READER, ONE_SAMPLE_CASE = 2, 1
NORMAL_ABOVE = 50.0  # degrees of freedom above which the reference program takes the normal distribution
CHANCE = 0.5
ROUNDING = 1e-12


@dataclass(frozen=True)
class Estimate:
    """A mean figure, or the difference of two, with its variance, tests and intervals.

    A condition's mean is tested against chance (.5), a difference against 0. `p_bdg` and its interval take a t
    distribution with the degrees of freedom `df_bdg` cut to a whole number, and the normal one above 50, as the
    reference program does; `p_t` takes `df_bdg` as it is. All are None where the variance is not estimable, that is
    negative or nothing but rounding.
    """

    estimate: float
    variance: float
    estimable: bool
    df_bdg: float | None
    z: float | None
    p_normal: float | None
    p_bdg: float | None
    p_t: float | None
    normal: tuple[float, float] | None
    bdg: tuple[float, float] | None


@dataclass(frozen=True)
class Comparison:
    """Condition a less condition b, as U-statistic and as V-statistic."""

    a: Any
    b: Any
    u: Estimate
    v: Estimate


@dataclass(frozen=True)
class ReaderEstimate:
    """One reader's figure in one condition, with its unbiased variance over cases."""

    estimate: float
    variance: float


@dataclass(frozen=True)
class UStatistic:
    """Means and variances of the conditions, and of their difference where there are exactly two.

    `difference` is the first (in sorted order) less the second. With three or more conditions look at `comparisons`,
    with one at `conditions`; `difference` and what belongs to it are then None. `estimable` says whether the variance
    of every difference (of the mean, with one condition) is positive, that of each condition being in `conditions`;
    where not, the same as V-statistics is in each comparison's `v` and in `v_conditions`. Means are over readings'
    pairs: where readings are missing, a reader who read more weighs more. `readers` and `reader_difference_variance`
    hold each reader alone, cases random.
    """

    figure: Figure
    means: dict[Label, float]
    variance: dict[Label, float]
    difference: float | None
    difference_variance: float | None
    p_normal: float | None
    df_bdg: float | None
    p_bdg: float | None
    estimable: bool
    conditions: dict[Label, Estimate]
    v_conditions: dict[Label, Estimate]
    comparisons: list[Comparison]
    readers: dict[tuple[Label, Label], ReaderEstimate]
    reader_difference_variance: dict[tuple[Label, Label, Label], float]  # (a, b, reader)
    moments: dict[tuple[Label, Label], Moments]


def u_statistic(
    score: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    condition: ArrayLike,
    *,
    figure: Figure = "auc",
    threshold: float | None = None,
    design: Design = "crossed",
    confidence: float = 0.95,
) -> UStatistic:
    """The mean figure per condition over readers and cases, both random, and differences between conditions.

    Arrays are as in `obuchowski_rockette`. Who read what is taken from the labels: readers and cases may be paired
    or not, and readings may be missing. Where the same case labels stand for different cases in different conditions
    (or with different readers), `design` must say so. Raises ValueError where a condition has fewer than two readers
    or two cases of a kind.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, not at {confidence}.")
    readings = readings_of(score, truth, reader, case, condition, figure=figure, threshold=threshold, design=design)
    labels, names = readings.conditions, readings.readers
    tables = _tables(readings)
    found = all_moments(tables, figure)
    means = [_mean(found[t, t]) for t in range(len(labels))]
    conditions, v_conditions = (
        {
            label: _estimate(
                means[t],
                found[t, t].covariance(unbiased=unbiased),
                _scale(found[t, t]),
                _degrees([found[t, t]], None, found[t, t].covariance(unbiased=unbiased)),
                against=CHANCE,
                confidence=confidence,
            )
            for t, label in enumerate(labels)
        }
        for unbiased in (True, False)
    )
    comparisons = [
        Comparison(
            labels[a],
            labels[b],
            *(
                _compared(means[a] - means[b], found[a, a], found[b, b], found[a, b], unbiased, confidence)
                for unbiased in (True, False)
            ),
        )
        for a, b in combinations(range(len(labels)), 2)
    ]
    only = comparisons[0].u if len(comparisons) == 1 else None
    return UStatistic(
        figure=figure,
        means=dict(zip(labels, means, strict=True)),
        variance={label: estimate.variance for label, estimate in conditions.items()},
        difference=only.estimate if only else None,
        difference_variance=only.variance if only else None,
        p_normal=only.p_normal if only else None,
        df_bdg=only.df_bdg if only else None,
        p_bdg=only.p_bdg if only else None,
        estimable=all(estimate.estimable for estimate in [row.u for row in comparisons] or conditions.values()),
        conditions=conditions,
        v_conditions=v_conditions,
        comparisons=comparisons,
        readers=_of_readers(found, labels, names),
        reader_difference_variance=_differences_of_readers(found, labels, names),
        moments={(labels[a], labels[b]): moments for (a, b), moments in found.items()},
    )


def _tables(readings: Readings) -> list[Tables]:
    """Per condition and class of truth a table (readers, cases) on axes common to all conditions."""
    block, full_tables = whole(readings), []
    for table in block.tables:
        full = np.full((len(readings.conditions) * len(readings.readers), table.shape[1]), np.nan)
        full[block.cells] = table
        full_tables.append(full.reshape(len(readings.conditions), len(readings.readers), -1))
    for t, label in enumerate(readings.conditions):
        read = [~np.isnan(table[t]) for table in full_tables]
        if (np.logical_and.reduce([mask.any(axis=1) for mask in read])).sum() < 2:
            raise ValueError(f"reader: fewer than two readers have what {readings.figure} needs in condition {label}.")
        for truth, mask in enumerate(read):
            if mask.any(axis=0).sum() < 2:
                kind = f" with truth {truth}" if len(read) == 2 else ""
                raise ValueError(f"truth: condition {label} has fewer than two cases{kind}.")
    return [tuple(table[t] for table in full_tables) for t in range(len(readings.conditions))]


def _mean(moments: Moments) -> float:
    """The mean kernel of a condition: the square root of Σ Σ is exact enough, but the sums are at hand."""
    own = moments.values.any_reader[-1]
    return float(np.sqrt(own) / moments.totals[0])


def _compared(difference: float, a: Moments, b: Moments, ab: Moments, unbiased: bool, confidence: float) -> Estimate:
    variance = sum(m.covariance(unbiased=unbiased) for m in (a, b)) - 2 * ab.covariance(unbiased=unbiased)
    return _estimate(
        difference,
        variance,
        _scale(a) + _scale(b),
        _degrees([a, b], ab, variance),
        against=0.0,
        confidence=confidence,
    )


def _scale(moments: Moments) -> float:
    """What a variance of exactly nothing is lost in: the size of the terms that cancel."""
    return float(np.abs(moments.weights * moments.biased).max())


def _degrees(own: Sequence[Moments], cross: Moments | None, variance: float) -> float:
    """Satterthwaite degrees of freedom from mean squares of readers and cases (Obuchowski, Gallas & Hillis, 2012).

    Never fewer than those of the factor with the fewest. A factor that the conditions do not share has no cross term.
    """
    factors = (READER, POSITIVE, NEGATIVE) if own[0].weights.size == 8 else (ONE_SAMPLE_READER, ONE_SAMPLE_CASE)
    total, least = 0.0, np.inf
    for factor in factors:
        df = max(min(np.round(1 / moments.share(factor) - 1) for moments in own), 1.0)
        square = sum(moments.mean_square(factor) for moments in own)
        if cross is not None and cross.share(factor) > ROUNDING:
            square -= 2 * cross.mean_square(factor)
        total += square**2 / df**3
        least = min(least, df)
    return float(max(variance**2 / total, least)) if total > 0 else np.inf


def _estimate(value: float, variance: float, scale: float, df: float, *, against: float, confidence: float) -> Estimate:
    if variance <= ROUNDING * scale:
        return Estimate(value, variance, False, *[None] * 7)
    se = float(np.sqrt(variance))
    z, upper = (value - against) / se, (1 + confidence) / 2
    whole = np.floor(df)
    normal = df > NORMAL_ABOVE
    p_normal, width = 2 * float(ndtr(-abs(z))), float(ndtri(upper)) * se
    p_bdg = p_normal if normal else 2 * float(stdtr(whole, -abs(z)))
    width_bdg = width if normal else float(stdtrit(whole, upper)) * se
    return Estimate(
        estimate=value,
        variance=variance,
        estimable=True,
        df_bdg=df,
        z=z,
        p_normal=p_normal,
        p_bdg=p_bdg,
        p_t=2 * float(stdtr(df, -abs(z))),
        normal=(value - width, value + width),
        bdg=(value - width_bdg, value + width_bdg),
    )


def _of_readers(
    found: dict[tuple[int, int], Moments], labels: list[Any], names: list[Any]
) -> dict[tuple[Label, Label], ReaderEstimate]:
    readers = {}
    for t, label in enumerate(labels):
        moments = found[t, t]
        variances = moments.of_readers()
        with np.errstate(invalid="ignore"):
            values = np.sqrt(moments.values.same_reader[-1] / moments.pairs.same_reader[-1])
        for r in np.flatnonzero(moments.pairs.same_reader[-1] > 0).tolist():
            readers[label, names[r]] = ReaderEstimate(float(values[r]), float(variances[r]))
    return readers


def _differences_of_readers(
    found: dict[tuple[int, int], Moments], labels: list[Any], names: list[Any]
) -> dict[tuple[Label, Label, Label], float]:
    """Unbiased variance over cases of each reader's own difference; without common cases nothing is shared."""
    variances = {}
    for a, b in combinations(range(len(labels)), 2):
        own: Floats = found[a, a].of_readers() + found[b, b].of_readers() - 2 * found[a, b].of_readers()
        for r in np.flatnonzero(~np.isnan(own)).tolist():
            variances[labels[a], labels[b], names[r]] = float(own[r])
    return variances
