"""U-statistics of MRMC studies (Gallas, 2006): a check of the primary analysis for any design, with missing readings.

The variance of the mean figure over readers and cases is estimated without bias and without a model, so the estimate
can be negative. In that case nothing is tested; the V-statistic (the MLE of the same variance, biased upwards) is
reported as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from readerstudy.statistics.mrmc.moments import Moments, Tables, all_moments
from readerstudy.statistics.mrmc.readings import (
    CodedReadings,
    Design,
    FigureOfMerit,
    Floats,
    Label,
    code_readings,
    single_block,
)

READER, POSITIVE, NEGATIVE = 4, 2, 1  # bits of the factors in the indices of moments
ONE_SAMPLE_READER, ONE_SAMPLE_CASE = 2, 1
NORMAL_ABOVE = 50.0  # degrees of freedom above which the reference program uses the normal distribution
CHANCE = 0.5
ROUNDING = 1e-12


@dataclass(frozen=True)
class UEstimate:
    """A mean figure, or a difference of two, with variance, tests and intervals.

    A condition's mean is tested against chance (.5), a difference against 0. `p_bdg` and its interval use a t
    distribution with `df_bdg` truncated to an integer, or the normal distribution above 50 degrees of freedom, as the
    reference program does; `p_t` uses `df_bdg` as it is. Tests and intervals are None if the variance is not
    estimable, that is, negative or only rounding error.
    """

    estimate: float
    variance: float
    estimable: bool
    df_bdg: float | None = None
    z: float | None = None
    p_normal: float | None = None
    p_bdg: float | None = None
    p_t: float | None = None
    normal: tuple[float, float] | None = None
    bdg: tuple[float, float] | None = None


@dataclass(frozen=True)
class ConditionComparison:
    """Condition a minus condition b, as U-statistic and as V-statistic."""

    a: Any
    b: Any
    u: UEstimate
    v: UEstimate


@dataclass(frozen=True)
class ReaderEstimate:
    """One reader's figure in one condition, with its unbiased variance over cases."""

    estimate: float
    variance: float


@dataclass(frozen=True)
class UStatistic:
    """Means and variances of the conditions, and of their difference if there are exactly two.

    `difference` is the first condition (in sorted order) minus the second. For three or more conditions see
    `comparisons`, for one condition see `conditions`; `difference` and its test are then None. `estimable` states
    whether the variance of every difference (of the mean, for one condition) is positive; the V-statistics are in `v`
    of each comparison and in `v_conditions`. Means are taken over pairs of readings, so with missing readings a reader
    with more readings has more weight. `readers` and `reader_difference_variance` describe each reader alone, cases
    random.
    """

    figure: FigureOfMerit
    means: dict[Label, float]
    variance: dict[Label, float]
    difference: float | None
    difference_variance: float | None
    p_normal: float | None
    df_bdg: float | None
    p_bdg: float | None
    estimable: bool
    conditions: dict[Label, UEstimate]
    v_conditions: dict[Label, UEstimate]
    comparisons: list[ConditionComparison]
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
    figure: FigureOfMerit = "auc",
    threshold: float | None = None,
    design: Design = "crossed",
    confidence: float = 0.95,
) -> UStatistic:
    """Return the mean figure per condition over random readers and cases, and differences between conditions.

    Arrays (n,) are as in `obuchowski_rockette`. The labels determine who read what: readers and cases may be paired or
    unpaired, and readings may be missing. `design` must be set if equal case labels in different conditions (or with
    different readers) name different cases. Raises ValueError if a condition has fewer than two readers or two cases
    of a class.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}.")
    readings = code_readings(score, truth, reader, case, condition, figure=figure, threshold=threshold, design=design)
    labels, names = readings.conditions, readings.readers
    tables = _tables(readings)
    moments = all_moments(tables, figure)
    means = [_mean(moments[t, t]) for t in range(len(labels))]
    conditions, v_conditions = (
        {
            label: _condition_estimate(means[t], moments[t, t], unbiased=unbiased, confidence=confidence)
            for t, label in enumerate(labels)
        }
        for unbiased in (True, False)
    )
    comparisons = [
        ConditionComparison(
            labels[a],
            labels[b],
            *(
                _difference_estimate(
                    means[a] - means[b], moments[a, a], moments[b, b], moments[a, b], unbiased, confidence
                )
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
        readers=_reader_estimates(moments, labels, names),
        reader_difference_variance=_reader_difference_variances(moments, labels, names),
        moments={(labels[a], labels[b]): moments[a, b] for a, b in moments},
    )


def _tables(readings: CodedReadings) -> list[Tables]:
    """Return per condition and class of truth a table (readers, cases), with the same axes for all conditions."""
    block, full_tables = single_block(readings), []
    for table in block.tables:
        full = np.full((len(readings.conditions) * len(readings.readers), table.shape[1]), np.nan)
        full[block.cells] = table
        full_tables.append(full.reshape(len(readings.conditions), len(readings.readers), -1))
    for t, label in enumerate(readings.conditions):
        read = [~np.isnan(table[t]) for table in full_tables]
        if (np.logical_and.reduce([mask.any(axis=1) for mask in read])).sum() < 2:
            raise ValueError(
                f"reader: {readings.figure} needs two readers with sufficient readings in condition {label}."
            )
        for truth, mask in enumerate(read):
            if mask.any(axis=0).sum() < 2:
                kind = f" with truth {truth}" if len(read) == 2 else ""
                raise ValueError(f"truth: condition {label} has fewer than two cases{kind}.")
    return [tuple(table[t] for table in full_tables) for t in range(len(readings.conditions))]


def _mean(moments: Moments) -> float:
    """Return the mean kernel of a condition, from the sum over all pairs, which is its square."""
    return float(np.sqrt(moments.values.any_reader[-1]) / moments.totals[0])


def _condition_estimate(mean: float, moments: Moments, *, unbiased: bool, confidence: float) -> UEstimate:
    variance = moments.covariance(unbiased=unbiased)
    df = _satterthwaite_df([moments], None, variance)
    return _estimate(mean, variance, _scale(moments), df, against=CHANCE, confidence=confidence)


def _difference_estimate(
    difference: float, a: Moments, b: Moments, ab: Moments, unbiased: bool, confidence: float
) -> UEstimate:
    variance = sum(m.covariance(unbiased=unbiased) for m in (a, b)) - 2 * ab.covariance(unbiased=unbiased)
    return _estimate(
        difference,
        variance,
        _scale(a) + _scale(b),
        _satterthwaite_df([a, b], ab, variance),
        against=0.0,
        confidence=confidence,
    )


def _scale(moments: Moments) -> float:
    """Return the size of the terms that cancel in the variance; rounding errors are relative to it."""
    return float(np.abs(moments.weights * moments.biased).max())


def _satterthwaite_df(own: Sequence[Moments], cross: Moments | None, variance: float) -> float:
    """Return Satterthwaite degrees of freedom from mean squares of readers and cases (Obuchowski et al., 2012).

    The minimum is that of the factor with the fewest levels. A factor that the conditions do not share has no cross
    term.
    """
    factors = (READER, POSITIVE, NEGATIVE) if own[0].weights.size == 8 else (ONE_SAMPLE_READER, ONE_SAMPLE_CASE)
    total, smallest = 0.0, np.inf
    for factor in factors:
        df = max(min(np.round(1 / moments.shared_weight(factor) - 1) for moments in own), 1.0)
        square = sum(moments.mean_square(factor) for moments in own)
        if cross is not None and cross.shared_weight(factor) > ROUNDING:
            square -= 2 * cross.mean_square(factor)
        total += square**2 / df**3
        smallest = min(smallest, df)
    return float(max(variance**2 / total, smallest)) if total > 0 else np.inf


def _estimate(
    value: float, variance: float, scale: float, df: float, *, against: float, confidence: float
) -> UEstimate:
    if variance <= ROUNDING * scale:
        return UEstimate(value, variance, estimable=False)
    se = float(np.sqrt(variance))
    z, upper = (value - against) / se, (1 + confidence) / 2
    whole_df = np.floor(df)
    normal = df > NORMAL_ABOVE
    p_normal, width = 2 * float(ndtr(-abs(z))), float(ndtri(upper)) * se
    p_bdg = p_normal if normal else 2 * float(stdtr(whole_df, -abs(z)))
    width_bdg = width if normal else float(stdtrit(whole_df, upper)) * se
    return UEstimate(
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


def _reader_estimates(
    moments: dict[tuple[int, int], Moments], labels: list[Any], names: list[Any]
) -> dict[tuple[Label, Label], ReaderEstimate]:
    readers = {}
    for t, label in enumerate(labels):
        condition = moments[t, t]
        variances = condition.reader_covariances()
        with np.errstate(invalid="ignore"):
            values = np.sqrt(condition.values.same_reader[-1] / condition.pairs.same_reader[-1])
        for r in np.flatnonzero(condition.pairs.same_reader[-1] > 0).tolist():
            readers[label, names[r]] = ReaderEstimate(float(values[r]), float(variances[r]))
    return readers


def _reader_difference_variances(
    moments: dict[tuple[int, int], Moments], labels: list[Any], names: list[Any]
) -> dict[tuple[Label, Label, Label], float]:
    """Return the unbiased variance over cases of each reader's difference, by (a, b, reader)."""
    variances = {}
    for a, b in combinations(range(len(labels)), 2):
        of_a, of_b, of_both = (moments[pair].reader_covariances() for pair in ((a, a), (b, b), (a, b)))
        variance: Floats = of_a + of_b - 2 * of_both
        for r in np.flatnonzero(~np.isnan(variance)).tolist():
            variances[labels[a], labels[b], names[r]] = float(variance[r])
    return variances
