"""Obuchowski–Rockette analysis of variance with Hillis' degrees of freedom: readers and cases both random.

References: Obuchowski and Rockette (1995), Commun. Stat. Simul. 24:285; Hillis (2007), Stat. Med. 26:596 (the degrees
of freedom); Hillis (2014), Stat. Med. 33:330 (marginal means, nested designs, fixed factors).
"""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtr, stdtrit

from readerstudy.statistics.mrmc.covariance import COVARIANCES, Covariance, covariances
from readerstudy.statistics.mrmc.figures_of_merit import components
from readerstudy.statistics.mrmc.mean_squares import Squares, squares_of
from readerstudy.statistics.mrmc.readings import Design, Figure, Floats, Readings, blocks, readings_of
from readerstudy.statistics.mrmc.results import Difference, Interval, ObuchowskiRockette, Random, ReaderDifference

RANDOM = ("both", "readers", "cases")
NOTHING = 1e-26  # squares of rounding errors: the figures are of the order of 1
ROUNDING = 1e-12  # of the variance: differences of variances below that are rounding errors
NO_SPREAD = "Neither readers nor cases make the figure vary, so there is nothing to test a difference against."
NEGATIVE = "The variance of a difference came out negative, so it is not estimable from these readings."
ONE_CONDITION = "There is a single condition, so there is no difference to test."


def obuchowski_rockette(
    score: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    condition: ArrayLike,
    *,
    figure: Figure = "auc",
    threshold: float | None = None,
    covariance: Covariance = "delong",
    design: Design = "crossed",
    random: Random = "both",
    confidence: float = 0.95,
) -> ObuchowskiRockette:
    """Compare conditions over readers, one element of each array per reading.

    `score` is ordinal or continuous, higher for the signal class, which has `truth` 1; for every figure but "auc" a
    score of at least `threshold` is a positive call. `random` says over what the result generalises: readers and
    cases, "readers" only (these cases), or "cases" only (these readers). Readings may be missing case by case (pairs
    that lack a half then add nothing to the covariance), but each reader must have read in each condition. Raises
    ValueError for what cannot be analysed; where there is no variation at all, `f` and `p` are None and `undefined`
    says why.
    """
    _check(covariance, random, confidence)
    readings = readings_of(score, truth, reader, case, condition, figure=figure, threshold=threshold, design=design)
    conditions, readers = readings.conditions, readings.readers
    T, R = len(conditions), len(readers)
    if random != "cases" and R < 2:
        raise ValueError("reader: there is one reader only; pass random='cases' for results about that reader.")
    table, matrix = _cells(readings, covariance)
    squares = squares_of(table, matrix)
    spread, df2, f, p, undefined = _test(squares, T, R, random)
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
        denominator=spread,
        constrained=random == "both" and (squares.cov3 or 0.0) - (squares.cov2 or 0.0) > ROUNDING * squares.var,
        f=f,
        df1=T - 1,
        df2=df2,
        p=p,
        differences=[
            Difference(conditions[a], conditions[b], *_difference(means[a] - means[b], 2 * spread / R, df2, confidence))
            for a, b in combinations(range(T), 2)
            if spread is not None and df2 is not None
        ],
        reader_intervals={
            (conditions[t], readers[r]): _bounded(table[t, r], matrix[t, r, t, r], np.inf, confidence)
            for t in range(T)
            for r in range(R)
        },
        reader_differences=_reader_differences(table, matrix, conditions, readers, confidence),
        undefined=undefined,
        matrix=matrix.reshape(T * R, T * R),
    )


def _check(covariance: str, random: str, confidence: float) -> None:
    if covariance not in COVARIANCES:
        raise ValueError(f"covariance is one of {', '.join(COVARIANCES)}, not {covariance!r}.")
    if random not in RANDOM:
        raise ValueError(f"random is one of {', '.join(RANDOM)}, not {random!r}.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, not at {confidence}.")


def _cells(readings: Readings, covariance: Covariance) -> tuple[Floats, Floats]:
    """Estimates (T, R) of all conditions and readers, and their covariances over cases (T, R, T, R)."""
    shape = T, R = len(readings.conditions), len(readings.readers)
    if missing := np.flatnonzero(np.bincount(readings.cell, minlength=T * R) == 0).tolist():
        raise ValueError(f"reader: no readings of {readings.name_of(missing[0])}; u_statistic allows that.")
    estimates, matrix = np.zeros(T * R), np.zeros((T * R, T * R))
    for block in blocks(readings):
        found = components(block, readings)
        estimates[block.cells] = found.estimates
        matrix[np.ix_(block.cells, block.cells)] = covariances(block, found, readings, covariance)
    return estimates.reshape(shape), matrix.reshape(shape + shape)


def _test(
    squares: Squares, T: int, R: int, random: Random
) -> tuple[float | None, float | None, float | None, float | None, str | None]:
    """What a condition's mean square is compared with, its degrees of freedom, F, p, and why not."""
    if squares.ms_t is None or squares.cov1 is None:
        return None, None, None, None, ONE_CONDITION
    least = max(ROUNDING * squares.var, NOTHING)
    excess = (squares.cov2 or 0.0) - (squares.cov3 or 0.0)
    ms_tr = squares.ms_tr or 0.0
    if random == "cases":  # these readers' own contrast, whatever its sign: nothing is modelled, nothing constrained
        spread, df2 = squares.var - squares.cov1 + (R - 1) * excess, np.inf
    else:
        excess = excess if excess > least else 0.0  # the model's constraint Cov2 >= Cov3
        spread = ms_tr + (R * excess if random == "both" else 0.0)
        df2 = spread**2 / (ms_tr**2 / ((T - 1) * (R - 1))) if ms_tr > NOTHING else np.inf
    if spread <= least:
        return min(spread, 0.0), df2, None, None, NEGATIVE if spread < -least else NO_SPREAD
    f = squares.ms_t / spread
    p = chdtrc(T - 1, f * (T - 1)) if np.isinf(df2) else fdtrc(T - 1, df2, f)
    return spread, float(df2), f, float(p), None


def _interval(table: Floats, matrix: Floats, random: Random, confidence: float) -> Interval:
    """The mean of one condition (1, R) over its readers, from that condition's readings alone (Hillis, 2014)."""
    squares, R = squares_of(table, matrix), table.shape[1]
    cov2 = max(squares.cov2 or 0.0, 0.0)
    ms_r = squares.ms_r or 0.0
    df = np.inf
    if random == "cases":
        spread = squares.var + (R - 1) * cov2
    else:
        spread = ms_r + (R * cov2 if random == "both" else 0.0)
        df = spread**2 / (ms_r**2 / (R - 1)) if ms_r > NOTHING else np.inf
    return _bounded(float(table.mean()), spread / R, df, confidence)


def _bounded(estimate: float, variance: float, df: float, confidence: float) -> Interval:
    se = float(np.sqrt(max(variance, 0.0)))
    half = _quantile(confidence, df) * se
    return Interval(float(estimate), se, float(df), max(estimate - half, 0.0), min(estimate + half, 1.0))


def _difference(
    estimate: float, variance: float, df: float, confidence: float
) -> tuple[float, float, float | None, float | None, float | None]:
    se = float(np.sqrt(max(variance, 0.0)))
    if variance <= NOTHING:
        return float(estimate), se, None, None, None
    half, t = _quantile(confidence, df) * se, abs(estimate) / se
    p = 2 * float(ndtr(-t) if np.isinf(df) else stdtr(df, -t))
    return float(estimate), se, float(estimate - half), float(estimate + half), p


def _quantile(confidence: float, df: float) -> float:
    upper = (1 + confidence) / 2
    return float(ndtri(upper) if np.isinf(df) else stdtrit(df, upper))


def _reader_differences(
    table: Floats, matrix: Floats, conditions: list[Any], readers: list[Any], confidence: float
) -> list[ReaderDifference]:
    """Every reader alone; the error is averaged over the conditions, as over all readers."""
    found = []
    for r, reader in enumerate(readers):
        squares = squares_of(table[:, r : r + 1], matrix[:, r : r + 1, :, r : r + 1])
        variance = 2 * (squares.var - (squares.cov1 or 0.0))
        variance = variance if abs(variance) > ROUNDING * squares.var else 0.0
        for a, b in combinations(range(len(conditions)), 2):
            difference = _difference(table[a, r] - table[b, r], variance, np.inf, confidence)
            found.append(ReaderDifference(reader, conditions[a], conditions[b], *difference))
    return found
