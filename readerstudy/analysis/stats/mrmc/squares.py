"""Mean squares of a table of estimates and covariances averaged by what two cells share."""

from dataclasses import dataclass

import numpy as np

from readerstudy.analysis.stats.mrmc.readings import Floats


@dataclass(frozen=True)
class Squares:
    """Of a table (conditions, readers); None where there are too few of either."""

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
        """The variance component of readers; may come out negative."""
        if self.ms_r is None or self.ms_tr is None or self.cov1 is None or self.cov3 is None:
            return None
        return (self.ms_r - self.ms_tr) / self.conditions - self.cov1 + self.cov3

    @property
    def var_tr(self) -> float | None:
        """The variance component of readers by condition; may come out negative."""
        if self.ms_tr is None or self.cov1 is None or self.cov2 is None or self.cov3 is None:
            return None
        return self.ms_tr - self.var + self.cov1 + self.cov2 - self.cov3


def squares_of(table: Floats, matrix: Floats) -> Squares:
    """Mean squares of the table (T, R), and covariances (T, R, T, R) averaged by what two cells share."""
    T, R = table.shape
    grand, by_condition, by_reader = table.mean(), table.mean(axis=1), table.mean(axis=0)
    left = table - by_condition[:, None] - by_reader + grand
    same = float(np.einsum("trtr->", matrix))
    same_reader = float(np.einsum("trur->", matrix)) - same
    same_condition = float(np.einsum("trts->", matrix)) - same
    rest = float(matrix.sum()) - same_reader - same_condition - same
    return Squares(
        conditions=T,
        readers=R,
        ms_t=_over(R * float(((by_condition - grand) ** 2).sum()), T - 1),
        ms_r=_over(T * float(((by_reader - grand) ** 2).sum()), R - 1),
        ms_tr=_over(float((left**2).sum()), (T - 1) * (R - 1)),
        var=same / (T * R),
        cov1=_over(same_reader, T * (T - 1) * R),
        cov2=_over(same_condition, T * R * (R - 1)),
        cov3=_over(rest, T * (T - 1) * R * (R - 1)),
    )


def _over(total: float, number: int) -> float | None:
    return total / number if number else None
