"""Covariances of the cells' estimates over cases: DeLong's, the jackknife's, and the unbiased ones."""

from typing import Literal

import numpy as np

from readerstudy.statistics.mrmc.figures_of_merit import Components
from readerstudy.statistics.mrmc.readings import Block, Floats, Readings
from readerstudy.statistics.mrmc.success_kernel import pair_sums

Covariance = Literal["delong", "jackknife", "unbiased"]
COVARIANCES = ("delong", "jackknife", "unbiased")


def covariances(block: Block, found: Components, readings: Readings, method: Covariance) -> Floats:
    """The matrix (cells, cells) of one block, by the method's name; cases that one of two cells lacks add nothing."""
    if method == "delong":
        return _delong(found)
    if method == "jackknife":
        return _jackknife(found, readings.cases)
    return _unbiased(block, readings)


def _delong(found: Components) -> Floats:
    """From structural components (DeLong, DeLong & Clarke-Pearson, 1988); for proportions the usual s²/n.

    Each sample's products are divided by √(n(n − 1)) of either cell, which is n(n − 1) where both read all cases
    and keeps the matrix positive semi-definite where they did not.
    """
    scaled = [s.deviations / np.sqrt(s.counts * (s.counts - 1))[:, None] for s in found.samples]
    total: Floats = np.sum([values @ values.T for values in scaled], axis=0)
    return total


def _jackknife(found: Components, cases: int) -> Floats:
    """Leave one case out (Quenouille, 1956), without recomputing: an estimate less a case differs by d/(n − 1).

    The factor (N − 1)/N takes every case of the study, as the published programs do, in nested designs too.
    """
    left_out = [s.deviations / (s.counts - 1)[:, None] for s in found.samples]
    total: Floats = np.sum([values @ values.T for values in left_out], axis=0) * ((cases - 1) / cases)
    return total


def _unbiased(block: Block, readings: Readings) -> Floats:
    """From the moments of pairs without a common case (Gallas, Pennello & Myers, 2007)."""
    values, pairs = pair_sums(block.tables, readings.figure)
    estimates, sizes = values[-1], pairs[-1]
    # Pairs of readings (or pairs of pairs) without a common case: all, less those that share one.
    signs = np.array([(-1.0) ** bin(len(values) - 1 - k).count("1") for k in range(len(values))])
    apart, number = np.tensordot(signs, values, 1), np.tensordot(signs, pairs, 1)
    if not (number > 0.5).all():
        raise ValueError("covariance='unbiased' needs at least two cases of each truth for every two cells.")
    matrix: Floats = estimates / sizes - apart / number
    return matrix
