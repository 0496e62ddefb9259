"""Trivial controls of Table 1: the AUC of facts about an image that do not depend on seeing its finding.

In public collections the size of a file or its mean grey level often differs between images with and without a
finding, because they come from different devices. A classifier can learn this difference in place of the finding (Zech
et al., 2018, PLoS Med 15:e1002683). Everything that must be learnt is learnt on training images, so that .5 is chance.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models_ml.evaluation.predictions import Floats, Labels
from readerstudy.imaging.image import Grey16
from readerstudy.results.evaluation import ControlName, TrivialControl
from readerstudy.statistics.roc import auc, auc_by_patient

PRIOR_WEIGHT: Final = 2.0  # images that the share among the nearest headers counts for (Cestnik, 1990)
DECIMALS: Final = 9  # of shares and distances; smaller differences are rounding errors


@dataclass(frozen=True)
class FileHeader:
    """What the header of a source file says without its pixels."""

    rows: int
    columns: int
    bits: int


@dataclass(frozen=True)
class GreyLevels:
    """Three figures of the grey levels of an image."""

    brightest: int
    mean: float
    standard_deviation: float

    @classmethod
    def of(cls, pixels: Grey16) -> "GreyLevels":
        """Return the figures of an image (H, W)."""
        return cls(int(pixels.max()), float(pixels.mean()), float(pixels.std()))


@dataclass(frozen=True)
class ControlImage:
    """A real image with the facts that the controls use; `label` is 1 for a positive image, else 0."""

    label: int
    patient: str
    header: FileHeader
    levels: GreyLevels


@dataclass(frozen=True)
class ControlScores:
    """What the controls learnt on training images say of the N test images, by control.

    `scores` (N,) are larger for images that are more likely positive; 0 is what an average training image has, so that
    the scores of several folds can be compared. `values` (N, …) are the facts themselves.
    """

    labels: Labels
    patients: NDArray[np.str_]
    scores: Mapping[ControlName, Floats]
    values: Mapping[ControlName, NDArray[Any]]


def trivial_controls(
    training: Sequence[ControlImage], test: Sequence[ControlImage], *, seed: int, replicates: int
) -> tuple[TrivialControl, ...]:
    """Return the AUC of each control on the test images, with an interval from resampled patients.

    The same patients are resampled for each control. Empty if the training images are all of one class: nothing can
    be learnt from them.
    """
    scores = control_scores(training, test)
    return () if scores is None else pooled_controls([scores], seed=seed, replicates=replicates)


def control_scores(training: Sequence[ControlImage], test: Sequence[ControlImage]) -> ControlScores | None:
    """Return the scores of the test images; None if the training images are all of one class."""
    known = _labels(training)
    if len(np.unique(known)) < 2:
        return None
    headers = _headers(test)
    share = header_scores(_headers(training), known, headers) - known.mean()
    scores: dict[ControlName, Floats] = {ControlName.HEADER: share.round(DECIMALS - 1)}
    values: dict[ControlName, NDArray[Any]] = {ControlName.HEADER: headers}
    for name, level in _LEVELS.items():
        learnt, values[name] = _column(training, level), _column(test, level)
        scores[name] = directed_scores(learnt, known, values[name] - np.median(learnt))
    return ControlScores(_labels(test), np.array([image.patient for image in test]), scores, values)


def pooled_controls(parts: Sequence[ControlScores], *, seed: int, replicates: int) -> tuple[TrivialControl, ...]:
    """Return the AUC of each control on the test images of all parts together, each scored by what its part learnt."""
    labels = np.concatenate([part.labels for part in parts])
    patients = np.concatenate([part.patients for part in parts])
    controls = []
    for name in (ControlName.HEADER, *_LEVELS):
        score = np.concatenate([part.scores[name] for part in parts])
        area = auc_by_patient(score, labels, patients, np.random.default_rng(seed), replicates=replicates)
        values = np.concatenate([part.values[name] for part in parts])
        controls.append(TrivialControl(name, area, len(np.unique(values, axis=0))))
    return tuple(controls)


def header_scores(training: NDArray[np.int64], labels: Labels, headers: NDArray[np.int64]) -> Floats:
    """Return how often images with each of `headers` (N, 3) are positive, from training images (M, 3) and (M,).

    A header (rows, columns, bits) is a category: the score is the share of positives among the training images with the
    same header. It is smoothed by the share among those with the nearest headers, which alone counts for a header that
    training lacks. Sizes of cropped files are nearly all different, and only their neighbours tell anything. The
    distance is Euclidean, each axis in doublings; the neighbours are √M images and all at the same distance. Thus the
    relation may have any form, and nothing needs tuning.
    """
    known, of_known = np.unique(training, axis=0, return_inverse=True)
    images = np.bincount(of_known.ravel())
    positives = np.bincount(of_known.ravel(), weights=labels)
    wanted, of_wanted = np.unique(headers, axis=0, return_inverse=True)
    scores = np.empty(len(wanted))
    for index, header in enumerate(wanted):
        distance = np.linalg.norm(_in_doublings(known) - _in_doublings(header), axis=1).round(DECIMALS)
        order = np.argsort(distance)
        radius = distance[order[np.searchsorted(np.cumsum(images[order]), ceil(sqrt(len(labels))))]]
        near, same = distance <= radius, (known == header).all(axis=1)
        prior = positives[near].sum() / images[near].sum()
        scores[index] = (positives[same].sum() + PRIOR_WEIGHT * prior) / (images[same].sum() + PRIOR_WEIGHT)
    # Two headers with the same share must tie: their order would be that of rounding errors.
    shares: Floats = scores.round(DECIMALS)[of_wanted.ravel()]
    return shares


def directed_scores(training: Floats, labels: Labels, values: Floats) -> Floats:
    """Return `values` (N,), negated if positive training images have the lower values (M,)."""
    return values if auc(training, labels) >= 0.5 else -values


def _in_doublings(headers: NDArray[np.int64]) -> Floats:
    """Return headers (…, 3) with sizes as logarithms to base 2; a bit is a doubling of the grey levels already."""
    axes: Floats = np.concatenate([np.log2(headers[..., :2]), headers[..., 2:]], axis=-1)
    return axes


def _headers(images: Sequence[ControlImage]) -> NDArray[np.int64]:
    headers = [(image.header.rows, image.header.columns, image.header.bits) for image in images]
    return np.array(headers, dtype=np.int64).reshape(-1, 3)


def _labels(images: Sequence[ControlImage]) -> Labels:
    return np.array([image.label for image in images], dtype=np.int64)


def _column(images: Sequence[ControlImage], level: Callable[[GreyLevels], float]) -> Floats:
    return np.array([level(image.levels) for image in images], dtype=float)


_LEVELS: Final[dict[ControlName, Callable[[GreyLevels], float]]] = {
    ControlName.BRIGHTEST_PIXEL: lambda levels: levels.brightest,
    ControlName.MEAN: lambda levels: levels.mean,
    ControlName.STANDARD_DEVIATION: lambda levels: levels.standard_deviation,
}
