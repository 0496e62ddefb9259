"""Whether a probability of cancer means what it says, and how to make it do so."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from models_ml.errors import LabError
from models_ml.evaluation.predictions import Floats, Labels

Method = Literal["none", "temperature", "platt"]
METHODS: tuple[Method, ...] = ("none", "temperature", "platt")
BINS = 10
UNCHANGED = np.array([1.0, 0.0])  # slope and intercept
RIDGE = 1e-4
_EDGE = 1e-7  # a float32 softmax can say exactly 0 or 1, whose logit is infinite


@dataclass(frozen=True)
class Recalibration:
    """σ(slope · logit(p) + intercept): the logit made steeper or flatter, and moved (Platt, 1999).

    `temperature` (Guo et al., 2017) has no intercept; `none` leaves the probability as it is.
    """

    method: Method = "none"
    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, score: Floats) -> Floats:
        if self.method == "none":
            return score
        moved: Floats = expit(self.slope * _logit(score) + self.intercept)
        return moved


@dataclass(frozen=True)
class Bin:
    """Images with like probabilities: how many, the mean probability, and the share that is malignant."""

    images: int
    mean: float
    share: float


@dataclass(frozen=True)
class Calibration:
    """How far probabilities are from shares: the curve, its mean distance (ECE) and the Brier score (1950)."""

    method: Method
    slope: float
    intercept: float
    ece: float
    brier: float
    bins: tuple[Bin, ...]


def recalibrate(score: Floats, labels: Labels, method: Method) -> Recalibration:
    """Fit the method on the tuning split by maximum likelihood; LabError where a class is missing.

    A tiny ridge towards "unchanged" keeps classes that the score parts wholly from an infinite slope.
    """
    if method == "none":
        return Recalibration()
    if len(np.unique(labels)) < 2:
        raise LabError("Recalibration needs malignant and other images in the tuning split.")
    x, sign = _logit(score), np.where(labels == 1, 1.0, -1.0)
    moves = np.array([1.0, float(method == "platt")])  # which of slope and intercept may move

    def loss(point: Floats) -> tuple[float, Floats]:
        away = (point - UNCHANGED) * moves
        slope, intercept = UNCHANGED + away
        margin = sign * (slope * x + intercept)
        pull = -sign * expit(-margin) / len(x)
        gradient = np.array([pull @ x, pull.sum()]) + 2 * RIDGE * away
        return float(np.logaddexp(0, -margin).mean() + RIDGE * away @ away), gradient * moves

    found = minimize(loss, UNCHANGED, jac=True, method="BFGS").x
    return Recalibration(method, float(found[0]), float(found[1]) if method == "platt" else 0.0)


def calibration(score: Floats, labels: Labels, how: Recalibration, *, bins: int = BINS) -> Calibration:
    """Judge the recalibrated probabilities of other images than it was fitted on, in bins of equal count.

    Equal scores stay together, so that the order of the images means nothing.
    """
    probability = how(score)
    found = reliability(probability, labels, bins=bins)
    count = sum(one.images for one in found)
    return Calibration(
        method=how.method,
        slope=how.slope,
        intercept=how.intercept,
        ece=float(sum(one.images * abs(one.mean - one.share) for one in found) / count),
        brier=float(np.mean((probability - labels) ** 2)),
        bins=found,
    )


def reliability(probability: Floats, labels: Labels, *, bins: int = BINS) -> tuple[Bin, ...]:
    """The curve: bins of (nearly) equally many images by rising probability."""
    if not len(probability):
        raise LabError("Calibration needs images.")
    values, first = np.unique(np.sort(probability), return_index=True)
    # The bin of a value is that of the middle of its place among all images.
    counts = np.diff(np.append(first, len(probability)))
    of_value = ((first + (counts - 1) / 2) * bins / len(probability)).astype(int)
    place = of_value[np.searchsorted(values, probability)]
    chosen = [place == number for number in np.unique(place)]
    return tuple(Bin(int(c.sum()), float(probability[c].mean()), float(labels[c].mean())) for c in chosen)


def _logit(score: Floats) -> Floats:
    inner: Floats = logit(np.clip(score, _EDGE, 1 - _EDGE))
    return inner
