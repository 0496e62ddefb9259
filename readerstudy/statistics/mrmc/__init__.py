"""Multi-reader multi-case (MRMC) analysis: do conditions differ, over readers and cases like these?

`obuchowski_rockette` is the primary analysis, `u_statistic` the second opinion; `sizing` plans studies and `roe_metz`
gives the exact truth of a simulated one. All take arrays in long form, one element per reading.
"""

from readerstudy.statistics.mrmc.anova import obuchowski_rockette
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
