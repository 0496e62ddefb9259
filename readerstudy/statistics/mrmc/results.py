"""Results of an Obuchowski–Rockette analysis."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from readerstudy.statistics.mrmc.covariance import Covariance
from readerstudy.statistics.mrmc.readings import AnyFigure, Design, Floats, Label

RandomFactors = Literal["both", "readers", "cases"]


class ConditionDifference(NamedTuple):
    """Mean of condition a minus mean of b, with standard error, interval and two-sided p; None if undefined."""

    a: Any
    b: Any
    estimate: float
    se: float
    low: float | None
    high: float | None
    p: float | None


class ReaderDifference(NamedTuple):
    """One reader's figure in condition a minus that in b, cases random. It applies to this reader only."""

    reader: Any
    a: Any
    b: Any
    estimate: float
    se: float
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval, clipped to 0 to 1; `se` and `df` give the unclipped interval."""

    estimate: float
    se: float
    df: float
    low: float
    high: float


@dataclass(frozen=True)
class ObuchowskiRockette:
    """Estimates, mean squares, covariances over cases, test and intervals; values are None if undefined.

    `cov1` is the covariance of one reader in two conditions, `cov2` of two readers in one condition, `cov3` of two
    readers in two conditions. `var_r` and `var_tr` are the variance components of readers and of readers by condition;
    they may be negative. `constrained` is True if Cov2 was estimated below Cov3, which the model of random readers and
    cases excludes, so that their difference was set to 0; with fixed readers the difference is used as it is. `matrix`
    holds the covariances over cases of all cells, in the order of `estimates`. With fixed readers, `f` is χ²/df1 and
    `df2` is infinite.
    """

    figure: AnyFigure
    design: Design
    covariance: Covariance
    random: RandomFactors
    conditions: tuple[Any, ...]
    readers: tuple[Any, ...]
    cases: int
    estimates: dict[tuple[Label, Label], float]
    means: dict[Label, float]
    intervals: dict[Label, Interval]
    ms_t: float | None
    ms_r: float | None
    ms_tr: float | None
    var: float
    cov1: float | None
    cov2: float | None
    cov3: float | None
    var_r: float | None
    var_tr: float | None
    denominator: float | None
    constrained: bool
    f: float | None
    df1: int
    df2: float | None
    p: float | None
    differences: list[ConditionDifference]
    reader_intervals: dict[tuple[Label, Label], Interval]
    reader_differences: list[ReaderDifference]
    undefined: str | None
    matrix: Floats = field(repr=False, compare=False)
