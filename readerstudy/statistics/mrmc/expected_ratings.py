"""Variance of an AUC that is expected from a few ratings, such as the three verdicts.

Bamber (1975, J. Math. Psychol. 12:387). The formula is exact for any number of ordered categories, ties included. It
needs no pilot: what is assumed are the probabilities of each category.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from readerstudy.statistics.mrmc.readings import Floats
from readerstudy.statistics.mrmc.sizing import VarianceComponents, correlated_components


@dataclass(frozen=True)
class ExpectedRatings:
    """Probabilities of the categories in ascending order, for negatives and for positives; each sums to 1.

    With two categories the AUC is the balanced accuracy. Raises ValueError for anything that is no distribution.
    """

    negatives: tuple[float, ...]
    positives: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.negatives) != len(self.positives):
            raise ValueError("negatives and positives must have the same categories.")
        for name in ("negatives", "positives"):
            shares: Sequence[float] = getattr(self, name)
            if min(shares, default=-1.0) < 0 or abs(sum(shares) - 1) > 1e-9:
                raise ValueError(f"{name}: probabilities must be 0 or more and sum to 1, not {shares}.")

    @property
    def auc(self) -> float:
        """P(positive > negative) + P(equal) / 2."""
        return float(np.array(self.negatives) @ self._kernel @ np.array(self.positives))

    @property
    def _kernel(self) -> Floats:
        """1 if the positive's category is the higher, 1/2 if both are equal; (negatives, positives)."""
        size = len(self.negatives)
        return np.triu(np.ones((size, size)), 1) + np.eye(size) / 2

    def variance(self, *, negatives: int, positives: int) -> float:
        """Return the variance of one reader's AUC over so many cases. Raises ValueError without cases of both kinds."""
        if min(negatives, positives) < 1:
            raise ValueError(f"There must be cases of both kinds, not {negatives} and {positives}.")
        p, q, kernel = np.array(self.negatives), np.array(self.positives), self._kernel
        square = self.auc**2
        one_pair = p @ kernel**2 @ q - square
        same_negative = p @ (kernel @ q) ** 2 - square
        same_positive = (p @ kernel) ** 2 @ q - square
        total = one_pair + (positives - 1) * same_negative + (negatives - 1) * same_positive
        return float(total / (negatives * positives))

    def components(
        self, *, negatives: int, positives: int, r1: float = 0.0, r2: float = 0.0, r3: float = 0.0, sd_tr: float = 0.0
    ) -> VarianceComponents:
        """Return the components of a study; the other arguments are those of `binary_components`, for AUCs."""
        variance = self.variance(negatives=negatives, positives=positives)
        return correlated_components(variance, negatives + positives, r1=r1, r2=r2, r3=r3, sd_tr=sd_tr)
