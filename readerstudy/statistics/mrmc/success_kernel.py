"""Sums of products of the success kernel s(x, y).

s is 1, ½ or 0 if a negative case scores below, equal to or above a positive one. If scores have few levels, s is a
short sum of products of a function of x and a function of y, so sums over all n₀ × n₁ pairs follow from category
counts. Otherwise the kernel is computed in strips that fit the cache.
"""

from collections.abc import Iterator

import numpy as np

from readerstudy.statistics.mrmc.figures_of_merit import few_levels, level_codes
from readerstudy.statistics.mrmc.readings import FigureOfMerit, Floats

STRIP = 1 << 18  # elements of the kernel that are computed at once


def kernel_factors(tables: tuple[Floats, ...], figure: FigureOfMerit) -> tuple[Floats, Floats] | None:
    """Return two arrays (cells, terms, cases) with s(x, y) = Σ over terms of their products; 0 if unread.

    Returns None if scores have too many levels.
    """
    negatives, positives = tables
    if figure == "balanced_accuracy":
        read = [np.where(np.isnan(table), 0.0, 1.0) for table in tables]
        hits = [np.nan_to_num(table) for table in tables]
        return np.stack([hits[0] / 2, read[0] / 2], axis=1), np.stack([read[1], hits[1]], axis=1)
    levels = few_levels(negatives, positives)
    if levels is None:
        return None
    codes = [level_codes(table, levels) for table in tables]
    level = np.arange(levels.size)[:, None]
    x = (codes[0][:, None, :] == level).astype(float)
    y = ((codes[1][:, None, :] > level) + (codes[1][:, None, :] >= level).astype(float)) / 2
    y[np.broadcast_to(codes[1][:, None, :] == levels.size, y.shape)] = 0.0
    return x, y


def success_kernel(negatives: Floats, positives: Floats) -> Floats:
    """Return the kernel (..., negatives, positives); 0 if unread, since comparisons with NaN are false."""
    x, y = negatives[..., :, None], positives[..., None, :]
    kernel: Floats = (y > x).astype(float)
    kernel += y >= x
    kernel /= 2
    return kernel


def strips(negatives: int, positives: int) -> Iterator[slice]:
    """Yield slices of the positives for which the kernel has at most STRIP elements."""
    width = max(1, STRIP // max(1, negatives))
    for start in range(0, positives, width):
        yield slice(start, min(start + width, positives))


def pair_sums(tables: tuple[Floats, ...], figure: FigureOfMerit) -> tuple[Floats, Floats]:
    """Return for every two cells Σ s·s′ and the number of pairs, by what the pairs share.

    Both arrays have shape (4, cells, cells): both cases, the positive, the negative, or anything. With a single sample
    of cases the shape is (2, cells, cells): the case, or anything.
    """
    read = tuple((~np.isnan(table)).astype(float) for table in tables)
    if len(tables) == 1:
        hits = np.nan_to_num(tables[0])
        return _one_sample(hits), _one_sample(read[0])
    pairs = _two_samples((read[0][:, None], read[1][:, None]))
    terms = kernel_factors(tables, figure)
    if terms is not None:
        return _two_samples(terms), pairs
    cells = len(tables[0])
    both, by_negative = np.zeros((cells, cells)), np.zeros(tables[0].shape)
    by_positive: list[Floats] = []
    for strip in strips(cells * tables[0].shape[1], tables[1].shape[1]):
        kernel = success_kernel(tables[0], tables[1][:, strip])
        flat = kernel.reshape(cells, -1)
        both += flat @ flat.T
        by_negative += kernel.sum(axis=2)
        by_positive.append(kernel.sum(axis=1))
    return _shared(both, by_negative, np.concatenate(by_positive, axis=1)), pairs


def _one_sample(values: Floats) -> Floats:
    totals = values.sum(axis=1)
    return np.stack([values @ values.T, np.outer(totals, totals)])


def _two_samples(factors: tuple[Floats, Floats]) -> Floats:
    x, y = factors
    cells, terms = x.shape[:2]
    flat = [values.reshape(cells * terms, -1) for values in (x, y)]
    products = (flat[0] @ flat[0].T) * (flat[1] @ flat[1].T)
    both = products.reshape(cells, terms, cells, terms).sum(axis=(1, 3))
    by_negative = np.einsum("ckn,ck->cn", x, y.sum(axis=2), optimize=True)
    by_positive = np.einsum("ckn,ck->cn", y, x.sum(axis=2), optimize=True)
    return _shared(both, by_negative, by_positive)


def _shared(both: Floats, by_negative: Floats, by_positive: Floats) -> Floats:
    totals = by_positive.sum(axis=1)
    return np.stack([both, by_positive @ by_positive.T, by_negative @ by_negative.T, np.outer(totals, totals)])
