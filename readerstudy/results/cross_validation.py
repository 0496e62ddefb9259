"""Result of a cross-validation by patient."""

from dataclasses import dataclass

from readerstudy.results.evaluation import AttackTable, TrivialControl
from readerstudy.statistics.roc import AreaUnderCurve

FORMAT = "cross-validation/1"


@dataclass(frozen=True)
class FoldResult:
    """One fold, numbered from 0; its area is None if its test patients are of one class."""

    number: int
    images: int
    positive: int
    threshold: float
    auc: AreaUnderCurve | None


@dataclass(frozen=True)
class CrossValidated:
    """Every fold, the mean of their areas, and Table 1 over all patients at the thresholds of their folds.

    The pooled area also compares scores of different folds, which may have different scales. See it with the mean.
    `controls` are pooled in the same way; they are empty in results of earlier versions.
    """

    folds: tuple[FoldResult, ...]
    mean_auc: float
    pooled: AttackTable | None
    pooled_auc: AreaUnderCurve | None
    controls: tuple[TrivialControl, ...] = ()
