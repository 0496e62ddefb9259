"""What a verdict of "unsure" is worth: declared in the locked plan, never picked after unsealing."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Unsure(StrEnum):
    """The article divides correct by all, so unsure counts as wrong; the other two depart from it."""

    WRONG = "wrong"
    EXCLUDED = "excluded"
    HALF = "half"

    @property
    def credit(self) -> float:
        """What one unsure verdict adds to the hits; NaN takes it out of the trials as well."""
        return {Unsure.WRONG: 0.0, Unsure.EXCLUDED: float("nan"), Unsure.HALF: 0.5}[self]

    def credits(
        self, verdicts: Sequence[str] | NDArray[np.str_], adversarial: Sequence[bool] | NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """One credit per reading, in order: 1 where the verdict names the truth, else 0; see `credit`."""
        verdict, fake = np.asarray(verdicts, dtype=str), np.asarray(adversarial, dtype=bool)
        if unknown := set(verdict.tolist()) - {"real", "not_real", "unsure"}:
            raise ValueError(f"{sorted(unknown)[0]!r} is not a verdict that can be right or wrong.")
        correct = np.where(fake, verdict == "not_real", verdict == "real").astype(float)
        return np.where(verdict == "unsure", self.credit, correct)
