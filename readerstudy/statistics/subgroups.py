"""The article's sub-group test of two sessions of one reader, and Welch's t on batch means.

The article (Zhou et al., 2021) divides each session's images, in reading order, into equal sub-groups and averages the
SD of their accuracies over the sessions. It states neither the number of sub-groups nor the statistic. Both
statistics that match its description are available, each with a normal and a t distribution. Welch's t on batch means
is a common alternative; it uses the spread of each session separately.
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
TestForm = tuple[int, ErrorTerm, Distribution]

DEFAULT_GROUPS = 5
STANDARD_COUNTS = (4, 5, 10, 20)
BATCHES = 10


class UndefinedReason(Enum):
    """The reason why there is no p-value; the value is the message to show."""

    TOO_FEW = (
        "A session has fewer readings than sub-groups, so the test is undefined; use Boschloo's exact test instead."
    )
    NO_SPREAD = (
        "The sub-groups do not differ at all (σ = 0), so the test is undefined; use Boschloo's exact test instead."
    )


@dataclass(frozen=True)
class SubgroupTest:
    """Test of session b against session a. `z`, `df` and `p` are None if undefined, as is `sigma` if readings are few.

    `blocks` are the accuracies of the sub-groups in reading order, empty for a session with fewer readings than
    sub-groups. `dropped` counts the readings of each session that do not fill a sub-group.
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
    undefined: UndefinedReason | None


@dataclass(frozen=True)
class BatchMeansTest:
    """Test of session b against session a by Welch's t on batch means; t, df, p and interval are None if undefined."""

    a: int
    b: int
    groups: int
    difference: float | None = None  # of the means of batches, so without readings that do not fill a batch
    t: float | None = None
    df: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None
    undefined: UndefinedReason | None = None


@dataclass(frozen=True)
class SubgroupSums:
    """Sums of credits over sub-groups of one session's readings: the input of the test.

    `readings` and `hits` (credits; halves allowed) count all readings. `sums` are the credits of contiguous blocks of
    ⌊readings / groups⌋ in reading order; empty if there are fewer readings than blocks.
    """

    readings: int
    hits: float
    sums: tuple[float, ...]


def cut_into_subgroups(values: ArrayLike, groups: int) -> SubgroupSums:
    """Return the sub-group sums of one session's credits, (n,) in reading order."""
    credits = np.asarray(values, dtype=float)
    return SubgroupSums(credits.size, float(credits.sum()), tuple(_sums(credits, groups).tolist()))


def subgroup_test(
    correct: Mapping[int, ArrayLike],
    a: int,
    b: int,
    *,
    groups: int = DEFAULT_GROUPS,
    error: ErrorTerm = "difference",
    distribution: Distribution = "normal",
) -> SubgroupTest:
    """Test acc_b − acc_a of one reader on one subset, one-sided in the observed direction.

    `correct` holds the readings of each session in reading order, (n,): 1 or True for correct, 0 for wrong, and .5 for
    half credit by the declared rule. Every session in it, not only a and b, contributes to σ, the mean SD; sessions
    without readings are ignored. `error` "difference" divides by σ√(2/g), "single" by σ/√g.

    Raises ValueError if session a or b is missing, or an argument is invalid.
    """
    _check(correct, a, b, groups, error, distribution)
    cuts = {session: cut_into_subgroups(_checked(session, values), groups) for session, values in correct.items()}
    return subgroup_test_from_sums(cuts, a, b, groups=groups, error=error, distribution=distribution)


def subgroup_test_from_sums(
    cuts: Mapping[int, SubgroupSums],
    a: int,
    b: int,
    *,
    groups: int,
    error: ErrorTerm = "difference",
    distribution: Distribution = "normal",
) -> SubgroupTest:
    """Return `subgroup_test` from sub-group sums, which a database can compute."""
    _check(cuts, a, b, groups, error, distribution)
    sessions = {session: sums for session, sums in cuts.items() if sums.readings or session in (a, b)}
    share_a, share_b = _share(sessions[a]), _share(sessions[b])
    difference = None if share_a is None or share_b is None else share_b - share_a
    sds = {session: _subgroup_sd(sums) for session, sums in sessions.items()}
    spreads = [sd for sd in sds.values() if sd is not None]
    sigma = sum(spreads) / len(spreads) if len(spreads) == len(sds) else None
    undefined = UndefinedReason.TOO_FEW if sigma is None else UndefinedReason.NO_SPREAD if sigma == 0 else None
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
        blocks={session: _accuracies(sums) for session, sums in sessions.items()},
        sds=sds,
        sigma=sigma,
        z=z,
        df=df,
        p=p,
        dropped={session: sums.readings % groups for session, sums in sessions.items()},
        undefined=undefined,
    )


def every_form(
    correct: Mapping[int, ArrayLike], a: int, b: int, *, groups: int = DEFAULT_GROUPS
) -> dict[TestForm, SubgroupTest]:
    """Return the test in every form, for `groups` and the standard numbers of sub-groups."""
    cuts = {
        g: {session: cut_into_subgroups(_checked(session, values), g) for session, values in correct.items()}
        for g in subgroup_counts(groups)
    }
    return every_form_from_sums(cuts, a, b)


def every_form_from_sums(
    cuts: Mapping[int, Mapping[int, SubgroupSums]], a: int, b: int
) -> dict[TestForm, SubgroupTest]:
    """Return `every_form` from sub-group sums by number of sub-groups and session."""
    return {
        (g, error, distribution): subgroup_test_from_sums(
            by_session, a, b, groups=g, error=error, distribution=distribution
        )
        for g, by_session in cuts.items()
        for error, distribution in product(get_args(ErrorTerm), get_args(Distribution))
    }


def subgroup_counts(groups: int) -> tuple[int, ...]:
    """Return the numbers of sub-groups to show: the four standard ones and `groups`."""
    return tuple(sorted({*STANDARD_COUNTS, groups}))


def batch_means_test(
    correct: Mapping[int, ArrayLike], a: int, b: int, *, groups: int = BATCHES, confidence: float = 0.95
) -> BatchMeansTest:
    """Return the two-sided Welch t (Welch, 1947) on accuracies of contiguous batches (Schmeiser, 1982).

    Batch means account for dependence between consecutive readings, which Boschloo's test and other tests of single
    readings ignore. Raises ValueError if session a or b is missing.
    """
    _check(correct, a, b, groups, "difference", "t")
    cuts = {session: cut_into_subgroups(_checked(session, correct[session]), groups) for session in (a, b)}
    return batch_means_test_from_sums(cuts, a, b, groups=groups, confidence=confidence)


def batch_means_test_from_sums(
    cuts: Mapping[int, SubgroupSums], a: int, b: int, *, groups: int = BATCHES, confidence: float = 0.95
) -> BatchMeansTest:
    """Return `batch_means_test` from sums of `groups` batches, which a database can compute."""
    _check(cuts, a, b, groups, "difference", "t")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}.")
    first, second = cuts[a], cuts[b]
    if {len(first.sums), len(second.sums)} - {0, groups}:
        raise ValueError(f"cuts must contain {groups} batches of each session.")
    if not (first.sums and second.sums):
        return BatchMeansTest(a, b, groups, undefined=UndefinedReason.TOO_FEW)
    difference = float(np.mean(_accuracies(second)) - np.mean(_accuracies(first)))
    variance_a, variance_b = _variance_of_mean(first), _variance_of_mean(second)
    if variance_a + variance_b == 0:
        return BatchMeansTest(a, b, groups, difference, undefined=UndefinedReason.NO_SPREAD)
    se = sqrt(variance_a + variance_b)
    df = (variance_a + variance_b) ** 2 * (groups - 1) / (variance_a**2 + variance_b**2)
    half = float(stdtrit(df, (1 + confidence) / 2)) * se
    p = float(2 * stdtr(df, -abs(difference / se)))
    return BatchMeansTest(a, b, groups, difference, difference / se, df, p, difference - half, difference + half)


def _check(correct: Mapping[int, object], a: int, b: int, groups: int, error: str, distribution: str) -> None:
    if groups < 2:
        raise ValueError(f"groups must be at least two, not {groups}: an SD needs two sub-groups.")
    if error not in ("difference", "single") or distribution not in ("normal", "t"):
        raise ValueError(f"error={error!r} with distribution={distribution!r} is not supported.")
    if missing := {a, b} - set(correct):
        raise ValueError(f"The readings of session {min(missing)} are missing.")


def _share(session: SubgroupSums) -> float | None:
    return session.hits / session.readings if session.readings else None


def _checked(session: int, values: ArrayLike) -> NDArray[np.float64]:
    readings = np.asarray(values, dtype=float)
    if readings.ndim != 1 or not ((readings >= 0) & (readings <= 1)).all():
        raise ValueError(f"correct must contain numbers between 0 and 1 for each reading of session {session}.")
    return readings


def _sums(values: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
    """Return the credits of `groups` contiguous blocks of ⌊n/g⌋ readings, (g,); empty if n < g."""
    size = values.size // groups
    if size == 0:
        return np.empty(0)
    sums: NDArray[np.float64] = values[: groups * size].reshape(groups, size).sum(axis=1)
    return sums


def _accuracies(session: SubgroupSums) -> tuple[float, ...]:
    return tuple(credit / (session.readings // len(session.sums)) for credit in session.sums)


def _subgroup_sd(session: SubgroupSums) -> float | None:
    """Return the SD (n − 1) of the accuracies of the blocks, or None if n < g."""
    sums = session.sums
    if not sums:
        return None
    # Sums of 0, .5 and 1 are exact and means are not: on sums, equal sub-groups give an SD of exactly 0.
    mean = sum(sums) / len(sums)
    variance = sum((credit - mean) ** 2 for credit in sums) / (len(sums) - 1)
    return sqrt(variance) / (session.readings // len(sums))


def _variance_of_mean(session: SubgroupSums) -> float:
    """Return the variance of the mean accuracy of the blocks."""
    sd = _subgroup_sd(session)
    return 0.0 if sd is None else sd**2 / len(session.sums)
