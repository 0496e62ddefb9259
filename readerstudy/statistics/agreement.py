"""Agreement of readers: percent, Fleiss' κ, Krippendorff's α and Gwet's AC1, each with an interval over cases.

Agreement of one reader with themselves, who read cases twice: percent, Cohen's κ and AC1.

κ alone is misleading: if nearly all verdicts are equal, chance agreement is high and κ is near 0 although readers
rarely differ. All coefficients are computed from the counts of each verdict per case.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]

VERDICTS = ("real", "unsure", "not_real")  # in the order of the ordinal scale

UNDEFINED = "All verdicts are equal, so agreement beyond chance is undefined."


@dataclass(frozen=True)
class Coefficient:
    """One coefficient with its standard error over cases and interval; all None if it is undefined."""

    value: float | None
    se: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Agreement:
    """Agreement of readers on one set of cases. κ and α are undefined if all verdicts are equal."""

    cases: int
    cases_read_twice: int  # by at least two readers; other cases carry no information on agreement
    readings: int
    percent: Coefficient
    fleiss_kappa: Coefficient
    krippendorff_nominal: Coefficient
    krippendorff_ordinal: Coefficient
    gwet_ac1: Coefficient


def agreement(
    verdict: ArrayLike, case: ArrayLike, *, levels: Sequence[Any] = VERDICTS, confidence: float = 0.95
) -> Agreement:
    """Return the agreement of readers on cases, in long form: one verdict and one case per reading, (n,).

    `levels` are all possible verdicts, in ordinal order. The coefficients do not depend on which reader gave a verdict;
    missing readings are allowed. Standard errors are linearised over cases (Gwet, 2014, ch. 5 and 6), except that of
    the ordinal α, whose distances are estimated too; it comes from the jackknife. Intervals use Student's t with
    cases − 1 df. Raises ValueError if no case was read by two readers.
    """
    return agreement_of_counts(counts_by_case(verdict, case, levels=levels), confidence=confidence)


def agreement_of_counts(counts: ArrayLike, *, confidence: float = 0.95) -> Agreement:
    """Return the agreement from counts of each verdict per case, (cases, levels), levels in ordinal order."""
    counts = np.asarray(counts, dtype=float)
    if counts.ndim != 2 or not (counts >= 0).all():
        raise ValueError("counts must be a table (cases, levels) without negative numbers.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}.")
    raters = counts.sum(axis=1)
    twice = counts[raters >= 2]
    if not len(twice):
        raise ValueError("Agreement needs at least one case that two readers read.")

    def with_interval(values: tuple[float, float] | None, cases: int) -> Coefficient:
        return _coefficient(values, cases, confidence)

    return Agreement(
        cases=len(counts),
        cases_read_twice=len(twice),
        readings=int(raters.sum()),
        percent=with_interval(_percent(counts), len(counts)),
        fleiss_kappa=with_interval(_chance_corrected(counts, _fleiss_chance), len(counts)),
        krippendorff_nominal=with_interval(_krippendorff_nominal(twice), len(twice)),
        krippendorff_ordinal=with_interval(_krippendorff_ordinal(twice), len(twice)),
        gwet_ac1=with_interval(_chance_corrected(counts, _gwet_chance), len(counts)),
    )


@dataclass(frozen=True)
class RepeatAgreement:
    """Agreement of the first and the second reading of the same cases by one reader."""

    cases: int
    percent: Coefficient
    cohen_kappa: Coefficient
    gwet_ac1: Coefficient


def repeat_agreement(table: ArrayLike, *, confidence: float = 0.95) -> RepeatAgreement:
    """Return the agreement of two readings of the same cases, from counts (first verdict, second verdict).

    κ (Cohen, 1960) with the large-sample standard error of Fleiss, Cohen and Everitt (1969); percent and AC1 as in
    `agreement`. Intervals use Student's t with cases − 1 df. Raises ValueError unless the table is square, without
    negative numbers and not empty.
    """
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not (counts >= 0).all() or not counts.sum():
        raise ValueError("table must be square (levels, levels), without negative numbers, with at least one case.")
    cases = int(counts.sum())
    levels = np.eye(len(counts))
    by_case = np.repeat(
        (levels[:, None, :] + levels[None, :, :]).reshape(-1, len(counts)), counts.ravel().astype(int), axis=0
    )
    both = agreement_of_counts(by_case, confidence=confidence)
    return RepeatAgreement(
        cases=cases,
        percent=both.percent,
        cohen_kappa=_coefficient(_cohen(counts), cases, confidence),
        gwet_ac1=both.gwet_ac1,
    )


def _cohen(counts: Floats) -> tuple[float, float] | None:
    """Return κ and its standard error (Fleiss, Cohen and Everitt, 1969); None if chance agreement is certain."""
    cases = counts.sum()
    shares = counts / cases
    first, second = shares.sum(axis=1), shares.sum(axis=0)
    expected = float(first @ second)
    if expected >= 1:
        return None
    kappa = (float(np.trace(shares)) - expected) / (1 - expected)
    weights = (1 - kappa) * (second[:, None] + first[None, :])
    np.fill_diagonal(weights, np.diag(weights) - 1)
    spread = float((shares * weights**2).sum()) - (kappa - expected * (1 - kappa)) ** 2
    if cases < 2:
        return kappa, float("nan")
    return kappa, float(np.sqrt(max(spread, 0.0) / cases)) / (1 - expected)


def counts_by_case(verdict: ArrayLike, case: ArrayLike, *, levels: Sequence[Any] = VERDICTS) -> Floats:
    """Return how often each case received each level, (cases, levels)."""
    verdicts, cases = np.asarray(verdict), np.asarray(case)
    if verdicts.ndim != 1 or verdicts.shape != cases.shape:
        raise ValueError("verdict and case must be one-dimensional arrays of the same length.")
    if len(levels) < 2 or len(set(levels)) != len(levels):
        raise ValueError("levels must be at least two, and all different.")
    known = np.asarray(list(levels))
    order = np.argsort(known)
    index = np.minimum(np.searchsorted(known[order], verdicts), len(known) - 1)
    level = order[index]
    if verdicts.size and (unknown := verdicts[known[level] != verdicts]).size:
        raise ValueError(f"verdict contains {unknown[0]}, which is not one of the levels.")
    names, code = np.unique(cases, return_inverse=True)
    shape = (len(names), len(known))
    counts: Floats = np.bincount(code * shape[1] + level, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    return counts


def _agreeing(counts: Floats) -> Floats:
    """Return the share of agreeing pairs of readers per case, (cases,); 0 for a case read once."""
    raters = counts.sum(axis=1)
    pairs = raters * (raters - 1)
    same = (counts * (counts - 1)).sum(axis=1)
    agreeing: Floats = np.divide(same, pairs, out=np.zeros_like(same), where=pairs > 0)
    return agreeing


def _percent(counts: Floats) -> tuple[float, float]:
    """Return the mean share of agreeing pairs with its standard error (Gwet, 2014, section 5.3)."""
    used = counts.sum(axis=1) >= 2
    value = float(_agreeing(counts)[used].mean())
    return value, _se(_agreeing(counts) * len(counts) / used.sum(), value)


Chance = Callable[[Floats, Floats], tuple[float, Floats]]


def _fleiss_chance(shares: Floats, prevalence: Floats) -> tuple[float, Floats]:
    """Return the chance that two of all verdicts agree (Fleiss, 1971), and each case's contribution (cases,)."""
    return float((prevalence**2).sum()), shares @ prevalence


def _gwet_chance(shares: Floats, prevalence: Floats) -> tuple[float, Floats]:
    """Return chance agreement among verdicts given at random (Gwet, 2008), and each case's contribution (cases,)."""
    scale = 1 / (len(prevalence) - 1)
    return float(scale * (prevalence * (1 - prevalence)).sum()), scale * (shares @ (1 - prevalence))


def _chance_corrected(counts: Floats, chance: Chance) -> tuple[float, float] | None:
    """Return (agreement − chance) / (1 − chance) and its linearised standard error (Gwet, 2014, section 5.3)."""
    raters = counts.sum(axis=1, keepdims=True)
    used = raters[:, 0] >= 2
    shares = counts / raters
    expected, parts = chance(shares, shares.mean(axis=0))
    if expected >= 1:
        return None
    agreeing = _agreeing(counts)
    value = (float(agreeing[used].mean()) - expected) / (1 - expected)
    scaled = (agreeing - expected) * used * (len(counts) / used.sum()) / (1 - expected)
    return value, _se(scaled - 2 * (1 - value) * (parts - expected) / (1 - expected), value)


def _krippendorff_nominal(counts: Floats) -> tuple[float, float] | None:
    """Return α for unordered verdicts (Krippendorff, 2011), from cases read at least twice, and its standard error."""
    raters, cases = counts.sum(axis=1), len(counts)
    mean_raters = raters.mean()
    prevalence = counts.mean(axis=0) / mean_raters
    expected = float((prevalence**2).sum())
    if expected >= 1:
        return None
    small = 1 / (cases * mean_raters)
    weight = (raters - mean_raters) / mean_raters  # cases with more readings have more weight
    agreeing = (counts * (counts - 1)).sum(axis=1) / (mean_raters * (raters - 1))
    observed = float(agreeing.mean())
    corrected = (1 - small) * observed + small  # for the finite number of verdicts
    value, large = (corrected - expected) / (1 - expected), (observed - expected) / (1 - expected)
    parts = counts @ prevalence / mean_raters - expected * weight
    scaled = (agreeing - corrected * weight - expected) / (1 - expected)
    # The standard error is that of α for infinitely many verdicts (Gwet, 2014).
    return value, _se(scaled - 2 * (1 - large) * (parts - expected) / (1 - expected), large)


def _krippendorff_ordinal(counts: Floats) -> tuple[float, float] | None:
    """Return α for ordered verdicts (Krippendorff, 2011) with its jackknife standard error over cases."""
    raters = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(counts.shape[1])
    coincidences = pairs / (raters - 1)[:, None, None]  # (cases, levels, levels)
    total = coincidences.sum(axis=0)
    value = _alpha(total)
    if value is None:
        return None
    left_out = _alpha(total - coincidences) if len(counts) > 1 else None
    if left_out is None:  # one case has all the disagreement, so α is undefined without it
        return float(value), float("nan")
    spread = ((left_out - left_out.mean()) ** 2).sum() * (len(counts) - 1) / len(counts)
    return float(value), float(np.sqrt(spread))


def _alpha(coincidences: Floats) -> Floats | None:
    """Return 1 − observed / expected disagreement with ordinal distances, (…,), of coincidences (…, levels, levels)."""
    marginal = coincidences.sum(axis=-1)
    middle = marginal.cumsum(axis=-1) - marginal / 2  # mid-rank of each level
    distance = (middle[..., :, None] - middle[..., None, :]) ** 2
    observed = (coincidences * distance).sum(axis=(-2, -1))
    expected = (marginal[..., :, None] * marginal[..., None, :] * distance).sum(axis=(-2, -1))
    if (expected <= 0).any():
        return None
    alpha: Floats = 1 - (marginal.sum(axis=-1) - 1) * observed / expected
    return alpha


def _se(parts: Floats, value: float) -> float:
    """Return the standard error of a mean over cases of linearised contributions."""
    cases = len(parts)
    return float(np.sqrt(((parts - value) ** 2).sum() / (cases * (cases - 1)))) if cases > 1 else float("nan")


def _coefficient(estimate: tuple[float, float] | None, cases: int, confidence: float) -> Coefficient:
    """Return the coefficient from (value, standard error)."""
    if estimate is None:
        return Coefficient(None, None, None, None)
    value, se = estimate
    if np.isnan(se):  # a single case, or a single case with disagreement, gives no spread
        return Coefficient(value, None, None, None)
    half = float(stdtrit(cases - 1, (1 + confidence) / 2)) * se
    # κ of few unevenly read cases can be below −1.
    return Coefficient(value, se, max(value - half, min(value, -1.0)), min(value + half, 1.0))
