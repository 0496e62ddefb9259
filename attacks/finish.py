"""What happens to an adversarial picture after the network, so that the attack alone tells it from a real one."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from attacks.base import Pixels


class Weigh(Protocol):
    """1 where a picture may be changed, 0 in its background; (rows, columns), the shape of the picture."""

    def __call__(self, pixels: Pixels, /) -> NDArray[np.float32]: ...


class Settle(Protocol):
    """An adversarial picture on the grey levels that its parent keeps to."""

    def __call__(self, real: Pixels, adversarial: Pixels, /) -> Pixels: ...


@dataclass(frozen=True)
class Finish:
    """Lay the real background below the change, and keep to the parent's grey levels. None leaves a step out.

    A pixel that the network left alone comes back bit for bit, whichever steps are on.
    """

    keep_background: Weigh | None = None
    keep_grid: Settle | None = None

    def __call__(self, real: Pixels, drawn: NDArray[np.float64]) -> Pixels:
        """`drawn` is what the network made of `real`, in 16-bit levels, not yet rounded."""
        if self.keep_background is not None:
            drawn = real + self.keep_background(real) * (drawn - real)
        adversarial = np.rint(drawn).astype(np.uint16)
        adversarial = np.where(real == 0, np.uint16(0), adversarial)
        return self.keep_grid(real, adversarial) if self.keep_grid else adversarial
