"""One algorithm against the readers on the same cases: single-treatment Obuchowski–Rockette analysis.

The figure of each reader minus that of the algorithm is analysed as the figure of a reader in one treatment. Its
covariances over cases contain those of the algorithm, which read the same cases. References: Hillis, Obuchowski and
Berbaum (2011), Acad. Radiol. 18:129; Hillis (2014), Stat. Med. 33:330; Chakraborty (2017), Observer Performance Methods
for Diagnostic Imaging, chapter 22 (standalone computer-aided detection).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from readerstudy.statistics.mrmc.anova import NO_SPREAD, ROUNDING, TINY, cell_estimates, check_options, contrast
from readerstudy.statistics.mrmc.covariance import Covariance
from readerstudy.statistics.mrmc.mean_squares import mean_squares
from readerstudy.statistics.mrmc.readings import FigureOfMerit, Floats, Label, code_readings
from readerstudy.statistics.mrmc.results import RandomFactors


class AgainstReader(NamedTuple):
    """The algorithm minus one reader, cases random, with interval and two-sided p; None if nothing varies."""

    reader: Any
    estimate: float
    se: float
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True)
class Standalone:
    """An algorithm and readers on the same cases.

    `difference` is the algorithm minus the mean of the readers; its test and interval use a t distribution with `df`
    (infinite with fixed readers). They are None if nothing varies, and `undefined` gives the reason. `ms_r` and `cov2`
    are those of the readers' differences from the algorithm, None with fewer than two readers.
    """

    figure: FigureOfMerit
    random: RandomFactors
    cases: int
    algorithm: float
    readers: dict[Label, float]
    mean: float
    difference: float
    se: float
    df: float
    low: float | None
    high: float | None
    p: float | None
    ms_r: float | None
    cov2: float | None
    each: tuple[AgainstReader, ...]
    undefined: str | None


def algorithm_against_readers(
    score: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    *,
    algorithm: Label,
    figure: FigureOfMerit = "auc",
    threshold: float | None = None,
    covariance: Covariance = "delong",
    random: RandomFactors = "both",
    confidence: float = 0.95,
) -> Standalone:
    """Compare an algorithm with the mean of readers. Each array has shape (n,), one element per reading.

    `algorithm` is the label in `reader` of the algorithm's own readings; scores need only be comparable within one
    label for the AUC, and share `threshold` for the other figures. `random` states to what the result generalises:
    "both" (similar readers and cases), "readers" (these cases) or "cases" (these readers). The algorithm is fixed.

    Raises ValueError if the readings cannot be analysed, or if `algorithm` has none or is alone.
    """
    check_options(covariance, random, confidence)
    conditions = np.zeros(np.shape(np.asarray(score))[:1], dtype=int)
    readings = code_readings(
        score, truth, reader, case, conditions, figure=figure, threshold=threshold, design="crossed"
    )
    if algorithm not in readings.readers:
        raise ValueError(f"algorithm: there are no readings of {algorithm!r} in reader.")
    own = readings.readers.index(algorithm)
    others = [index for index in range(len(readings.readers)) if index != own]
    if len(others) < (1 if random == "cases" else 2):
        raise ValueError("reader: one reader is not enough; pass random='cases' for results about that reader.")
    table, matrix = cell_estimates(readings, covariance)
    figures, covariances = table[0], matrix[0, :, 0, :]
    # Rows: the algorithm minus each reader.
    weights: Floats = -np.eye(len(figures))[others]
    weights[:, own] += 1.0
    differences = weights @ figures
    between: Floats = weights @ covariances @ weights.T
    variance, df, ms_r, cov2 = _variance(differences, between, random)
    # Terms that cancel leave rounding errors of their own size.
    scale = float(np.abs(covariances).max())
    variance = variance if variance > ROUNDING * scale else 0.0
    overall = contrast(float(differences.mean()), variance, df, confidence)
    return Standalone(
        figure=figure,
        random=random,
        cases=readings.cases,
        algorithm=float(figures[own]),
        readers={readings.readers[index]: float(figures[index]) for index in others},
        mean=float(figures[others].mean()),
        difference=overall.estimate,
        se=overall.se,
        df=df,
        low=overall.low,
        high=overall.high,
        p=overall.p,
        ms_r=ms_r,
        cov2=cov2,
        each=tuple(
            _against(readings.readers[index], difference, own_variance, scale, confidence)
            for index, difference, own_variance in zip(others, differences, np.diag(between), strict=True)
        ),
        undefined=None if overall.p is not None else NO_SPREAD,
    )


def _variance(
    differences: Floats, between: Floats, random: RandomFactors
) -> tuple[float, float, float | None, float | None]:
    """Return the variance of the mean difference, its df, MS(R) and Cov2."""
    count = differences.size
    if count < 2:
        return float(between[0, 0]), np.inf, None, None
    squares = mean_squares(differences[None, :], between[None, :, None, :])
    ms_r, cov2 = squares.ms_r or 0.0, squares.cov2 or 0.0
    if random == "cases":
        return float(between.mean()), np.inf, ms_r, cov2
    spread = ms_r + (count * max(cov2, 0.0) if random == "both" else 0.0)
    df = spread**2 / (ms_r**2 / (count - 1)) if ms_r > TINY else np.inf
    return spread / count, float(df), ms_r, cov2


def _against(reader: Any, difference: float, variance: float, scale: float, confidence: float) -> AgainstReader:
    found = contrast(float(difference), variance if variance > ROUNDING * scale else 0.0, np.inf, confidence)
    return AgainstReader(reader, found.estimate, found.se, found.low, found.high, found.p)
