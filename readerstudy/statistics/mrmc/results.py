"""What an Obuchowski–Rockette analysis found, by name."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from readerstudy.statistics.mrmc.covariance import Covariance
from readerstudy.statistics.mrmc.readings import Design, Figure, Floats, Label

Random = Literal["both", "readers", "cases"]


class Difference(NamedTuple):
    """Mean of condition a less that of b, its standard error, interval and two-sided p; None where undefined."""

    a: Any
    b: Any
    estimate: float
    se: float
    low: float | None
    high: float | None
    p: float | None


class ReaderDifference(NamedTuple):
    """One reader's figure in condition a less that in b, cases random: he or she alone, nobody else."""

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
    """An estimate with its interval, cut to what a figure can be (0 to 1); `se` and `df` give it uncut."""

    estimate: float
    se: float
    df: float
    low: float
    high: float


@dataclass(frozen=True)
class ObuchowskiRockette:
    """The analysis: estimates, mean squares, covariances over cases, test, intervals; None where undefined.

    `cov1` is that of one reader in two conditions, `cov2` of two readers in one condition, `cov3` of two readers in
    two. `var_r` and `var_tr` are the variance components of readers and of readers by condition, and may be negative.
    `constrained` tells that Cov2 came out below Cov3, which the model of random readers and cases excludes, and that
    their difference was taken as 0; with readers fixed it is taken as it is. `matrix` holds the covariances over
    cases of all cells, in the order of `estimates`. With readers fixed, `f` is χ²/df1 and `df2` infinite.
    """

    figure: Figure
    design: Design
    covariance: Covariance
    random: Random
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
    differences: list[Difference]
    reader_intervals: dict[tuple[Label, Label], Interval]
    reader_differences: list[ReaderDifference]
    undefined: str | None
    matrix: Floats = field(repr=False, compare=False)
