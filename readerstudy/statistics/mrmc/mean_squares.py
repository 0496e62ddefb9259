"""Mean squares of a table of estimates, and covariances averaged by what two cells share."""

from dataclasses import dataclass

import numpy as np

from readerstudy.statistics.mrmc.readings import Floats


@dataclass(frozen=True)
class MeanSquares:
    """Mean squares and mean covariances of a table (conditions, readers); None if it has too few of either.

    `cov1` is the mean covariance of one reader in two conditions, `cov2` of two readers in one condition, `cov3` of
    two readers in two conditions.
    """

    conditions: int
    readers: int
    ms_t: float | None
    ms_r: float | None
    ms_tr: float | None
    var: float
    cov1: float | None
    cov2: float | None
    cov3: float | None

    @property
    def var_r(self) -> float | None:
        """The variance component of readers; it may be negative."""
        if self.ms_r is None or self.ms_tr is None or self.cov1 is None or self.cov3 is None:
            return None
        return (self.ms_r - self.ms_tr) / self.conditions - self.cov1 + self.cov3

    @property
    def var_tr(self) -> float | None:
        """The variance component of readers by condition; it may be negative."""
        if self.ms_tr is None or self.cov1 is None or self.cov2 is None or self.cov3 is None:
            return None
        return self.ms_tr - self.var + self.cov1 + self.cov2 - self.cov3


def mean_squares(table: Floats, matrix: Floats) -> MeanSquares:
    """Return the mean squares of the table (T, R) and the means of the covariances (T, R, T, R)."""
    T, R = table.shape
    grand, by_condition, by_reader = table.mean(), table.mean(axis=1), table.mean(axis=0)
    interaction = table - by_condition[:, None] - by_reader + grand
    same_condition, same_reader = np.eye(T)[:, None, :, None], np.eye(R)[None, :, None, :]
    shared = {
        "var": matrix * same_condition * same_reader,
        "cov1": matrix * (1 - same_condition) * same_reader,
        "cov2": matrix * same_condition * (1 - same_reader),
        "cov3": matrix * (1 - same_condition) * (1 - same_reader),
    }
    total = {name: float(part.sum()) for name, part in shared.items()}  # exactly 0 if no case is shared
    return MeanSquares(
        conditions=T,
        readers=R,
        ms_t=_over(R * float(((by_condition - grand) ** 2).sum()), T - 1),
        ms_r=_over(T * float(((by_reader - grand) ** 2).sum()), R - 1),
        ms_tr=_over(float((interaction**2).sum()), (T - 1) * (R - 1)),
        var=total["var"] / (T * R),
        cov1=_over(total["cov1"], T * (T - 1) * R),
        cov2=_over(total["cov2"], T * R * (R - 1)),
        cov3=_over(total["cov3"], T * (T - 1) * R * (R - 1)),
    )


def _over(total: float, number: int) -> float | None:
    return total / number if number else None
