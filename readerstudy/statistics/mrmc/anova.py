"""Obuchowski–Rockette analysis of variance with Hillis' degrees of freedom, readers and cases both random.

References: Obuchowski and Rockette (1995), Commun. Stat. Simul. 24:285; Hillis (2007), Stat. Med. 26:596 (the degrees
of freedom); Hillis (2014), Stat. Med. 33:330 (marginal means, nested designs, fixed factors).
"""

from dataclasses import astuple, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtr, stdtrit

from readerstudy.statistics.mrmc.covariance import COVARIANCES, Covariance, covariances
from readerstudy.statistics.mrmc.figures_of_merit import structural_components
from readerstudy.statistics.mrmc.mean_squares import MeanSquares, mean_squares
from readerstudy.statistics.mrmc.readings import (
    AnyFigure,
    CodedReadings,
    Design,
    FigureOfMerit,
    Floats,
    code_readings,
    independent_blocks,
)
from readerstudy.statistics.mrmc.results import (
    ConditionDifference,
    Interval,
    ObuchowskiRockette,
    RandomFactors,
    ReaderDifference,
)

RANDOM = ("both", "readers", "cases")
TINY = 1e-26  # square of a rounding error; figures of merit are of the order of 1
ROUNDING = 1e-12  # relative to the variance; smaller differences of variances are rounding errors
NO_SPREAD = "The figure varies neither over readers nor over cases, so a difference cannot be tested."
NEGATIVE_VARIANCE = "The estimated variance of the difference is negative, so the difference cannot be tested."
ONE_CONDITION = "There is only one condition, so there is no difference to test."


@dataclass(frozen=True)
class _FTest:
    """The omnibus test. `spread` is the denominator of F. Undefined values are None; `undefined` is the reason."""

    spread: float | None
    df2: float | None
    f: float | None
    p: float | None
    undefined: str | None


@dataclass(frozen=True)
class Contrast:
    """A difference with its standard error, interval and two-sided p; None if its variance is 0."""

    estimate: float
    se: float
    low: float | None
    high: float | None
    p: float | None


def obuchowski_rockette(
    score: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    condition: ArrayLike,
    *,
    figure: FigureOfMerit = "auc",
    threshold: float | None = None,
    covariance: Covariance = "delong",
    design: Design = "crossed",
    random: RandomFactors = "both",
    confidence: float = 0.95,
) -> ObuchowskiRockette:
    """Compare conditions over readers. Each array has shape (n,), one element per reading.

    `score` is ordinal or continuous and higher for the signal class (`truth` 1). For every figure except "auc", a
    score of at least `threshold` is a positive call. `random` states to what the result generalises: "both" (readers
    and cases), "readers" (these cases) or "cases" (these readers). Single readings may be missing: incomplete pairs
    do not contribute to the covariance. Each reader needs readings in each condition.

    Raises ValueError if the readings cannot be analysed. If nothing varies, `f` and `p` are None and `undefined`
    gives the reason.
    """
    check_options(covariance, random, confidence)
    readings = code_readings(score, truth, reader, case, condition, figure=figure, threshold=threshold, design=design)
    table, matrix = cell_estimates(readings, covariance)
    return analyse_cells(
        table,
        matrix,
        readings,
        figure=figure,
        design=design,
        covariance=covariance,
        random=random,
        confidence=confidence,
    )


def analyse_cells(
    table: Floats,
    matrix: Floats,
    readings: CodedReadings,
    *,
    figure: AnyFigure,
    design: Design,
    covariance: Covariance,
    random: RandomFactors,
    confidence: float,
) -> ObuchowskiRockette:
    """Return the analysis of estimates (T, R) with their covariances over cases (T, R, T, R), of any figure of merit.

    Raises ValueError for a single reader if readers are random.
    """
    conditions, readers = readings.conditions, readings.readers
    T, R = len(conditions), len(readers)
    if random != "cases" and R < 2:
        raise ValueError("reader: there is only one reader; pass random='cases' for results about that reader.")
    squares = mean_squares(table, matrix)
    test = _f_test(squares, T, R, random)
    means = table.mean(axis=1)
    cells = [(a, b) for a in conditions for b in readers]
    return ObuchowskiRockette(
        figure=figure,
        design=design,
        covariance=covariance,
        random=random,
        conditions=tuple(conditions),
        readers=tuple(readers),
        cases=readings.cases,
        estimates=dict(zip(cells, table.ravel().tolist(), strict=True)),
        means=dict(zip(conditions, means.tolist(), strict=True)),
        intervals={
            label: _interval(table[t : t + 1], matrix[t : t + 1, :, t : t + 1, :], random, confidence)
            for t, label in enumerate(conditions)
        },
        ms_t=squares.ms_t,
        ms_r=squares.ms_r,
        ms_tr=squares.ms_tr,
        var=squares.var,
        cov1=squares.cov1,
        cov2=squares.cov2,
        cov3=squares.cov3,
        var_r=squares.var_r,
        var_tr=squares.var_tr,
        denominator=test.spread,
        constrained=random == "both" and (squares.cov3 or 0.0) - (squares.cov2 or 0.0) > ROUNDING * squares.var,
        f=test.f,
        df1=T - 1,
        df2=test.df2,
        p=test.p,
        differences=_differences(conditions, means, test, R, confidence),
        reader_intervals={
            (conditions[t], readers[r]): _bounded(table[t, r], matrix[t, r, t, r], np.inf, confidence)
            for t in range(T)
            for r in range(R)
        },
        reader_differences=_reader_differences(table, matrix, conditions, readers, confidence),
        undefined=test.undefined,
        matrix=matrix.reshape(T * R, T * R),
    )


def check_options(covariance: str, random: str, confidence: float) -> None:
    """Raise ValueError if an option is none of those that there are."""
    if covariance not in COVARIANCES:
        raise ValueError(f"covariance must be one of {', '.join(COVARIANCES)}, not {covariance!r}.")
    if random not in RANDOM:
        raise ValueError(f"random must be one of {', '.join(RANDOM)}, not {random!r}.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}.")


def cell_estimates(readings: CodedReadings, covariance: Covariance) -> tuple[Floats, Floats]:
    """Return estimates (T, R) of all conditions and readers, and their covariances over cases (T, R, T, R)."""
    shape = T, R = len(readings.conditions), len(readings.readers)
    if missing := np.flatnonzero(np.bincount(readings.cell, minlength=T * R) == 0).tolist():
        raise ValueError(f"reader: no readings of {readings.cell_label(missing[0])}; u_statistic allows this.")
    estimates, matrix = np.zeros(T * R), np.zeros((T * R, T * R))
    for block in independent_blocks(readings):
        components = structural_components(block, readings)
        estimates[block.cells] = components.estimates
        matrix[np.ix_(block.cells, block.cells)] = covariances(block, components, readings, covariance)
    return estimates.reshape(shape), matrix.reshape(shape + shape)


def _f_test(squares: MeanSquares, T: int, R: int, random: RandomFactors) -> _FTest:
    """Return F = MS(T) / denominator with Hillis' (2007) degrees of freedom."""
    if squares.ms_t is None or squares.cov1 is None:
        return _FTest(spread=None, df2=None, f=None, p=None, undefined=ONE_CONDITION)
    smallest = max(ROUNDING * squares.var, TINY)
    excess = (squares.cov2 or 0.0) - (squares.cov3 or 0.0)
    ms_tr = squares.ms_tr or 0.0
    if random == "cases":  # the variance of these readers' own contrast: no model, so no constraint on its sign
        spread, df2 = squares.var - squares.cov1 + (R - 1) * excess, np.inf
    else:
        excess = excess if excess > smallest else 0.0  # the model's constraint Cov2 >= Cov3
        spread = ms_tr + (R * excess if random == "both" else 0.0)
        df2 = spread**2 / (ms_tr**2 / ((T - 1) * (R - 1))) if ms_tr > TINY else np.inf
    if spread <= smallest:
        reason = NEGATIVE_VARIANCE if spread < -smallest else NO_SPREAD
        return _FTest(min(spread, 0.0), df2, f=None, p=None, undefined=reason)
    f = squares.ms_t / spread
    p = chdtrc(T - 1, f * (T - 1)) if np.isinf(df2) else fdtrc(T - 1, df2, f)
    return _FTest(spread, float(df2), f, float(p), undefined=None)


def _interval(table: Floats, matrix: Floats, random: RandomFactors, confidence: float) -> Interval:
    """Return the mean of one condition (1, R) over its readers, from that condition's readings alone (Hillis, 2014)."""
    squares, R = mean_squares(table, matrix), table.shape[1]
    cov2 = max(squares.cov2 or 0.0, 0.0)
    ms_r = squares.ms_r or 0.0
    df = np.inf
    if random == "cases":
        spread = squares.var + (R - 1) * cov2
    else:
        spread = ms_r + (R * cov2 if random == "both" else 0.0)
        df = spread**2 / (ms_r**2 / (R - 1)) if ms_r > TINY else np.inf
    return _bounded(float(table.mean()), spread / R, df, confidence)


def _bounded(estimate: float, variance: float, df: float, confidence: float) -> Interval:
    se = float(np.sqrt(max(variance, 0.0)))
    half = _quantile(confidence, df) * se
    return Interval(float(estimate), se, float(df), max(estimate - half, 0.0), min(estimate + half, 1.0))


def contrast(estimate: float, variance: float, df: float, confidence: float) -> Contrast:
    """Return an estimate with its t interval and two-sided p, which are None if `variance` is 0."""
    se = float(np.sqrt(max(variance, 0.0)))
    if variance <= TINY:
        return Contrast(float(estimate), se, low=None, high=None, p=None)
    half, t = _quantile(confidence, df) * se, abs(estimate) / se
    p = 2 * float(ndtr(-t) if np.isinf(df) else stdtr(df, -t))
    return Contrast(float(estimate), se, float(estimate - half), float(estimate + half), p)


def _quantile(confidence: float, df: float) -> float:
    upper = (1 + confidence) / 2
    return float(ndtri(upper) if np.isinf(df) else stdtrit(df, upper))


def _differences(
    conditions: list[Any], means: Floats, test: _FTest, readers: int, confidence: float
) -> list[ConditionDifference]:
    """Return the difference of each pair of conditions; empty if the test is undefined for want of conditions."""
    if test.spread is None or test.df2 is None:
        return []
    differences = []
    for a, b in combinations(range(len(conditions)), 2):
        found = contrast(means[a] - means[b], 2 * test.spread / readers, test.df2, confidence)
        differences.append(ConditionDifference(conditions[a], conditions[b], *astuple(found)))
    return differences


def _reader_differences(
    table: Floats, matrix: Floats, conditions: list[Any], readers: list[Any], confidence: float
) -> list[ReaderDifference]:
    """Return each reader's own differences; the error is averaged over conditions, as for all readers."""
    differences = []
    for r, reader in enumerate(readers):
        squares = mean_squares(table[:, r : r + 1], matrix[:, r : r + 1, :, r : r + 1])
        variance = 2 * (squares.var - (squares.cov1 or 0.0))
        variance = variance if abs(variance) > ROUNDING * squares.var else 0.0
        for a, b in combinations(range(len(conditions)), 2):
            found = contrast(table[a, r] - table[b, r], variance, np.inf, confidence)
            differences.append(ReaderDifference(reader, conditions[a], conditions[b], *astuple(found)))
    return differences
