"""What an attack is: a frozen value that you can call, whose fields are its provenance."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint16]  # (rows, columns), 16-bit grey


class Attack(Protocol):
    """Makes the adversarial twin of one image: the same size, the same bit depth."""

    def __call__(self, pixels: Pixels, /) -> Pixels: ...


def pixels_drawn(attack: Attack) -> int:
    """Return how many pixels a generator of this attack draws at a time, 0 for an attack without one."""
    return int(getattr(attack, "pixels_drawn", 0))
