"""Exact tests: Boschloo's for two sessions, which the sub-group test points to where it is undefined; McNemar's."""

from dataclasses import dataclass
from functools import lru_cache
from math import isnan

from scipy import stats

from readerstudy.statistics.proportions import Proportion


@dataclass(frozen=True)
class McNemar:
    """The same images read twice: how many were right only the first time, only the second, and what that says."""

    only_first: int
    only_second: int
    p: float
    mid_p: float


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """Two-sided exact p (McNemar, 1947) and mid-p (Fagerland, Lydersen and Laake, 2013) of paired readings.

    Only for the same images read twice: in high and in low resolution, or by two readers. The exact p never
    rejects too often and mostly too seldom; the mid-p comes nearer to its nominal level.
    """
    for name, count in (("only_first", only_first), ("only_second", only_second)):
        if count != int(count) or count < 0:
            raise ValueError(f"{name} must be a count, not {count}.")
    fewer, trials = int(min(only_first, only_second)), int(only_first + only_second)
    if not trials:
        return McNemar(0, 0, 1.0, 1.0)
    p = min(1.0, 2 * float(stats.binom.cdf(fewer, trials, 0.5)))
    observed = float(stats.binom.pmf(fewer, trials, 0.5))
    # Half of what is just as extreme counts: both tails' ends, or the one middle.
    mid_p = p - observed / 2 if only_first == only_second else p - observed
    return McNemar(int(only_first), int(only_second), p, mid_p)


def boschloo(first: Proportion, second: Proportion) -> float | None:
    """Two-sided p of Boschloo's test (1970) for two independent sessions; None for empty ones or half hits.

    It takes readings as independent, which the sub-group test does not: beside it, not in its place.
    """
    counts = (first.hits, second.hits)
    if not (first.trials and second.trials) or any(hits != int(hits) for hits in counts):
        return None
    return _p(int(first.hits), first.trials, int(second.hits), second.trials)


@lru_cache(maxsize=4096)  # a quarter of a second at the article's size, and pages ask for the same tables again
def _p(first_hits: int, first_trials: int, second_hits: int, second_trials: int) -> float:
    table = [[first_hits, second_hits], [first_trials - first_hits, second_trials - second_hits]]
    p = float(stats.boschloo_exact(table).pvalue)
    # scipy gives NaN where both samples are all hits or all misses; no table is less extreme than that.
    return 1.0 if isnan(p) else p
