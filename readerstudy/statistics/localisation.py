"""Figures of merit of marks in images: areas under the LROC and the weighted AFROC curve, of one reader or of several.

An image without the signal (`truth` 0) can only be marked wrongly. An image with it (`truth` 1) has regions; a mark
inside of one localises it.

- LROC: one rating per image. The area is the mean over pairs of images, one of each class, of: 1 if the image with the
  signal is rated higher, ½ if equal, and 0 if its signal was not localised (Swensson, 1996, Med. Phys. 23:1709;
  Popescu, 2007, Med. Phys. 34:1556). Who guesses, and localises by chance with probability a, has an area of a/2.
- AFROC: the rating of the mark on each region, −∞ without one, against the highest rating of a mark in an image
  without the signal, −∞ without one. The regions of an image share its weight equally, so that every image counts once
  (Chakraborty and Berbaum, 2004, Med. Phys. 31:2313; Chakraborty and Zhai, 2016, Med. Phys. 43:2548). Two images
  without marks are equal and count ½.

Both are means over pairs of images, so leaving one image out has a closed form, and the analysis over readers is that
of `mrmc.obuchowski_rockette` with the jackknife's covariances.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from readerstudy.statistics.mrmc.anova import analyse_cells, check_options
from readerstudy.statistics.mrmc.covariance import jackknife
from readerstudy.statistics.mrmc.figures_of_merit import CaseSample, StructuralComponents
from readerstudy.statistics.mrmc.readings import (
    CodedReadings,
    Design,
    Floats,
    Integers,
    code_labels,
    code_readings,
    signal_mask,
)
from readerstudy.statistics.mrmc.results import ObuchowskiRockette, RandomFactors

UNMARKED = -np.inf  # the rating of a region, or of an image without the signal, that has no mark


@dataclass(frozen=True)
class Localisation:
    """An area of one reader with its jackknife variance over images, and its interval, clipped to 0 to 1.

    If nothing varies, `low` and `high` are None: an interval of no width would claim certainty.
    """

    area: float
    variance: float
    low: float | None
    high: float | None


def lroc(score: ArrayLike, truth: ArrayLike, located: ArrayLike, *, confidence: float = 0.95) -> Localisation:
    """Return the area under the LROC curve of one reader. Each array has shape (n,), one element per image.

    `score` is finite and higher for the signal, `located` says whether the signal (`truth` 1) was marked; it is ignored
    for `truth` 0. Raises ValueError for other input, and with fewer than two images of a class.

    >>> lroc([1, 2, 3, 2, 3, 4], [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 0, 1]).area
    0.5
    """
    rating = _lroc_ratings(score, truth, located)
    return _of_one_reader(rating, truth, np.arange(rating.size), np.zeros(rating.size, dtype=int), confidence)


def afroc(
    score: ArrayLike, truth: ArrayLike, case: ArrayLike, region: ArrayLike, *, confidence: float = 0.95
) -> Localisation:
    """Return the area under the weighted AFROC curve of one reader.

    Each array has shape (n,): one element per region of an image with the signal (`truth` 1), and one per image without
    it. `score` is the rating of the mark on the region, or the highest rating of a mark in the image; UNMARKED without
    one. `region` distinguishes the regions of an image. Raises ValueError for other input, and with fewer than two
    images of a class.

    >>> afroc([1, UNMARKED, 2, UNMARKED, 3], [0, 0, 1, 1, 1], [1, 2, 3, 3, 4], [0, 0, 0, 1, 0]).area
    0.8125
    """
    return _of_one_reader(score, truth, case, region, confidence)


def compare_lroc(
    score: ArrayLike,
    truth: ArrayLike,
    located: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    condition: ArrayLike,
    *,
    design: Design = "crossed",
    random: RandomFactors = "both",
    confidence: float = 0.95,
) -> ObuchowskiRockette:
    """Compare areas under the LROC curve between conditions, over readers. Each array is (n,), one element per reading.

    As `mrmc.obuchowski_rockette`, with the jackknife's covariances. Raises ValueError if the readings cannot be
    analysed.
    """
    rating = _lroc_ratings(score, truth, located)
    columns = (rating, truth, reader, case, condition)
    return _compare("lroc", columns, np.zeros(rating.size, dtype=int), design, random, confidence)


def compare_afroc(
    score: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    condition: ArrayLike,
    region: ArrayLike,
    *,
    design: Design = "crossed",
    random: RandomFactors = "both",
    confidence: float = 0.95,
) -> ObuchowskiRockette:
    """Compare weighted AFROC areas between conditions, over readers. The elements (n,) are those of `afroc`.

    As `mrmc.obuchowski_rockette`, with the jackknife's covariances. Raises ValueError if the readings cannot be
    analysed, also if a reading lacks a region that others of the same case have.
    """
    return _compare("afroc", (score, truth, reader, case, condition), region, design, random, confidence)


def _lroc_ratings(score: ArrayLike, truth: ArrayLike, located: ArrayLike) -> Floats:
    """Return the ratings (n,), UNMARKED where the signal was not localised: no image is rated lower."""
    rating, positive, found = np.array(score, dtype=float), signal_mask(truth), np.asarray(located)
    if rating.shape != positive.shape or found.shape != positive.shape:
        raise ValueError(f"score, truth and located differ in length: {rating.size}, {positive.size}, {found.size}.")
    if not np.isfinite(rating).all():
        raise ValueError("score must be finite: for LROC every image has a rating.")
    rating[positive & ~found.astype(bool)] = UNMARKED
    return rating


def _of_one_reader(
    score: ArrayLike, truth: ArrayLike, case: ArrayLike, region: ArrayLike, confidence: float
) -> Localisation:
    check_options("jackknife", "cases", confidence)
    one = np.zeros(np.size(score), dtype=int)
    readings = _coded((score, truth, one, case, one), "crossed")
    components = _components(readings, region)
    area, variance = float(components.estimates[0]), float(jackknife(components, readings.cases)[0, 0])
    if variance <= 0:
        return Localisation(area, 0.0, None, None)
    half = float(ndtri((1 + confidence) / 2)) * np.sqrt(variance)
    return Localisation(area, variance, float(max(area - half, 0.0)), float(min(area + half, 1.0)))


def _compare(
    figure: Literal["lroc", "afroc"],
    columns: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    region: ArrayLike,
    design: Design,
    random: RandomFactors,
    confidence: float,
) -> ObuchowskiRockette:
    check_options("jackknife", random, confidence)
    readings = _coded(columns, design)
    components = _components(readings, region)
    shape = (len(readings.conditions), len(readings.readers))
    return analyse_cells(
        components.estimates.reshape(shape),
        jackknife(components, readings.cases).reshape(shape + shape),
        readings,
        figure=figure,
        design=design,
        covariance="jackknife",
        random=random,
        confidence=confidence,
    )


def _coded(columns: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike, ArrayLike], design: Design) -> CodedReadings:
    return code_readings(*columns, figure="auc", threshold=None, design=design)


def _components(readings: CodedReadings, region: ArrayLike) -> StructuralComponents:
    """Return the areas of all cells, and the deviation of each image's part from them."""
    negatives = _table(readings, ~readings.positive, readings.case)[0]
    labels = np.asarray(region)
    if labels.shape != readings.score.shape:
        raise ValueError(f"region has {labels.size} elements, score has {readings.score.size}.")
    codes = code_labels(labels)[0]
    regions, keys = _table(readings, readings.positive, readings.case * (int(codes.max()) + 1) + codes)
    owner = code_labels(keys // (int(codes.max()) + 1))[0]
    weight = 1 / np.bincount(owner)[owner]  # the regions of an image share its weight
    read = ~np.isnan(regions)
    cases = owner.max() + 1
    complete = _sums(read * weight, owner)
    if ((complete > 0) & (complete < 1 - 1e-9)).any():
        cell = int(np.flatnonzero(((complete > 0) & (complete < 1 - 1e-9)).any(axis=1))[0])
        raise ValueError(f"region: {readings.cell_label(cell)} lacks a region of an image; UNMARKED is its rating.")
    beaten_by = np.full(negatives.shape, np.nan)
    beats = np.full((len(regions), cases), np.nan)
    for cell, (x, y) in enumerate(zip(negatives, regions, strict=True)):
        has_x, has_y, own = ~np.isnan(x), ~np.isnan(y), complete[cell] > 0
        if has_x.sum() < 2 or own.sum() < 2:
            raise ValueError(f"truth: {readings.cell_label(cell)} has fewer than two images of a class.")
        won = _below(x[has_x], np.ones(int(has_x.sum())), y[has_y]) / has_x.sum()
        beats[cell, own] = np.bincount(owner[has_y], won * weight[has_y], minlength=cases)[own]
        share = weight[has_y] / own.sum()
        beaten_by[cell, has_x] = _below(-y[has_y], share, -x[has_x])
    estimates = np.nanmean(beats, axis=1)
    samples = (
        CaseSample(np.nan_to_num(part - estimates[:, None]), (~np.isnan(part)).sum(axis=1).astype(float))
        for part in (beaten_by, beats)
    )
    return StructuralComponents(estimates, tuple(samples))


def _table(readings: CodedReadings, chosen: NDArray[np.bool_], key: Integers) -> tuple[Floats, Integers]:
    """Return the scores of one class by cell and key, NaN if unread, and the keys of the columns."""
    cells = len(readings.conditions) * len(readings.readers)
    if not chosen.any():
        raise ValueError("truth has images of one class only.")
    column, keys = code_labels(key[chosen])
    table = np.full((cells, len(keys)), np.nan)
    table[readings.cell[chosen], column] = readings.score[chosen]
    if int((~np.isnan(table)).sum()) < int(chosen.sum()):
        raise ValueError("case: a reader has two ratings of the same image or region in the same condition.")
    return table, np.asarray(keys, dtype=np.int64)


def _sums(values: Floats, owner: Integers) -> Floats:
    """Return the sums (cells, cases) of values (cells, regions) over the regions of each case."""
    return np.stack([np.bincount(owner, row, minlength=int(owner.max()) + 1) for row in values])


def _below(values: Floats, weights: Floats, thresholds: Floats) -> Floats:
    """Return the sum of the weights of the values below each threshold; equal ones count half."""
    order = np.argsort(values, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(weights[order])])
    left, right = (np.searchsorted(values[order], thresholds, side) for side in ("left", "right"))
    sums: Floats = (total[left] + total[right]) / 2
    return sums
