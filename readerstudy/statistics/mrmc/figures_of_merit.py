"""Figures of merit of every cell, and what each case contributes to them."""

from dataclasses import dataclass

import numpy as np

from readerstudy.statistics.mrmc.readings import Block, Figure, Floats, Integers, Readings

FEW_LEVELS = 16  # up to here the counts per category say all


@dataclass(frozen=True)
class Sample:
    """Contributions (cells, cases) less the cell's estimate, 0 where nothing was read; how many cases each cell has.

    For AUC these are DeLong's structural components: the share of the other class that a case beats.
    """

    deviations: Floats
    counts: Floats  # (cells,)


@dataclass(frozen=True)
class Components:
    """Estimates of a block's cells, and one sample of cases per class of truth (or one in all)."""

    estimates: Floats
    samples: tuple[Sample, ...]


def components(block: Block, readings: Readings) -> Components:
    """Estimate every cell of the block; raises ValueError where a cell lacks cases."""
    counts = [(~np.isnan(table)).sum(axis=1) for table in block.tables]
    for place, count in enumerate(counts):
        if (few := count < 2).any():
            cell = readings.name_of(int(block.cells[int(np.flatnonzero(few)[0])]))
            kind = f" with truth {place}" if len(counts) == 2 else ""
            raise ValueError(f"truth: {cell} has fewer than two cases{kind}; {readings.figure} needs them.")
    contributions = contributions_of(block.tables, readings.figure)
    estimates = np.nansum(contributions[-1], axis=1) / counts[-1]
    samples = (
        Sample(np.nan_to_num(values - estimates[:, None]), count.astype(float))
        for values, count in zip(contributions, counts, strict=True)
    )
    return Components(estimates, tuple(samples))


def contributions_of(tables: tuple[Floats, ...], figure: Figure) -> tuple[Floats, ...]:
    """Per sample (cells, cases): the mean of the kernel over the other class, NaN where nothing was read."""
    if len(tables) == 1:
        return tables
    negatives, positives = tables
    if figure == "balanced_accuracy":
        specificity, sensitivity = (np.nanmean(table, axis=1, keepdims=True) for table in tables)
        return (negatives + sensitivity) / 2, (specificity + positives) / 2
    return _by_counts(negatives, positives) or _by_ranks(negatives, positives)


def levels_of(*tables: Floats) -> Floats | None:
    """The distinct scores, sorted, where they are few; None where counting categories does not pay."""
    sample = np.unique(np.concatenate([table.ravel()[:1000] for table in tables]))
    if (~np.isnan(sample)).sum() > FEW_LEVELS:
        return None
    levels = np.unique(np.concatenate([table.ravel() for table in tables]))
    levels = levels[~np.isnan(levels)]
    return levels if levels.size <= FEW_LEVELS else None


def level_codes(table: Floats, levels: Floats) -> Integers:
    """The place of each score among the levels; `levels.size` where nothing was read."""
    places: Integers = np.searchsorted(levels, table)  # NaN sorts behind everything
    return places


def _by_counts(negatives: Floats, positives: Floats) -> tuple[Floats, Floats] | None:
    """Placements from the counts per category (cells, levels); None where there are too many categories."""
    levels = levels_of(negatives, positives)
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
    """Placements by sorting each cell's scores: n log n, no matter how many differ."""
    beaten_by, beats = np.full_like(negatives, np.nan), np.full_like(positives, np.nan)
    for cell, (x, y) in enumerate(zip(negatives, positives, strict=True)):
        read_x, read_y = ~np.isnan(x), ~np.isnan(y)
        low, high = np.sort(x[read_x]), np.sort(y[read_y])
        beats[cell, read_y] = _below(low, y[read_y]) / low.size
        beaten_by[cell, read_x] = 1 - _below(high, x[read_x]) / high.size
    return beaten_by, beats


def _below(ordered: Floats, values: Floats) -> Floats:
    """How many of the ordered scores lie below each value, ties half."""
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
