"""The exact test that the sub-group test points to where it is undefined."""

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
    # scipy gives NaN where both samples are all hits or all misses; no table is less extreme than that.
    table = [[int(first.hits), int(second.hits)]]
    table.append([first.trials - table[0][0], second.trials - table[0][1]])
    p = float(stats.boschloo_exact(table).pvalue)
    return 1.0 if isnan(p) else p
