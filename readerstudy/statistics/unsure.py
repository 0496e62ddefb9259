"""The credit of a verdict "unsure", declared in the locked plan and never chosen after unsealing."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Unsure(StrEnum):
    """How "unsure" is counted. The article does not say how it counted these verdicts; the default is WRONG."""

    WRONG = "wrong"
    EXCLUDED = "excluded"
    HALF = "half"

    @property
    def credit(self) -> float:
        """Hits that one unsure verdict adds; NaN excludes the reading from the trials as well."""
        return {Unsure.WRONG: 0.0, Unsure.EXCLUDED: float("nan"), Unsure.HALF: 0.5}[self]

    def credits(
        self, verdicts: Sequence[str] | NDArray[np.str_], adversarial: Sequence[bool] | NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return one credit per reading, (n,): 1 if the verdict is correct, else 0; "unsure" gives `credit`.

        Raises ValueError for a verdict other than "real", "not_real" and "unsure".
        """
        verdict, is_adversarial = np.asarray(verdicts, dtype=str), np.asarray(adversarial, dtype=bool)
        if unknown := set(verdict.tolist()) - {"real", "not_real", "unsure"}:
            raise ValueError(f"{sorted(unknown)[0]!r} is not a verdict that can be correct or wrong.")
        correct = np.where(is_adversarial, verdict == "not_real", verdict == "real").astype(float)
        return np.where(verdict == "unsure", self.credit, correct)
