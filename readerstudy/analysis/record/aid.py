"""What an aid displayed beside the images of a session."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AidRecord:
    """The scores of one run as one session displayed them, one element per analysed image, (n,)."""

    session: int
    classifier: str
    threshold: float
    score: NDArray[np.float64]
    is_above: NDArray[np.bool_]
    is_adversarial: NDArray[np.bool_]
    patient: NDArray[np.int64]
