"""Covariances over cases of the cells' estimates: DeLong's, the jackknife's and the unbiased ones."""

from typing import Literal

import numpy as np

from readerstudy.statistics.mrmc.figures_of_merit import StructuralComponents
from readerstudy.statistics.mrmc.readings import CellBlock, CodedReadings, Floats
from readerstudy.statistics.mrmc.success_kernel import pair_sums

Covariance = Literal["delong", "jackknife", "unbiased"]
COVARIANCES = ("delong", "jackknife", "unbiased")


def covariances(
    block: CellBlock, components: StructuralComponents, readings: CodedReadings, method: Covariance
) -> Floats:
    """Return the covariance matrix (cells, cells) of one block.

    Cases that one of two cells lacks do not contribute. Raises ValueError if the unbiased method has too few cases.
    """
    if method == "delong":
        return _delong(components)
    if method == "jackknife":
        return jackknife(components, readings.cases)
    return _unbiased(block, readings)


def _delong(components: StructuralComponents) -> Floats:
    """Return covariances from structural components (DeLong, DeLong & Clarke-Pearson, 1988); s²/n for proportions.

    Each sample's products are divided by √(n(n − 1)) of either cell. This equals n(n − 1) if both cells hold all
    cases, and keeps the matrix positive semi-definite if they do not.
    """
    scaled = [s.deviations / np.sqrt(s.counts * (s.counts - 1))[:, None] for s in components.samples]
    total: Floats = np.sum([values @ values.T for values in scaled], axis=0)
    return total


def jackknife(components: StructuralComponents, cases: int) -> Floats:
    """Return leave-one-case-out covariances (cells, cells) (Quenouille, 1956): omitting a case changes d/(n − 1).

    This closed form is exact for every figure that is a mean over cases, or over pairs of a case of each class. N in
    the factor (N − 1)/N counts every case of the study, also in nested designs, as the published programs do.
    """
    changes = [s.deviations / (s.counts - 1)[:, None] for s in components.samples]
    total: Floats = np.sum([values @ values.T for values in changes], axis=0) * ((cases - 1) / cases)
    return total


def _unbiased(block: CellBlock, readings: CodedReadings) -> Floats:
    """Return covariances from moments of pairs without a common case (Gallas, Pennello & Myers, 2007)."""
    values, pairs = pair_sums(block.tables, readings.figure)
    estimates, sizes = values[-1], pairs[-1]
    # Pairs of readings (or pairs of pairs) without a common case are all pairs minus those that share one.
    signs = np.array([(-1.0) ** bin(len(values) - 1 - k).count("1") for k in range(len(values))])
    disjoint, number = np.tensordot(signs, values, 1), np.tensordot(signs, pairs, 1)
    if not (number > 0.5).all():
        raise ValueError("covariance='unbiased' needs at least two cases of each truth for each pair of cells.")
    matrix: Floats = estimates / sizes - disjoint / number
    return matrix
