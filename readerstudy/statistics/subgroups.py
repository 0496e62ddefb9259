"""The article's sub-group test of two sessions of one reader, and Welch's t on batch means.

The article (Zhou et al., 2021) divides each session's images, in reading order, into equal sub-groups and averages the
SD of their accuracies over the sessions. It states neither the number of sub-groups, nor the statistic, nor whether the
sub-groups are those of a session or of its images of one kind. The statistics and spreads that match its description
are available, each with a t and a normal distribution. Welch's t on batch means is a common alternative; it uses the
spread of each session separately.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import product
from math import nan, sqrt
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtr, stdtrit

ErrorTerm = Literal["difference", "single"]
Distribution = Literal["normal", "t"]
SpreadOf = Literal["subset", "session", "whole"]
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
    EMPTY = (
        "A sub-group of a session has no reading of the subset, so the test is undefined; use Boschloo's exact test "
        "instead."
    )


@dataclass(frozen=True)
class SubgroupTest:
    """Test of session b against session a. `z`, `df` and `p` are None if undefined, as is `sigma` if readings are few.

    `blocks` are the accuracies of the sub-groups of which `sds` are the SDs, in reading order, empty for a session with
    fewer readings than sub-groups. `dropped` counts the readings of each session that are in no sub-group: they enter
    the accuracy but not σ. By `sd_of`, these three are about the subset's readings, or ("whole") about all readings.
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
    sd_of: SpreadOf = "subset"


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
    ⌊readings / groups⌋ in reading order; empty if there are fewer readings than blocks. `sizes` are the readings in
    each block if the blocks are those of the whole session (`cut_within_session`), else empty.
    """

    readings: int
    hits: float
    sums: tuple[float, ...]
    sizes: tuple[int, ...] = ()


def cut_into_subgroups(values: ArrayLike, groups: int) -> SubgroupSums:
    """Return the sub-group sums of one session's credits, (n,) in reading order."""
    credits = np.asarray(values, dtype=float)
    return SubgroupSums(credits.size, float(credits.sum()), tuple(_sums(credits, groups).tolist()))


def cut_within_session(values: ArrayLike, within: ArrayLike, groups: int) -> SubgroupSums:
    """Return the sums of a subset's credits over blocks of the whole session.

    `values` (n,) are the credits of the subset's readings in reading order. `within` (m,) says of each of the session's
    m readings whether it belongs to the subset, so that n of its elements are True. Raises ValueError otherwise.
    """
    credits, member = np.asarray(values, dtype=float), np.asarray(within, dtype=bool)
    if member.ndim != 1 or int(member.sum()) != credits.size:
        raise ValueError("within must contain one True for each reading of the subset.")
    size = member.size // groups
    if size == 0:
        return SubgroupSums(credits.size, float(credits.sum()), ())
    block = np.flatnonzero(member) // size
    used = block < groups
    sums = np.bincount(block[used], weights=credits[used], minlength=groups)
    sizes = np.bincount(block[used], minlength=groups)
    return SubgroupSums(credits.size, float(credits.sum()), tuple(sums.tolist()), tuple(sizes.tolist()))


def subgroup_test(
    correct: Mapping[int, ArrayLike],
    a: int,
    b: int,
    *,
    groups: int = DEFAULT_GROUPS,
    error: ErrorTerm = "difference",
    distribution: Distribution = "t",
    sd_of: SpreadOf = "subset",
    whole: Mapping[int, ArrayLike] | None = None,
    within: Mapping[int, ArrayLike] | None = None,
) -> SubgroupTest:
    """Test acc_b − acc_a of one reader on one subset, one-sided in the observed direction.

    `correct` holds the readings of each session in reading order, (n,): 1 or True for correct, 0 for wrong, and .5 for
    half credit by the declared rule. Every session in it, not only a and b, contributes to σ, the mean SD; sessions
    without readings are ignored. `error` "difference" divides by σ√(2/g), "single" by σ/√g.

    `sd_of` says of what σ is the SD. "subset": the accuracies of blocks of the subset's readings. "session": the
    accuracies of the subset's readings in blocks of all readings of the session, which `within` needs: (m,) bools by
    session, True for the subset's readings among all in reading order. "whole": the accuracies of blocks of all
    readings, whose credits `whole` contains by session, (m,); each session in it contributes.

    Raises ValueError if session a or b is missing, or an argument is invalid.
    """
    _check(correct, a, b, groups, error, distribution)
    credits = {session: _checked(session, values) for session, values in correct.items()}
    if sd_of == "session":
        if within is None or set(within) != set(credits):
            raise ValueError("sd_of='session' needs within, for the sessions of correct.")
        cuts = {session: cut_within_session(values, within[session], groups) for session, values in credits.items()}
    else:
        cuts = {session: cut_into_subgroups(values, groups) for session, values in credits.items()}
    whole_cuts = {
        session: cut_into_subgroups(_checked(session, all_), groups) for session, all_ in (whole or {}).items()
    }
    return subgroup_test_from_sums(
        cuts, a, b, groups=groups, error=error, distribution=distribution, sd_of=sd_of, whole=whole_cuts
    )


def subgroup_test_from_sums(
    cuts: Mapping[int, SubgroupSums],
    a: int,
    b: int,
    *,
    groups: int,
    error: ErrorTerm = "difference",
    distribution: Distribution = "t",
    sd_of: SpreadOf = "subset",
    whole: Mapping[int, SubgroupSums] | None = None,
) -> SubgroupTest:
    """Return `subgroup_test` from sub-group sums, which a database can compute.

    For `sd_of` "session" the cuts are those of `cut_within_session`; for "whole", `whole` are the cuts of all readings.
    """
    _check(cuts, a, b, groups, error, distribution)
    sessions = {session: sums for session, sums in cuts.items() if sums.readings or session in (a, b)}
    share_a, share_b = _share(sessions[a]), _share(sessions[b])
    difference = None if share_a is None or share_b is None else share_b - share_a
    spread = _spread_cuts(sessions, sd_of, whole)
    sds = {session: _subgroup_sd(sums) for session, sums in spread.items()}
    spreads = [sd for sd in sds.values() if sd is not None]
    sigma = sum(spreads) / len(spreads) if len(spreads) == len(sds) else None
    undefined = None
    if sigma is None:
        has_empty = any(0 in sums.sizes for sums in spread.values())
        undefined = UndefinedReason.EMPTY if has_empty else UndefinedReason.TOO_FEW
    elif sigma == 0:
        undefined = UndefinedReason.NO_SPREAD
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
        blocks={session: _accuracies(sums) for session, sums in spread.items()},
        sds=sds,
        sigma=sigma,
        z=z,
        df=df,
        p=p,
        dropped={session: _dropped(sums, groups) for session, sums in spread.items()},
        undefined=undefined,
        sd_of=sd_of,
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
    cuts: Mapping[int, Mapping[int, SubgroupSums]],
    a: int,
    b: int,
    *,
    sd_of: SpreadOf = "subset",
    whole: Mapping[int, Mapping[int, SubgroupSums]] | None = None,
) -> dict[TestForm, SubgroupTest]:
    """Return `every_form` from sub-group sums by number of sub-groups and session, as are those of `whole`."""
    return {
        (g, error, distribution): subgroup_test_from_sums(
            by_session,
            a,
            b,
            groups=g,
            error=error,
            distribution=distribution,
            sd_of=sd_of,
            whole=None if whole is None else whole[g],
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


def _spread_cuts(
    sessions: Mapping[int, SubgroupSums], sd_of: SpreadOf, whole: Mapping[int, SubgroupSums] | None
) -> Mapping[int, SubgroupSums]:
    """Return the cuts whose SDs make σ."""
    if sd_of not in get_args(SpreadOf):
        raise ValueError(f"sd_of={sd_of!r} is not supported.")
    if sd_of == "session" and any(sums.sums and not sums.sizes for sums in sessions.values()):
        raise ValueError("sd_of='session' needs the cuts of cut_within_session.")
    if sd_of != "whole":
        return sessions
    known = {session: sums for session, sums in (whole or {}).items() if sums.readings}
    if missing := {session for session, sums in sessions.items() if sums.readings} - set(known):
        raise ValueError(f"sd_of='whole' needs all readings of session {min(missing)}.")
    return known


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
    if session.sizes:
        return tuple(credit / size if size else nan for credit, size in zip(session.sums, session.sizes, strict=True))
    return tuple(credit / (session.readings // len(session.sums)) for credit in session.sums)


def _dropped(session: SubgroupSums, groups: int) -> int:
    return session.readings - sum(session.sizes) if session.sizes else session.readings % groups


def _subgroup_sd(session: SubgroupSums) -> float | None:
    """Return the SD (n − 1) of the accuracies of the blocks, or None if n < g or a block is empty."""
    sums = session.sums
    if not sums or 0 in session.sizes:
        return None
    if session.sizes:
        return float(np.std(_accuracies(session), ddof=1)) if len(set(_exact(session))) > 1 else 0.0
    # Sums of 0, .5 and 1 are exact and means are not: on sums, equal sub-groups give an SD of exactly 0.
    mean = sum(sums) / len(sums)
    variance = sum((credit - mean) ** 2 for credit in sums) / (len(sums) - 1)
    return sqrt(variance) / (session.readings // len(sums))


def _exact(session: SubgroupSums) -> Iterator[Fraction]:
    """Yield the accuracies without rounding, to recognise equal ones."""
    for credit, size in zip(session.sums, session.sizes, strict=True):
        yield Fraction(credit) / size


def _variance_of_mean(session: SubgroupSums) -> float:
    """Return the variance of the mean accuracy of the blocks."""
    sd = _subgroup_sd(session)
    return 0.0 if sd is None else sd**2 / len(session.sums)
