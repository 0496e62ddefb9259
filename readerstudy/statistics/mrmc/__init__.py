"""Multi-reader multi-case (MRMC) analysis: compares conditions, generalising over readers and cases.

`obuchowski_rockette` is the primary analysis, `u_statistic` a check of it. `sizing` plans studies; `roe_metz` computes
the exact truth of simulated studies. All functions take arrays in long form, one element per reading.

Three readers rate sixty cases under two conditions, from 1 (surely without the signal) to 5:

    >>> import numpy as np
    >>> rng = np.random.default_rng(2)
    >>> grid = np.meshgrid([1, 2, 3], ["a", "b"], range(60), indexing="ij")
    >>> reader, condition, case = (axis.ravel() for axis in grid)
    >>> truth = (case % 2).astype(int)
    >>> skill = np.where(condition == "b", 1.5, 0.8) * truth + rng.normal(size=60)[case]
    >>> score = np.clip(np.round(skill + 0.5 * rng.normal(size=case.size)), -2, 2) + 3
    >>> found = obuchowski_rockette(score, truth, reader, case, condition)
    >>> {name: round(mean, 3) for name, mean in found.means.items()}
    {'a': 0.608, 'b': 0.77}
    >>> [(row.a, row.b, round(row.low, 3), round(row.high, 3)) for row in found.differences]
    [('a', 'b', -0.281, -0.042)]
"""

from readerstudy.statistics.mrmc.anova import obuchowski_rockette
from readerstudy.statistics.mrmc.expected_ratings import ExpectedRatings
from readerstudy.statistics.mrmc.results import ObuchowskiRockette
from readerstudy.statistics.mrmc.sizing import (
    Power,
    VarianceComponents,
    binary_components,
    cases_needed,
    equivalence_power,
    non_inferiority_power,
    pilot_components,
    power,
    readers_needed,
)
from readerstudy.statistics.mrmc.standalone import Standalone, algorithm_against_readers
from readerstudy.statistics.mrmc.u_statistics import UStatistic, u_statistic

__all__ = [
    "ExpectedRatings",
    "ObuchowskiRockette",
    "Power",
    "Standalone",
    "UStatistic",
    "VarianceComponents",
    "algorithm_against_readers",
    "binary_components",
    "cases_needed",
    "equivalence_power",
    "non_inferiority_power",
    "obuchowski_rockette",
    "pilot_components",
    "power",
    "readers_needed",
    "u_statistic",
]
