"""Exact tests: Boschloo's for two independent sessions, McNemar's for the same images read twice."""

from dataclasses import dataclass
from functools import lru_cache
from math import isnan

from scipy import stats

from readerstudy.statistics.proportions import Proportion


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of images read twice, with the counts of those correct only the first or only the second time."""

    only_first: int
    only_second: int
    p: float
    mid_p: float


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """Return the two-sided exact p (McNemar, 1947) and mid-p (Fagerland, Lydersen and Laake, 2013).

    Only for the same images read twice, in two resolutions or by two readers. The exact p is conservative; the level
    of the mid-p is closer to nominal. Raises ValueError unless both arguments are counts.
    """
    for name, count in (("only_first", only_first), ("only_second", only_second)):
        if count != int(count) or count < 0:
            raise ValueError(f"{name} must be a count, not {count}.")
    fewer, trials = int(min(only_first, only_second)), int(only_first + only_second)
    if not trials:
        return McNemar(0, 0, 1.0, 1.0)
    p = min(1.0, 2 * float(stats.binom.cdf(fewer, trials, 0.5)))
    observed = float(stats.binom.pmf(fewer, trials, 0.5))
    # The mid-p counts outcomes that are exactly as extreme by half: both tails, or the middle of the distribution.
    mid_p = p - observed / 2 if only_first == only_second else p - observed
    return McNemar(int(only_first), int(only_second), p, mid_p)


def boschloo(first: Proportion, second: Proportion) -> float | None:
    """Return the two-sided p of Boschloo's test (1970) for two independent sessions.

    Returns None for an empty session or fractional hits. The test assumes independent readings, unlike the sub-group
    test, which it supplements but does not replace.
    """
    counts = (first.hits, second.hits)
    if not (first.trials and second.trials) or any(hits != int(hits) for hits in counts):
        return None
    return _p(int(first.hits), first.trials, int(second.hits), second.trials)


@lru_cache(maxsize=4096)  # 0.25 s at the article's size, and pages request the same tables repeatedly
def _p(first_hits: int, first_trials: int, second_hits: int, second_trials: int) -> float:
    table = [[first_hits, second_hits], [first_trials - first_hits, second_trials - second_hits]]
    p = float(stats.boschloo_exact(table).pvalue)
    # scipy returns NaN if both samples are all hits or all misses; no table is less extreme.
    return 1.0 if isnan(p) else p
