"""Signal detection: d′ measures how well a reader separates adversarial from real images, c the response criterion.

The signal is the adversarial image: a hit is an adversarial image called "not real", a false alarm a real image called
"not real".
"""

from dataclasses import dataclass
from math import exp, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from readerstudy.statistics.proportions import Proportion, wilson


@dataclass(frozen=True)
class RocPoint:
    """Operating point of a reader: uncorrected hit and false-alarm rates, each with Wilson's interval."""

    false_alarm: Proportion
    hit: Proportion


@dataclass(frozen=True)
class SignalDetection:
    """d′, criterion c and ln β, with standard errors of d′ and c; the rates are corrected."""

    hit_rate: float
    false_alarm_rate: float
    d_prime: float
    d_prime_se: float
    d_prime_low: float
    d_prime_high: float
    criterion: float
    criterion_se: float
    criterion_low: float
    criterion_high: float
    ln_beta: float
    point: RocPoint


@dataclass(frozen=True)
class DetectionShift:
    """Change between two sessions with different images: second − first, with a two-sided p."""

    difference: float
    se: float
    low: float
    high: float
    z: float
    p: float


@dataclass(frozen=True)
class RepeatDetection:
    """Discrimination at the first and the second reading of the same images, and how often a hit is repeated.

    `found_again` is the share of the hits of the first reading that are hits again, `found_later` the share of the
    adversarial images missed at first that are hits at the second reading.
    """

    first: SignalDetection
    second: SignalDetection
    change: DetectionShift
    found_again: Proportion
    found_later: Proportion


def detection(
    hits: float, signals: int, false_alarms: float, noises: int, *, confidence: float = 0.95
) -> SignalDetection | None:
    """Return d′, c and ln β (Macmillan and Creelman, 2005) of one reader, or None without images of both kinds.

    Rates have the log-linear correction, (hits + .5) / (signals + 1) (Hautus, 1995), so that a reader without errors
    has a finite d′. The standard error is Gourevitch and Galanter's (1967) at the corrected rates. That of c is half of
    it: d′ is the difference and c the negative mean of the same two normal deviates.

    >>> reader = detection(hits=70, signals=100, false_alarms=20, noises=100)
    >>> round(reader.d_prime, 3), round(reader.criterion, 3)
    (1.35, 0.156)
    """
    point = RocPoint(
        false_alarm=wilson(false_alarms, noises, confidence=confidence),
        hit=wilson(hits, signals, confidence=confidence),
    )
    if not signals or not noises:
        return None
    hit, false_alarm = (hits + 0.5) / (signals + 1), (false_alarms + 0.5) / (noises + 1)
    z_hit, z_false_alarm = float(ndtri(hit)), float(ndtri(false_alarm))
    d_prime, criterion = z_hit - z_false_alarm, -(z_hit + z_false_alarm) / 2
    se = sqrt(_variance_of_deviate(hit, signals) + _variance_of_deviate(false_alarm, noises))
    quantile = float(ndtri((1 + confidence) / 2))
    return SignalDetection(
        hit_rate=hit,
        false_alarm_rate=false_alarm,
        d_prime=d_prime,
        d_prime_se=se,
        d_prime_low=d_prime - quantile * se,
        d_prime_high=d_prime + quantile * se,
        criterion=criterion,
        criterion_se=se / 2,
        criterion_low=criterion - quantile * se / 2,
        criterion_high=criterion + quantile * se / 2,
        ln_beta=d_prime * criterion,
        point=point,
    )


def d_prime_shift(first: SignalDetection, second: SignalDetection, *, confidence: float = 0.95) -> DetectionShift:
    """Test the change of one reader's d′ between two sessions with different images by z (Gourevitch and Galanter)."""
    return _shift(first.d_prime, first.d_prime_se, second.d_prime, second.d_prime_se, confidence)


def criterion_shift(first: SignalDetection, second: SignalDetection, *, confidence: float = 0.95) -> DetectionShift:
    """Test the change of one reader's criterion by z; a higher c means "not real" is said less often."""
    return _shift(first.criterion, first.criterion_se, second.criterion, second.criterion_se, confidence)


def repeat_detection(real: ArrayLike, adversarial: ArrayLike, *, confidence: float = 0.95) -> RepeatDetection | None:
    """Return d′ of one reader at the first and second reading of the same images; None without images of both kinds.

    Each table (2, 2) counts images by the first (rows) and the second verdict (columns): real, then not real. The
    standard error of the change has the covariance of the two readings by the delta method, from a table with a quarter
    added to each cell, which gives `detection`'s corrected rates. Taking the readings as independent instead makes the
    interval too wide. Raises ValueError for other shapes or negative counts.

    >>> twice = repeat_detection([[30, 5], [4, 6]], [[9, 6], [2, 28]])
    >>> round(twice.first.d_prime, 2), round(twice.second.d_prime, 2), round(twice.change.se, 2)
    (1.17, 1.35, 0.29)
    """
    tables = [np.asarray(each, dtype=float) for each in (real, adversarial)]
    if any(table.shape != (2, 2) or not (np.isfinite(table) & (table >= 0)).all() for table in tables):
        raise ValueError("real and adversarial must be tables (2, 2) of counts.")
    noise, signal = tables
    first, second = (
        detection(float(hits), int(signal.sum()), float(alarms), int(noise.sum()), confidence=confidence)
        for hits, alarms in ((signal[1].sum(), noise[1].sum()), (signal[:, 1].sum(), noise[:, 1].sum()))
    )
    if first is None or second is None:
        return None
    shared = sum(_covariance_of_deviates(table) for table in tables)
    se = sqrt(first.d_prime_se**2 + second.d_prime_se**2 - 2 * shared)
    return RepeatDetection(
        first=first,
        second=second,
        change=_shift_with(second.d_prime - first.d_prime, se, confidence),
        found_again=wilson(float(signal[1, 1]), int(signal[1].sum()), confidence=confidence),
        found_later=wilson(float(signal[0, 1]), int(signal[0].sum()), confidence=confidence),
    )


def _covariance_of_deviates(table: NDArray[np.float64]) -> float:
    """Return the covariance of Φ⁻¹ of the two rates of "not real" of a table (first verdict, second verdict)."""
    images = float(table.sum())
    shares = (table + 0.25) / (images + 1)
    first, second, both = float(shares[1].sum()), float(shares[:, 1].sum()), float(shares[1, 1])
    return (both - first * second) / (images * _density(first) * _density(second))


def _shift(first: float, first_se: float, second: float, second_se: float, confidence: float) -> DetectionShift:
    return _shift_with(second - first, sqrt(first_se**2 + second_se**2), confidence)


def _shift_with(difference: float, se: float, confidence: float) -> DetectionShift:
    """Return the change with its interval and p; se is never 0, because the corrected tables have no empty cell."""
    half = float(ndtri((1 + confidence) / 2)) * se
    z = difference / se
    return DetectionShift(difference, se, difference - half, difference + half, z, float(2 * ndtr(-abs(z))))


def _variance_of_deviate(rate: float, trials: int) -> float:
    """Return the variance of Φ⁻¹(rate) by the delta method."""
    return rate * (1 - rate) / (trials * _density(rate) ** 2)


def _density(rate: float) -> float:
    """Return the normal density at Φ⁻¹(rate)."""
    return exp(-(float(ndtri(rate)) ** 2) / 2) / sqrt(2 * pi)
