"""Signal detection: d′ says how well a reader tells fakes from real images, c how readily they say "not real".

Signal is the adversarial image, so a hit is a fake called not real and a false alarm a real image called not real.
"""

from dataclasses import dataclass
from math import exp, pi, sqrt

from scipy.special import ndtr, ndtri

from readerstudy.statistics.proportions import Proportion, wilson


@dataclass(frozen=True)
class RocPoint:
    """Where a reader works on the ROC plane: the shares as counted, each with Wilson's interval."""

    false_alarm: Proportion
    hit: Proportion


@dataclass(frozen=True)
class Detection:
    """d′, criterion c and ln β with standard errors of the first two; the rates are the corrected ones."""

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
class Shift:
    """What changed from one detection to another on other images: second − first, with a two-sided p."""

    difference: float
    se: float
    low: float
    high: float
    z: float
    p: float


def detection(
    hits: float, signals: int, false_alarms: float, noises: int, *, confidence: float = 0.95
) -> Detection | None:
    """d′, c and ln β (Macmillan and Creelman, 2005) of one reader; None without images of either kind.

    Rates carry the log-linear correction, (hits + .5) / (signals + 1) (Hautus, 1995), so that a reader who never
    errs has a finite d′. The standard error is Gourevitch and Galanter's (1967) at the corrected rates; c has half
    of it, since both are the same two normal deviates, subtracted or averaged.
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
    return Detection(
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


def d_prime_shift(first: Detection, second: Detection, *, confidence: float = 0.95) -> Shift:
    """Does one reader see better the second time? z-test of two d′ on different images (Gourevitch and Galanter)."""
    return _shift(first.d_prime, first.d_prime_se, second.d_prime, second.d_prime_se, confidence)


def criterion_shift(first: Detection, second: Detection, *, confidence: float = 0.95) -> Shift:
    """Does one reader only say "not real" less often (c up) or more often (c down) the second time?"""
    return _shift(first.criterion, first.criterion_se, second.criterion, second.criterion_se, confidence)


def _shift(first: float, first_se: float, second: float, second_se: float, confidence: float) -> Shift:
    difference, se = second - first, sqrt(first_se**2 + second_se**2)
    half = float(ndtri((1 + confidence) / 2)) * se
    z = difference / se
    return Shift(difference, se, difference - half, difference + half, z, float(2 * ndtr(-abs(z))))


def _variance_of_deviate(rate: float, trials: int) -> float:
    """Variance of Φ⁻¹(rate) by the delta method."""
    density = exp(-(float(ndtri(rate)) ** 2) / 2) / sqrt(2 * pi)
    return rate * (1 - rate) / (trials * density**2)
