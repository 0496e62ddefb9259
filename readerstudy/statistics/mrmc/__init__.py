"""Multi-reader multi-case (MRMC) analysis: compares conditions, generalising over readers and cases.

`obuchowski_rockette` is the primary analysis, `u_statistic` a check of it. `sizing` plans studies; `roe_metz` computes
the exact truth of simulated studies. All functions take arrays in long form, one element per reading.
"""

from readerstudy.statistics.mrmc.anova import obuchowski_rockette
from readerstudy.statistics.mrmc.expected_ratings import ExpectedRatings
from readerstudy.statistics.mrmc.results import ObuchowskiRockette
from readerstudy.statistics.mrmc.sizing import (
    Power,
    VarianceComponents,
    binary_components,
    cases_needed,
    pilot_components,
    power,
    readers_needed,
)
from readerstudy.statistics.mrmc.u_statistics import UStatistic, u_statistic

__all__ = [
    "ExpectedRatings",
    "ObuchowskiRockette",
    "Power",
    "UStatistic",
    "VarianceComponents",
    "binary_components",
    "cases_needed",
    "obuchowski_rockette",
    "pilot_components",
    "power",
    "readers_needed",
    "u_statistic",
]
