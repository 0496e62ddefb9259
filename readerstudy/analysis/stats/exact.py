"""The exact test that the sub-group test points to where it is undefined."""

from functools import lru_cache
from math import isnan

from scipy import stats

from readerstudy.analysis.stats.proportions import Proportion


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
