"""Calibration of probabilities: reliability curve, ECE, Brier score, and recalibration on the tuning split."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from models_ml.errors import LabError
from models_ml.evaluation.predictions import Floats, Labels
from readerstudy.results.evaluation import Calibration, CalibrationBin, Recalibrated

BINS = 10
UNCHANGED = np.array([1.0, 0.0])  # slope and intercept
RIDGE = 1e-4
_EDGE = 1e-7  # a float32 softmax can be exactly 0 or 1, where the logit is infinite


@dataclass(frozen=True)
class Recalibration:
    """σ(slope · logit(p) + intercept) of a probability p (Platt, 1999).

    A temperature (Guo et al., 2017) has no intercept; `Recalibrated.NONE` leaves the probability unchanged.
    """

    method: Recalibrated = Recalibrated.NONE
    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, score: Floats) -> Floats:
        if self.method is Recalibrated.NONE:
            return score
        probability: Floats = expit(self.slope * _logit(score) + self.intercept)
        return probability


def recalibrate(score: Floats, labels: Labels, method: Recalibrated) -> Recalibration:
    """Return the recalibration fitted on the tuning split by maximum likelihood; arrays are (N,).

    A small ridge towards "unchanged" keeps the slope finite if the score separates the classes completely.
    Raises LabError if a class is missing.
    """
    if method is Recalibrated.NONE:
        return Recalibration()
    if len(np.unique(labels)) < 2:
        raise LabError("Recalibration needs positive and other images in the tuning split.")
    x, sign = _logit(score), np.where(labels == 1, 1.0, -1.0)
    moves = np.array([1.0, float(method is Recalibrated.PLATT)])  # which of slope and intercept are fitted

    def loss(point: Floats) -> tuple[float, Floats]:
        away = (point - UNCHANGED) * moves
        slope, intercept = UNCHANGED + away
        margin = sign * (slope * x + intercept)
        pull = -sign * expit(-margin) / len(x)
        gradient = np.array([pull @ x, pull.sum()]) + 2 * RIDGE * away
        return float(np.logaddexp(0, -margin).mean() + RIDGE * away @ away), gradient * moves

    slope, intercept = minimize(loss, UNCHANGED, jac=True, method="BFGS").x
    return Recalibration(method, float(slope), float(intercept) if method is Recalibrated.PLATT else 0.0)


def calibration(score: Floats, labels: Labels, how: Recalibration, *, bins: int = BINS) -> Calibration:
    """Return the calibration of the recalibrated probabilities, in bins of equal count.

    `score` and `labels` (N,) are of other images than the recalibration was fitted on.
    """
    probability = how(score)
    curve = reliability(probability, labels, bins=bins)
    count = sum(part.images for part in curve)
    return Calibration(
        method=how.method,
        slope=how.slope,
        intercept=how.intercept,
        ece=float(sum(part.images * abs(part.mean - part.share) for part in curve) / count),
        brier=float(np.mean((probability - labels) ** 2)),
        bins=curve,
    )


def reliability(probability: Floats, labels: Labels, *, bins: int = BINS) -> tuple[CalibrationBin, ...]:
    """Return bins of (nearly) equally many images by rising probability.

    Equal probabilities share a bin, so the order of the images has no effect. Raises LabError without images.
    """
    if not len(probability):
        raise LabError("Calibration needs images.")
    values, first = np.unique(np.sort(probability), return_index=True)
    # A value goes into the bin of the mean rank of its images.
    counts = np.diff(np.append(first, len(probability)))
    bin_of_value = ((first + (counts - 1) / 2) * bins / len(probability)).astype(int)
    bin_of_image = bin_of_value[np.searchsorted(values, probability)]
    parts = [bin_of_image == number for number in np.unique(bin_of_image)]
    return tuple(
        CalibrationBin(int(part.sum()), float(probability[part].mean()), float(labels[part].mean())) for part in parts
    )


def _logit(score: Floats) -> Floats:
    inner: Floats = logit(np.clip(score, _EDGE, 1 - _EDGE))
    return inner
