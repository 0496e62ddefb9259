"""Random numbers that are determined by the analysis plan."""

import numpy as np

from readerstudy.protocol.analysis_plan import AnalysisPlan


def plan_rng(plan: AnalysisPlan, purpose: str) -> np.random.Generator:
    """Return a generator seeded by the plan's hash and the purpose, so that reports are reproducible."""
    return np.random.default_rng([int(plan.hash, 16), *purpose.encode()])
