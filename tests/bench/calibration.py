"""Calibration: how often does each test reject a null that is true? `make bench PART=calibration`.

Studies of the article's shape are simulated without any change between sessions, under three truths (see
`nulls/truths.py`), and every test of `readerstudy.statistics` is asked. Prints the share of rejections at .05 (of
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

# One thread for each of the two processes, set before NumPy is loaded; nobody spins while waiting.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.bench.nulls import across, document, intervals, within
from tests.bench.nulls.truths import TRUTHS, Session, Study, simulate
from tests.bench.table import write

SEED = 20260101
SIMULATIONS = 1000
FEWER = 10  # one in so many studies goes through the mixed logistic model
CHUNK = 4
PROCESSES = 2

Panel = Callable[[Study, np.random.Generator], Iterator[within.Outcome]]
PANELS: tuple[Panel, ...] = (
    within.sub_groups,
    within.signal_detection,
    within.reading_order,
    across.multi_reader,
    across.resampled,
    across.log_time,
)
COVERAGE: tuple[Panel, ...] = (intervals.of_one_reader, intervals.of_agreement, intervals.of_all_readers)
ONCE: tuple[Panel, ...] = (within.areas_of_patients, within.equivalence)  # these know nothing of the three truths
Row = tuple[str, float, str]


@dataclass(frozen=True)
class Shares:
    """Of one study: per test the share of rejections among its readers, and the share that were undefined."""

    truth: str
    found: dict[str, tuple[float, float]]
    lag_one: tuple[float, float]  # of the verdicts in session 3; of correct verdicts on its real images


def main() -> None:
    options = ArgumentParser(description=__doc__)
    options.add_argument("--simulations", type=int, default=SIMULATIONS)
    options.add_argument("--tables", action="store_true")
    chosen = options.parse_args()
    if chosen.tables:
        document.write()
    else:
        write("calibration", measured(chosen.simulations))


def measured(simulations: int) -> Iterator[Row]:
    """Simulate, ask every test, and give each one's share with its Monte-Carlo standard error."""
    for size in ((218, 220), (100, 218), (59, 59)):
        within.boschloo_table(*size)  # before the processes part, so that both have them
    yield "boschloo_table_error", within.boschloo_error(np.random.default_rng(SEED)), "largest, of p"
    jobs = [(t, start, min(start + CHUNK, simulations)) for start in range(0, simulations, CHUNK) for t in range(3)]
    by_test: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    lags = defaultdict(list)
    with get_context("fork").Pool(PROCESSES) as pool, _progress() as progress:
        bar = progress.add_task("Simulating studies", total=3 * simulations)
        for chunk in pool.imap_unordered(_asked, jobs):
            for study in chunk:
                lags[study.truth].append(study.lag_one)
                for name, shares in study.found.items():
                    by_test[study.truth, name].append(shares)
            progress.advance(bar, len(chunk))
    for truth, values in sorted(lags.items()):
        for name, value in zip(("verdicts", "correct verdicts on real images"), np.mean(values, axis=0), strict=True):
            yield f"lag-one of {name} | {truth}", float(value), "mean over readers, session 3"
    for (truth, name), found in sorted(by_test.items(), key=lambda item: item[0][::-1]):
        # Sorted before summing: the order in which processes finish must not move the last digit.
        rejected, undefined = np.array(sorted(found)).T
        error = rejected.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else float("nan")
        rest = f", undefined {undefined.mean():.4f}" if undefined.any() else ""
        yield f"{name} | {truth}", float(rejected.mean()), f"± {error:.4f} ({len(found)} studies{rest})"


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


def _asked(job: tuple[int, int, int]) -> list[Shares]:
    place, start, end = job
    return [_shares(place, number) for number in range(start, end)]


def _shares(place: int, number: int) -> Shares:
    """One study through every panel; seeded by its number, so that processes and chunks change nothing."""
    rng = np.random.default_rng([SEED, place, number])
    study = simulate(TRUTHS[place], rng)
    panels = [*PANELS, *COVERAGE, *(ONCE if place == 0 else ()), *([across.logistic] if number % FEWER == 0 else [])]
    outcomes: dict[str, list[bool | None]] = defaultdict(list)
    for panel in panels:
        for name, outcome in panel(study, rng):
            outcomes[f"coverage: {name}" if panel in COVERAGE else name].append(outcome)
    found = {name: (_mean(values), sum(v is None for v in values) / len(values)) for name, values in outcomes.items()}
    return Shares(study.truth.name, found, _lag_one(study.sessions[3]))


def _mean(values: list[bool | None]) -> float:
    """What is undefined rejects nothing (and holds nothing)."""
    return sum(bool(value) for value in values) / len(values)


def _lag_one(session: Session) -> tuple[float, float]:
    """Autocorrelations, means over readers; of verdicts less what the kind of image makes of them."""
    said = (session.level == 2).astype(float)
    for kind in (0, 1):
        said[:, session.fake == kind] -= said[:, session.fake == kind].mean(axis=1, keepdims=True)
    verdicts = np.take_along_axis(said, session.order, axis=1)
    correct = [session.in_order(reader, fake=0) for reader in range(len(session.order))]
    with np.errstate(invalid="ignore", divide="ignore"):  # a reader who is always right has none
        found = [[np.corrcoef(one[1:], one[:-1])[0, 1] for one in orders] for orders in (verdicts, correct)]
    return float(np.nanmean(found[0])), float(np.nanmean(found[1]))


if __name__ == "__main__":
    sys.exit(main())
