"""The statistics: `make bench PART=statistics` prints its figures, ratios first, writes var/bench/statistics.json.

Sizes are readers × cases, each read in two conditions, three levels of answer as in a reader study. Ratios are taken
within one run, because machines are noisy: to a literal jackknife that computes every area anew with every case left
out, to DeLong's components by mid-ranks of every cell, to the textbook's U-statistic over all n₀ × n₁ pairs, and to a
sub-group table that cuts every session anew for every form. Then whole reports from PostgreSQL, to ten million
readings. `--quick` leaves out the largest sizes.
"""

import os
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from time import perf_counter

# One thread, set before NumPy is loaded: on a busy machine two threads wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy import stats
from scipy.stats import rankdata

from readerstudy.statistics import mrmc, subgroups
from readerstudy.statistics.bootstrap import reader_by_case

Row = tuple[str, float, str]
Study = tuple[np.ndarray, ...]
SMALL, MIDDLE, LARGE = (5, 438), (20, 1000), (100, 10_000)


def main() -> None:
    from tests.bench.output import write
    from tests.bench.report_growth import rows as report_rows

    quick = "--quick" in sys.argv[1:]
    sizes = [SMALL, MIDDLE] if quick else [SMALL, MIDDLE, LARGE]
    write(
        "statistics",
        [*ratios(), *by_midranks(sizes), *subgroup_tables(sizes), *times(sizes), *report_rows(quick=quick)],
    )


def ratios() -> Iterator[Row]:
    """Yield speed and error compared with the literal formulas, at 20 × 1,000."""
    study = simulate_readings(*MIDDLE)
    ours = spent(lambda: mrmc.obuchowski_rockette(*study), times=9)
    theirs = spent(lambda: literal_jackknife(study), times=2)
    yield "or_vs_literal_jackknife", theirs / ours, "theirs / ours, every area anew with every case left out"
    jackknife = mrmc.obuchowski_rockette(*study, covariance="jackknife")
    yield "or_jackknife_error", float(np.abs(jackknife.matrix - literal_jackknife(study)).max()), "largest difference"
    ours = spent(lambda: mrmc.u_statistic(*study), times=9)
    yield "u_statistic_vs_kernel", spent(lambda: by_kernel(study), times=3) / ours, "theirs / ours, over all pairs"
    variance, expected = mrmc.u_statistic(*study).difference_variance, by_kernel(study)
    assert variance is not None
    yield "u_statistic_relative_error", abs(variance / expected - 1), "of the variance of the difference"


def by_midranks(sizes: list[tuple[int, int]]) -> Iterator[Row]:
    """The whole analysis against the components alone as the formula has them, from the ranks of every cell."""
    for readers, cases in sizes:
        study = simulate_readings(readers, cases)
        ours = spent(partial(mrmc.obuchowski_rockette, *study), times=3)
        theirs = spent(partial(midrank_covariances, study), times=2)
        yield f"or_vs_midranks_{readers}x{cases}", theirs / ours, "theirs / ours, DeLong's components by mid-ranks"


def midrank_covariances(study: Study) -> np.ndarray:
    """Covariances of the areas of all cells (DeLong, 1988, with mid-ranks as Sun and Xu, 2014)."""
    score, truth, reader, case, _ = study
    readers, cases = int(reader.max()) + 1, int(case.max()) + 1
    table, positive = score.reshape(2 * readers, cases), truth[:cases] == 1
    ones, zeros = table[:, positive], table[:, ~positive]
    together = rankdata(np.concatenate([ones, zeros], axis=1), axis=1)
    v10 = (together[:, : ones.shape[1]] - rankdata(ones, axis=1)) / zeros.shape[1]
    v01 = 1 - (together[:, ones.shape[1] :] - rankdata(zeros, axis=1)) / ones.shape[1]
    covariances: np.ndarray = np.cov(v10) / v10.shape[1] + np.cov(v01) / v01.shape[1]
    return covariances


def subgroup_tables(sizes: list[tuple[int, int]]) -> Iterator[Row]:
    """Every reader's test in 16 forms from sums, against cutting both sessions anew for every form."""
    taken = []
    for readers, cases in sizes:
        credits = (np.random.default_rng(1).random((readers, 2, cases)) < 0.7).astype(float)
        summed = [
            [{g: subgroups.cut_into_subgroups(session, g) for g in subgroups.STANDARD_COUNTS} for session in reader]
            for reader in credits
        ]
        ours = spent(partial(of_every_reader, from_sums, summed), times=3)
        theirs = spent(partial(of_every_reader, literal_forms, credits), times=2)
        taken.append(ours)
        yield f"subgroups_vs_literal_{readers}x{cases}", theirs / ours, "theirs / ours, from sums against from readings"
        yield f"subgroups_ms_{readers}x{cases}", ours * 1000, "ms, 16 forms a reader, after the database has added up"
    yield "subgroups_growth_exponent", growth(taken, sizes), "of time in readings, between the two largest"


def of_every_reader(forms: Callable[..., object], sessions: Iterable) -> list[object]:
    return [forms(*reader) for reader in sessions]


def from_sums(first: dict[int, subgroups.SubgroupSums], second: dict[int, subgroups.SubgroupSums]) -> object:
    return subgroups.every_form_from_sums({g: {3: first[g], 5: second[g]} for g in first}, 3, 5)


def literal_forms(first: np.ndarray, second: np.ndarray) -> list[tuple[float, float]]:
    """z and both p of both error terms, computed by the formula, one form after the other."""
    tests = []
    for groups in subgroups.STANDARD_COUNTS:
        for share in (2, 1):
            for distribution in (stats.norm(), stats.t(2 * (groups - 1))):
                sds = []
                for values in (first, second):
                    size = values.size // groups
                    blocks = [values[block * size : (block + 1) * size].mean() for block in range(groups)]
                    sds.append(np.std(blocks, ddof=1))
                z = abs(second.mean() - first.mean()) / (np.mean(sds) * np.sqrt(share / groups))
                tests.append((float(z), float(distribution.sf(z))))
    return tests


def growth(taken: list[float], sizes: list[tuple[int, int]]) -> float:
    return float(np.log(taken[-1] / taken[-2]) / np.log(np.prod(sizes[-1]) / np.prod(sizes[-2])))


def times(sizes: list[tuple[int, int]]) -> Iterator[Row]:
    """Milliseconds and memory at every size, and how time grows with the number of readings."""
    analyses: dict[str, Callable[[Study], object]] = {
        "or_delong": lambda study: mrmc.obuchowski_rockette(*study),
        "or_jackknife": lambda study: mrmc.obuchowski_rockette(*study, covariance="jackknife"),
        "or_unbiased": lambda study: mrmc.obuchowski_rockette(*study, covariance="unbiased"),
        "u_statistic": lambda study: mrmc.u_statistic(*study),
    }
    for name, analysis in analyses.items():
        taken = []
        for readers, cases in sizes:
            study = simulate_readings(readers, cases)
            repeats = 9 if readers * cases < 100_000 else 3
            taken.append(spent(partial(analysis, study), times=repeats))
            yield f"{name}_ms_{readers}x{cases}", taken[-1] * 1000, "ms"
        yield f"{name}_growth_exponent", growth(taken, sizes), "of time in readings, between the two largest"
    analyses["bootstrap_2000"] = lambda study: reader_by_case(*study, rng=np.random.default_rng(1))
    for readers, cases in sizes:
        study = simulate_readings(readers, cases)
        resampled = spent(partial(analyses["bootstrap_2000"], study), times=3)
        yield f"bootstrap_2000_ms_{readers}x{cases}", resampled * 1000, "ms, readers and cases drawn 2000 times"
    study = simulate_readings(*MIDDLE, levels=None)
    for name in ("or_delong", "u_statistic"):
        taken_for_many_levels = spent(partial(analyses[name], study), times=3)
        yield f"{name}_continuous_ms_20x1000", taken_for_many_levels * 1000, "ms, all scores distinct"
    for name in ("or_delong", "u_statistic", "bootstrap_2000"):
        for readers, cases in sizes:
            held = peak(analyses[name], simulate_readings(readers, cases))
            yield f"{name}_peak_mb_{readers}x{cases}", held, "MB beside the readings"


def simulate_readings(readers: int, cases: int, *, levels: int | None = 3) -> Study:
    """Score, truth, reader, case and condition of every reading; half of the cases are positive."""
    rng = np.random.default_rng(1)
    condition, reader, case = (axis.ravel() for axis in np.indices((2, readers, cases)))
    truth = case % 2
    score = 0.8 * truth + rng.normal(size=cases)[case] + 0.3 * rng.normal(size=readers)[reader]
    score += rng.normal(size=case.size)
    if levels is not None:
        score = np.clip(np.round(score + 0.5), 0, levels - 1)
    return score, truth, reader, case, condition


def spent(run: Callable[[], object], *, times: int) -> float:
    """Return the seconds of the fastest of several runs: other work on the machine only adds time."""
    taken = []
    for _ in range(times):
        started = perf_counter()
        run()
        taken.append(perf_counter() - started)
    return min(taken)


def literal_jackknife(study: Study) -> np.ndarray:
    """Covariances of all cells' areas, each area computed anew from ranks with each case left out."""
    score, truth, reader, case, _ = study
    readers, cases = int(reader.max()) + 1, int(case.max()) + 1
    table, positive = score.reshape(2 * readers, cases), truth[:cases] == 1
    keep = ~np.eye(cases, dtype=bool)
    areas = np.array([[area(row[kept], positive[kept]) for row in table] for kept in keep])
    return np.cov(areas.T, bias=True) * (cases - 1)


def area(score: np.ndarray, positive: np.ndarray) -> float:
    ones = int(positive.sum())
    won = rankdata(score)[positive].sum() - ones * (ones + 1) / 2
    return float(won / (ones * (score.size - ones)))


def by_kernel(study: Study) -> float:
    """Variance of the difference by the textbook (Gallas, 2006): tables of readers × n₀ × n₁, and eight sums."""
    score, truth, reader, case, _ = study
    readers, cases = int(reader.max()) + 1, int(case.max()) + 1
    positive = truth[:cases] == 1
    kernels = []
    for table in score.reshape(2, readers, cases):
        x, y = table[:, ~positive, None], table[:, None, positive]
        kernels.append((y > x) + 0.5 * (y == x))
    return covariance(*[kernels[0]] * 2) + covariance(*[kernels[1]] * 2) - 2 * covariance(*kernels)


def covariance(a: np.ndarray, b: np.ndarray) -> float:
    """One of the three terms: sums over pairs by what they share, then moments and weights."""
    sums = np.array(
        [(a.sum(axis=over) * b.sum(axis=over)).sum() for over in ((), 1, 2, (1, 2), 0, (0, 1), (0, 2), (0, 1, 2))]
    )
    counts = np.array(
        [
            a.size * np.prod([a.shape[k] for k in over], dtype=float)
            for over in ((), (1,), (2,), (1, 2), (0,), (0, 1), (0, 2), (0, 1, 2))
        ]
    )
    exactly = np.kron(np.kron(*[[[1, 0], [-1, 1]]] * 2), [[1, 0], [-1, 1]])
    weights = exactly @ counts / a.size**2
    weights[-1] -= 1
    return float(weights @ ((exactly @ sums) / (exactly @ counts)))


def peak(analysis: Callable[[Study], object], study: Study) -> float:
    """Megabytes that an analysis holds at most, beside the readings."""
    tracemalloc.start()
    analysis(study)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1e6


if __name__ == "__main__":
    main()
