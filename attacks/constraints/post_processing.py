"""What happens to an adversarial picture after the network, so that the attack alone tells it from a real one."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from attacks.base import Pixels
from readerstudy.imaging.image import quantise

FULL_SCALE = 65535


class Weigh(Protocol):
    """1 where a picture may be changed, 0 in its background; (rows, columns), the shape of the picture."""

    def __call__(self, pixels: Pixels, /) -> NDArray[np.float32]: ...


class Settle(Protocol):
    """An adversarial picture on the grey levels that its parent keeps to."""

    def __call__(self, real: Pixels, adversarial: Pixels, /) -> Pixels: ...


class Levels(Protocol):
    """The grey levels that a picture keeps to, ascending; black and white always among them."""

    def __call__(self, pixels: Pixels, /) -> Pixels: ...


@dataclass(frozen=True)
class Finish:
    """Change the breast only, keep to the parent's grey levels, and do not outshine it. Each step can be left out.

    A pixel that the network left alone comes back bit for bit, whichever steps are on.
    """

    keep_background: Weigh | None = None
    keep_grid: Settle | None = None
    keep_range: bool = False
    levels: Levels | None = None  # the levels behind `keep_grid`: an attack with a budget must step back along them

    def levels_of(self, real: Pixels) -> Pixels | None:
        """The levels that a twin must keep to, or None where it may take any."""
        return self.levels(real) if self.keep_grid and self.levels else None

    def weight(self, real: Pixels) -> NDArray[np.float32]:
        """How far each pixel may be changed, 0 to 1."""
        return self.keep_background(real) if self.keep_background else np.ones(real.shape, dtype=np.float32)

    def white(self, real: Pixels, weight: NDArray[np.float32]) -> float:
        """The brightest that a change may come near, as a share of full scale: the parent's brightest tissue.

        Films and detectors end well below full scale, each at its own level. A twin that is brighter than every
        real picture is told from them by its maximum alone.
        """
        if not self.keep_range:
            return 1.0
        return max(1, int(real[weight > 0].max(initial=0))) / FULL_SCALE

    def __call__(self, real: Pixels, drawn: NDArray[np.float64], weight: NDArray[np.float32]) -> Pixels:
        """`drawn` is what the network made of `real`, in 16-bit levels, not yet rounded."""
        adversarial = quantise(real + weight * (drawn - real))
        adversarial = np.where(real == 0, np.uint16(0), adversarial)
        return self.keep_grid(real, adversarial) if self.keep_grid else adversarial
