"""Figures of merit of every cell, and the contribution of each case."""

from dataclasses import dataclass

import numpy as np

from readerstudy.statistics.mrmc.readings import CellBlock, CodedReadings, FigureOfMerit, Floats, Integers

FEW_LEVELS = 16  # up to this number of distinct scores, counts per category are used


@dataclass(frozen=True)
class CaseSample:
    """Contributions of cases (cells, cases) minus the cell's estimate, 0 if unread; `counts` are cases per cell.

    For AUC the contributions are DeLong's structural components: the share of the other class that a case outranks.
    """

    deviations: Floats
    counts: Floats  # (cells,)


@dataclass(frozen=True)
class StructuralComponents:
    """Estimates of a block's cells (cells,), with one sample of cases per class of truth, or a single sample."""

    estimates: Floats
    samples: tuple[CaseSample, ...]


def structural_components(block: CellBlock, readings: CodedReadings) -> StructuralComponents:
    """Estimate every cell of the block. Raises ValueError if a cell has fewer than two cases of a class."""
    counts = [(~np.isnan(table)).sum(axis=1) for table in block.tables]
    for truth, count in enumerate(counts):
        if (few := count < 2).any():
            cell = readings.cell_label(int(block.cells[int(np.flatnonzero(few)[0])]))
            kind = f" with truth {truth}" if len(counts) == 2 else ""
            raise ValueError(f"truth: {cell} has fewer than two cases{kind}; {readings.figure} needs them.")
    contributions = case_contributions(block.tables, readings.figure)
    estimates = np.nansum(contributions[-1], axis=1) / counts[-1]
    samples = (
        CaseSample(np.nan_to_num(values - estimates[:, None]), count.astype(float))
        for values, count in zip(contributions, counts, strict=True)
    )
    return StructuralComponents(estimates, tuple(samples))


def case_contributions(tables: tuple[Floats, ...], figure: FigureOfMerit) -> tuple[Floats, ...]:
    """Return per sample (cells, cases) the mean of the kernel over the other class, NaN if unread."""
    if len(tables) == 1:
        return tables
    negatives, positives = tables
    if figure == "balanced_accuracy":
        specificity, sensitivity = (np.nanmean(table, axis=1, keepdims=True) for table in tables)
        return (negatives + sensitivity) / 2, (specificity + positives) / 2
    return _by_counts(negatives, positives) or _by_ranks(negatives, positives)


def few_levels(*tables: Floats) -> Floats | None:
    """Return the sorted distinct scores if there are at most FEW_LEVELS, else None."""
    sample = np.unique(np.concatenate([table.ravel()[:1000] for table in tables]))
    if (~np.isnan(sample)).sum() > FEW_LEVELS:
        return None
    levels = np.unique(np.concatenate([table.ravel() for table in tables]))
    levels = levels[~np.isnan(levels)]
    return levels if levels.size <= FEW_LEVELS else None


def level_codes(table: Floats, levels: Floats) -> Integers:
    """Return the index of each score among the levels; `levels.size` if unread."""
    codes: Integers = np.searchsorted(levels, table)  # NaN sorts last
    return codes


def _by_counts(negatives: Floats, positives: Floats) -> tuple[Floats, Floats] | None:
    """Return contributions from counts per category (cells, levels), or None if there are too many categories."""
    levels = few_levels(negatives, positives)
    if levels is None:
        return None
    codes = [level_codes(table, levels) for table in (negatives, positives)]
    counts = [np.stack([(code == k).sum(axis=1) for k in range(levels.size)], axis=1) for code in codes]
    below = [np.cumsum(count, axis=1) - count / 2 for count in counts]  # ties count half
    totals = [count.sum(axis=1, keepdims=True) for count in counts]
    unread = np.full((len(negatives), 1), np.nan)
    beaten_by = np.hstack([1 - below[1] / totals[1], unread])
    beats = np.hstack([below[0] / totals[0], unread])
    return np.take_along_axis(beaten_by, codes[0], axis=1), np.take_along_axis(beats, codes[1], axis=1)


def _by_ranks(negatives: Floats, positives: Floats) -> tuple[Floats, Floats]:
    """Return contributions by sorting each cell's scores, in n log n for any number of levels."""
    beaten_by, beats = np.full_like(negatives, np.nan), np.full_like(positives, np.nan)
    for cell, (x, y) in enumerate(zip(negatives, positives, strict=True)):
        read_x, read_y = ~np.isnan(x), ~np.isnan(y)
        low, high = np.sort(x[read_x]), np.sort(y[read_y])
        beats[cell, read_y] = _below(low, y[read_y]) / low.size
        beaten_by[cell, read_x] = 1 - _below(high, x[read_x]) / high.size
    return beaten_by, beats


def _below(ordered: Floats, values: Floats) -> Floats:
    """Count the ordered scores below each value; ties count half."""
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
