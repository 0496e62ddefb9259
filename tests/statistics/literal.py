"""The multi-reader analyses by their definitions: loops over every pair of readings, every case left out in turn."""

from itertools import product
from typing import Any

import numpy as np
from scipy import stats

from tests.statistics.mrmc.data import Study

THRESHOLD = 1.0

Case = tuple[int, int]
Cell = dict[Case, tuple[float, int]]  # score and truth of every case that one reader read in one condition


def cells_of(study: Study, figure: str, design: str) -> dict[tuple[int, int], Cell]:
    """Readings by condition and reader; a case is the same as another only where the design lets it be."""
    cells: dict[tuple[int, int], Cell] = {}
    for score, truth, reader, case, condition in zip(*study, strict=True):
        if (figure == "sensitivity" and truth == 0) or (figure == "specificity" and truth == 1):
            continue
        nest = {"crossed": 0, "cases_in_condition": int(condition), "cases_in_reader": int(reader)}[design]
        cell = cells.setdefault((int(condition), int(reader)), {})
        cell[int(case), nest] = (float(score), int(truth))
    return dict(sorted(cells.items()))


def kernels(cell: Cell, figure: str) -> list[tuple[tuple[Case, ...], float]]:
    """What the figure is the mean of, with the case or the two cases that each value comes from."""
    hits = {case: float((score >= THRESHOLD) == bool(truth)) for case, (score, truth) in cell.items()}
    if figure not in ("auc", "balanced_accuracy"):
        return [((case,), hit) for case, hit in hits.items()]
    result = []
    for negative, (x, kind) in cell.items():
        for positive, (y, other) in cell.items():
            if (kind, other) != (0, 1):
                continue
            value = float(y > x) + 0.5 * float(y == x) if figure == "auc" else (hits[negative] + hits[positive]) / 2
            result.append(((negative, positive), value))
    return result


def estimate(cell: Cell, figure: str) -> float:
    values = [value for _, value in kernels(cell, figure)]
    return sum(values) / len(values)


def matrix_of(cells: dict[Any, Cell], figure: str, covariance: str) -> dict[Any, float]:
    literal = {"delong": delong, "jackknife": jackknife, "unbiased": unbiased}[covariance]
    return literal(cells, figure)


def delong(cells: dict[Any, Cell], figure: str) -> dict[Any, float]:
    """Sums over common cases of both cells' deviations, class by class."""
    parts = {key: deviations(cell, figure) for key, cell in cells.items()}
    result = {}
    for a, b in product(cells, repeat=2):
        total = 0.0
        for one, other in zip(parts[a], parts[b], strict=True):
            scale = np.sqrt(len(one) * (len(one) - 1) * len(other) * (len(other) - 1))
            total += sum(one[case] * other[case] for case in one if case in other) / scale
        result[a, b] = total
    return result


def deviations(cell: Cell, figure: str) -> list[dict[Case, float]]:
    """Per sample of cases, each one's mean kernel less the mean of all."""
    values, mean = kernels(cell, figure), estimate(cell, figure)
    result = []
    for place in range(len(values[0][0])):
        by_case: dict[Case, list[float]] = {}
        for cases, value in values:
            by_case.setdefault(cases[place], []).append(value)
        result.append({case: sum(own) / len(own) - mean for case, own in by_case.items()})
    return result


def jackknife(cells: dict[Any, Cell], figure: str) -> dict[Any, float]:
    """Every case of the study left out in turn, every estimate made again."""
    everyone = sorted({case for cell in cells.values() for case in cell})
    without = {
        key: [estimate({c: v for c, v in cell.items() if c != left_out}, figure) for left_out in everyone]
        for key, cell in cells.items()
    }
    means = {key: sum(values) / len(values) for key, values in without.items()}
    return {
        (a, b): sum((x - means[a]) * (y - means[b]) for x, y in zip(without[a], without[b], strict=True))
        * (len(everyone) - 1)
        / len(everyone)
        for a, b in product(cells, repeat=2)
    }


def unbiased(cells: dict[Any, Cell], figure: str) -> dict[Any, float]:
    """The product of two estimates less the mean product of values that have no case in common."""
    values = {key: kernels(cell, figure) for key, cell in cells.items()}
    result = {}
    for a, b in product(cells, repeat=2):
        apart = [x * y for one, x in values[a] for other, y in values[b] if not set(one) & set(other)]
        result[a, b] = estimate(cells[a], figure) * estimate(cells[b], figure) - sum(apart) / len(apart)
    return result


def analysis_of(table: dict[Any, float], matrix: dict[Any, float], random: str) -> dict[str, Any]:
    """Mean squares, covariances, F and p by the textbook (Hillis, 2014)."""
    conditions, readers = (sorted({key[place] for key in table}) for place in (0, 1))
    T, R = len(conditions), len(readers)
    grand = sum(table.values()) / (T * R)
    of_condition = {t: sum(table[t, r] for r in readers) / R for t in conditions}
    of_reader = {r: sum(table[t, r] for t in conditions) / T for r in readers}
    ms_t = R * sum((of_condition[t] - grand) ** 2 for t in conditions) / (T - 1)
    left = sum((table[t, r] - of_condition[t] - of_reader[r] + grand) ** 2 for t, r in table)
    ms_tr = left / ((T - 1) * (R - 1)) if R > 1 else None
    kinds: dict[tuple[bool, bool], list[float]] = {}
    for (a, b), value in matrix.items():
        kinds.setdefault((a[0] == b[0], a[1] == b[1]), []).append(value)
    mean = {kind: sum(values) / len(values) for kind, values in kinds.items()}
    var, cov1 = mean[True, True], mean[False, True]
    cov2, cov3 = mean.get((True, False)), mean.get((False, False))
    excess = (cov2 or 0.0) - (cov3 or 0.0)
    if random == "cases":
        denominator, df2 = var - cov1 + (R - 1) * excess, np.inf
    else:
        denominator = ms_tr + (R * max(excess, 0.0) if random == "both" else 0.0)
        df2 = denominator**2 / (ms_tr**2 / ((T - 1) * (R - 1))) if ms_tr > 1e-20 else np.inf
    known = {"ms_t": ms_t, "ms_tr": ms_tr, "var": var, "cov1": cov1, "cov2": cov2, "cov3": cov3}
    if denominator < 1e-12:
        return {**known, "f": None, "p": None}
    f = ms_t / denominator
    p = stats.chi2.sf(f * (T - 1), T - 1) if np.isinf(df2) else stats.f.sf(f, T - 1, df2)
    return {**known, "denominator": denominator, "f": f, "df2": df2, "p": p}


def literal_moments(study: Study, figure: str, a: int, b: int) -> tuple[float, float]:
    """Covariance of two conditions' mean figures, readers and cases random: without bias, and as V-statistic."""
    by_condition = {
        t: [
            ((reader, *cases), value)
            for (condition, reader), cell in cells_of(study, figure, "crossed").items()
            if condition == t
            for cases, value in kernels(cell, figure)
        ]
        for t in (a, b)
    }
    kinds: dict[tuple[bool, ...], list[float]] = {}
    for (one, x), (other, y) in product(by_condition[a], by_condition[b]):
        kinds.setdefault(tuple(p == q for p, q in zip(one, other, strict=True)), []).append(x * y)
    number = sum(len(values) for values in kinds.values())
    nothing = tuple(False for _ in next(iter(kinds)))
    unbiased = biased = 0.0
    for kind, values in kinds.items():
        weight = len(values) / number - (kind == nothing)
        sharing = [v for k, own in kinds.items() if all(p >= q for p, q in zip(k, kind, strict=True)) for v in own]
        unbiased += weight * sum(values) / len(values)
        biased += weight * sum(sharing) / len(sharing)
    return unbiased, biased
