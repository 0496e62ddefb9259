"""Calibration: how often does each test reject a null that is true? `make bench PART=calibration`.

Studies of the article's shape are simulated without any change between sessions, under three truths (see
`nulls/truths.py`), and every test of `readerstudy.statistics` is run on them. Prints the share of rejections at .05 (of
intervals: the share that hold the truth, .95 wanted), writes var/bench/calibration.json. `--simulations N` studies
for each truth (a tenth of them for the mixed logistic model). `--tables` writes the last run into
docs/results/statistics-calibration.md instead.
"""

import os
import sys
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context

# One thread for each of the two processes, set before NumPy is loaded; waiting threads do not spin.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.bench.nulls import across_readers, document, intervals, within_reader
from tests.bench.nulls.truths import TRUTHS, Session, Study, simulate
from tests.bench.output import write

SEED = 20260101
SIMULATIONS = 1000
FEWER = 10  # one of ten studies goes through the mixed logistic model
CHUNK = 4
PROCESSES = 2

Panel = Callable[[Study, np.random.Generator], Iterator[within_reader.Outcome]]
PANELS: tuple[Panel, ...] = (
    within_reader.sub_groups,
    within_reader.signal_detection,
    within_reader.reading_order,
    across_readers.multi_reader,
    across_readers.resampled,
    across_readers.log_time,
)
COVERAGE: tuple[Panel, ...] = (intervals.of_one_reader, intervals.of_agreement, intervals.of_all_readers)
ONCE: tuple[Panel, ...] = (
    within_reader.areas_of_patients,
    within_reader.equivalence,
)  # independent of the three truths
Row = tuple[str, float, str]


@dataclass(frozen=True)
class Shares:
    """One study: for each test the share of rejections among its readers, and the share that was undefined."""

    truth: str
    tests: dict[str, tuple[float, float]]
    lag_one: tuple[float, float]  # of the verdicts in session 3; of correct verdicts on its real images


def main() -> None:
    options = ArgumentParser(description=__doc__)
    options.add_argument("--simulations", type=int, default=SIMULATIONS)
    options.add_argument("--tables", action="store_true")
    chosen = options.parse_args()
    if chosen.tables:
        document.write()
    else:
        write("calibration", simulate_all(chosen.simulations))


def simulate_all(simulations: int) -> Iterator[Row]:
    """Simulate, run every test, and yield each one's share with its Monte-Carlo standard error."""
    for size in ((218, 220), (100, 218), (59, 59)):
        within_reader.boschloo_table(*size)  # before the processes are forked, so that both have them
    yield "boschloo_table_error", within_reader.boschloo_error(np.random.default_rng(SEED)), "largest, of p"
    jobs = [(t, start, min(start + CHUNK, simulations)) for start in range(0, simulations, CHUNK) for t in range(3)]
    by_test: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    lags = defaultdict(list)
    with get_context("fork").Pool(PROCESSES) as pool, _progress() as progress:
        bar = progress.add_task("Simulating studies", total=3 * simulations)
        for chunk in pool.imap_unordered(_study_shares, jobs):
            for study in chunk:
                lags[study.truth].append(study.lag_one)
                for name, rejected_undefined in study.tests.items():
                    by_test[study.truth, name].append(rejected_undefined)
            progress.advance(bar, len(chunk))
    for truth, values in sorted(lags.items()):
        for name, value in zip(("verdicts", "correct verdicts on real images"), np.mean(values, axis=0), strict=True):
            yield f"lag-one of {name} | {truth}", float(value), "mean over readers, session 3"
    for (truth, name), shares in sorted(by_test.items(), key=lambda item: item[0][::-1]):
        # Sorted before summing: the order in which processes finish must not move the last digit.
        rejected, undefined = np.array(sorted(shares)).T
        error = rejected.std(ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else float("nan")
        rest = f", undefined {undefined.mean():.4f}" if undefined.any() else ""
        yield f"{name} | {truth}", float(rejected.mean()), f"± {error:.4f} ({len(shares)} studies{rest})"


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


def _study_shares(job: tuple[int, int, int]) -> list[Shares]:
    truth, start, end = job
    return [_shares(truth, number) for number in range(start, end)]


def _shares(truth: int, number: int) -> Shares:
    """Run every panel on one study; seeded by its number, so that processes and chunks change nothing."""
    rng = np.random.default_rng([SEED, truth, number])
    study = simulate(TRUTHS[truth], rng)
    panels = [
        *PANELS,
        *COVERAGE,
        *(ONCE if truth == 0 else ()),
        *([across_readers.logistic] if number % FEWER == 0 else []),
    ]
    outcomes: dict[str, list[bool | None]] = defaultdict(list)
    for panel in panels:
        for name, outcome in panel(study, rng):
            outcomes[f"coverage: {name}" if panel in COVERAGE else name].append(outcome)
    tests = {name: (_mean(values), sum(v is None for v in values) / len(values)) for name, values in outcomes.items()}
    return Shares(study.truth.name, tests, _lag_one(study.sessions[3]))


def _mean(values: list[bool | None]) -> float:
    """Return the mean; an undefined test does not reject, an undefined interval does not contain the truth."""
    return sum(bool(value) for value in values) / len(values)


def _lag_one(session: Session) -> tuple[float, float]:
    """Return two autocorrelations, means over readers. Verdicts are centred for each kind of image first."""
    called = (session.level == 2).astype(float)
    for kind in (0, 1):
        called[:, session.adversarial == kind] -= called[:, session.adversarial == kind].mean(axis=1, keepdims=True)
    verdicts = np.take_along_axis(called, session.order, axis=1)
    correct = [session.in_order(reader, adversarial=0) for reader in range(len(session.order))]
    with np.errstate(invalid="ignore", divide="ignore"):  # undefined for a reader who is always right
        lags = [[np.corrcoef(row[1:], row[:-1])[0, 1] for row in rows] for rows in (verdicts, correct)]
    return float(np.nanmean(lags[0])), float(np.nanmean(lags[1]))


if __name__ == "__main__":
    sys.exit(main())
