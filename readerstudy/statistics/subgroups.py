"""The article's sub-group test: do two sessions of one reader differ, judged by the spread of sub-groups?

Beside it stands the test that is often done on such sub-groups, Welch's t on batch means, each session with its own
spread. The article (Zhou et al., 2021) cuts each session's images, in reading order, into equal sub-groups and
averages the SD of their accuracies over the sessions. It states neither the number of sub-groups nor the
statistic; both statistics that fit its words are here, each with a normal and a t distribution.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import product
from math import sqrt
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtr, stdtrit

ErrorTerm = Literal["difference", "single"]
Distribution = Literal["normal", "t"]
Form = tuple[int, ErrorTerm, Distribution]

DEFAULT_GROUPS = 5
GROUPS_STRIP = (4, 5, 10, 20)
BATCHES = 10


class Undefined(Enum):
    """Why there is no p-value; the value is the sentence to show."""

    TOO_FEW = (
        "A session has fewer readings than sub-groups, so the test is undefined; use Boschloo's exact test instead."
    )
    NO_SPREAD = (
        "The sub-groups do not differ at all (σ = 0), so the test is undefined; use Boschloo's exact test instead."
    )


@dataclass(frozen=True)
class SubgroupTest:
    """Session b against session a. `z`, `df`, `p` (and `sigma` where too few) are None where undefined.

    `blocks` are the sub-groups' accuracies in reading order, empty for a session with fewer readings than sub-groups.
    """

    a: int
    b: int
    groups: int
    error: ErrorTerm
    distribution: Distribution
    share_a: float | None
    share_b: float | None
    difference: float | None
    blocks: Mapping[int, tuple[float, ...]]
    sds: Mapping[int, float | None]
    sigma: float | None
    z: float | None
    df: int | None
    p: float | None
    dropped: Mapping[int, int]
    undefined: Undefined | None


@dataclass(frozen=True)
class BatchMeansTest:
    """Session b against session a by Welch's t on batch means; t, df, p and interval are None where undefined."""

    a: int
    b: int
    groups: int
    difference: float | None  # of the batches' means: the readings that no batch holds stay out
    t: float | None
    df: float | None
    p: float | None
    low: float | None
    high: float | None
    undefined: Undefined | None


@dataclass(frozen=True)
class Cut:
    """One set of readings cut into sub-groups: all that the test needs of it.

    `readings` and `hits` (credits, halves allowed) are of all readings; `sums` are the credits of the contiguous
    blocks of ⌊readings / groups⌋ in reading order, without elements where there are fewer readings than blocks.
    """

    readings: int
    hits: float
    sums: tuple[float, ...]


def cut(values: ArrayLike, groups: int) -> Cut:
    """Cut one session's credits, in reading order."""
    credits = np.asarray(values, dtype=float)
    return Cut(credits.size, float(credits.sum()), tuple(_sums(credits, groups).tolist()))


def subgroup_test(
    correct: Mapping[int, ArrayLike],
    a: int,
    b: int,
    *,
    groups: int = DEFAULT_GROUPS,
    error: ErrorTerm = "difference",
    distribution: Distribution = "normal",
) -> SubgroupTest:
    """Test acc_b − acc_a of one reader on one subset, one-sided in the direction that was observed.

    `correct` gives each session that holds the subset its readings in reading order: 1 or True for correct,
    0 for wrong, and .5 where the declared rule gives half credit. Every session given, not only a and b,
    enters σ, the mean SD; a session without readings does not hold the subset and stays out.
    """
    _check(correct, a, b, groups, error, distribution)
    cuts = {session: cut(_checked(session, values), groups) for session, values in correct.items()}
    return subgroup_test_of(cuts, a, b, groups=groups, error=error, distribution=distribution)


def subgroup_test_of(
    cuts: Mapping[int, Cut],
    a: int,
    b: int,
    *,
    groups: int,
    error: ErrorTerm = "difference",
    distribution: Distribution = "normal",
) -> SubgroupTest:
    """`subgroup_test` from sessions that are cut already, as a database can do it."""
    _check(cuts, a, b, groups, error, distribution)
    held = {session: one for session, one in cuts.items() if one.readings or session in (a, b)}
    share_a, share_b = _share(held[a]), _share(held[b])
    difference = None if share_a is None or share_b is None else share_b - share_a
    sds = {session: _sd_of_subgroups(one) for session, one in held.items()}
    spreads = [sd for sd in sds.values() if sd is not None]
    sigma = sum(spreads) / len(spreads) if len(spreads) == len(sds) else None
    undefined = Undefined.TOO_FEW if sigma is None else Undefined.NO_SPREAD if sigma == 0 else None
    z = df = p = None
    if undefined is None and sigma is not None and difference is not None:
        z = abs(difference) / (sigma * sqrt((2 if error == "difference" else 1) / groups))
        df = len(sds) * (groups - 1) if distribution == "t" else None
        p = float(ndtr(-z) if df is None else stdtr(df, -z))
    return SubgroupTest(
        a=a,
        b=b,
        groups=groups,
        error=error,
        distribution=distribution,
        share_a=share_a,
        share_b=share_b,
        difference=difference,
        blocks={session: _accuracies(one) for session, one in held.items()},
        sds=sds,
        sigma=sigma,
        z=z,
        df=df,
        p=p,
        dropped={session: one.readings % groups for session, one in held.items()},
        undefined=undefined,
    )


def every_form(
    correct: Mapping[int, ArrayLike], a: int, b: int, *, groups: int = DEFAULT_GROUPS
) -> dict[Form, SubgroupTest]:
    """The test in both readings and both distributions, for the groups asked for and the four always shown."""
    cuts = {
        g: {session: cut(_checked(session, values), g) for session, values in correct.items()} for g in strip(groups)
    }
    return every_form_of(cuts, a, b)


def every_form_of(cuts: Mapping[int, Mapping[int, Cut]], a: int, b: int) -> dict[Form, SubgroupTest]:
    """`every_form` from sessions that are cut already, by the number of sub-groups."""
    return {
        (g, error, distribution): subgroup_test_of(by_session, a, b, groups=g, error=error, distribution=distribution)
        for g, by_session in cuts.items()
        for error, distribution in product(get_args(ErrorTerm), get_args(Distribution))
    }


def strip(groups: int) -> tuple[int, ...]:
    """The numbers of sub-groups to show: the fixed four and the one asked for."""
    return tuple(sorted({*GROUPS_STRIP, groups}))


def batch_means_test(
    correct: Mapping[int, ArrayLike], a: int, b: int, *, groups: int = BATCHES, confidence: float = 0.95
) -> BatchMeansTest:
    """Two-sided Welch t (Welch, 1947) on the accuracies of contiguous batches (Schmeiser, 1982), each with its own SD.

    Batches take up the dependence between readings that follow one another, which Boschloo's and every other test
    of single readings ignores.
    """
    _check(correct, a, b, groups, "difference", "t")
    cuts = {session: cut(_checked(session, correct[session]), groups) for session in (a, b)}
    return batch_means_test_of(cuts, a, b, groups=groups, confidence=confidence)


def batch_means_test_of(
    cuts: Mapping[int, Cut], a: int, b: int, *, groups: int = BATCHES, confidence: float = 0.95
) -> BatchMeansTest:
    """`batch_means_test` from sessions that are cut already into `groups` batches, as a database can do it."""
    _check(cuts, a, b, groups, "difference", "t")
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence lies between 0 and 1, not at {confidence}.")
    one, two = cuts[a], cuts[b]
    if {len(one.sums), len(two.sums)} - {0, groups}:
        raise ValueError(f"cuts must hold {groups} batches of each session.")
    if not (one.sums and two.sums):
        return BatchMeansTest(a, b, groups, None, None, None, None, None, None, Undefined.TOO_FEW)
    difference = float(np.mean(_accuracies(two)) - np.mean(_accuracies(one)))
    first, second = _variance_of_mean(one), _variance_of_mean(two)
    if first + second == 0:
        return BatchMeansTest(a, b, groups, difference, None, None, None, None, None, Undefined.NO_SPREAD)
    se = sqrt(first + second)
    df = (first + second) ** 2 * (groups - 1) / (first**2 + second**2)
    half = float(stdtrit(df, (1 + confidence) / 2)) * se
    p = float(2 * stdtr(df, -abs(difference / se)))
    return BatchMeansTest(a, b, groups, difference, difference / se, df, p, difference - half, difference + half, None)


def _check(correct: Mapping[int, object], a: int, b: int, groups: int, error: str, distribution: str) -> None:
    if groups < 2:
        raise ValueError(f"An SD needs at least two sub-groups, not {groups}.")
    if error not in ("difference", "single") or distribution not in ("normal", "t"):
        raise ValueError(f"There is no sub-group test with error={error!r}, distribution={distribution!r}.")
    if missing := {a, b} - set(correct):
        raise ValueError(f"No readings were given for session {min(missing)}.")


def _share(one: Cut) -> float | None:
    return one.hits / one.readings if one.readings else None


def _checked(session: int, values: ArrayLike) -> NDArray[np.float64]:
    readings = np.asarray(values, dtype=float)
    if readings.ndim != 1 or not ((readings >= 0) & (readings <= 1)).all():
        raise ValueError(f"correct must hold numbers between 0 and 1 for each reading of session {session}.")
    return readings


def _sums(values: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
    """Credit of `groups` contiguous blocks of ⌊n/g⌋ readings; without elements where n < g."""
    size = values.size // groups
    if size == 0:
        return np.empty(0)
    sums: NDArray[np.float64] = values[: groups * size].reshape(groups, size).sum(axis=1)
    return sums


def _accuracies(one: Cut) -> tuple[float, ...]:
    return tuple(credit / (one.readings // len(one.sums)) for credit in one.sums)


def _sd_of_subgroups(one: Cut) -> float | None:
    """SD (n − 1) of the blocks' accuracies; None where n < g."""
    if not one.sums:
        return None
    # Sums of 0, .5 and 1 are exact, means are not: this way equal sub-groups give an SD of exactly 0.
    mean = sum(one.sums) / len(one.sums)
    variance = sum((credit - mean) ** 2 for credit in one.sums) / (len(one.sums) - 1)
    return sqrt(variance) / (one.readings // len(one.sums))


def _variance_of_mean(one: Cut) -> float:
    """Variance of the mean of the blocks' accuracies."""
    sd = _sd_of_subgroups(one)
    return 0.0 if sd is None else sd**2 / len(one.sums)
