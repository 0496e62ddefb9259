"""How far an attack may go: a budget in grey levels, held on tensors while it works and on the written pixels."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attacks.base import Pixels
from models_ml.errors import LabError

FULL_SCALE = 65535


def grey_levels(budget: int | str) -> int:
    """A budget as 16-bit grey levels: 1028 as it is, "4/255" as a share of full scale; LabError for anything else.

    The result is at least 1 and at most full scale; a share that falls between two levels is rounded down.
    """
    try:
        share = "/" in str(budget)
        levels = int(Fraction(str(budget)) * FULL_SCALE) if share else int(str(budget))
    except (ValueError, ZeroDivisionError):
        raise LabError(f"A budget is a number of grey levels or a share such as 4/255, not {budget!r}.") from None
    if not 1 <= levels <= FULL_SCALE:
        raise LabError(f"A budget lies between 1 and {FULL_SCALE} grey levels; {budget} does not.")
    return levels


def as_share(levels: int) -> str:
    """Grey levels the way articles write them: in 255ths of full scale, with two decimals where it does not divide."""
    share = levels * 255 / FULL_SCALE
    return f"{share:.0f}/255" if levels % 257 == 0 else f"{share:.2f}/255"


@dataclass(frozen=True)
class Room:
    """Where every pixel of a batch may go, (B, 1, H, W), in 0…1."""

    lower: Tensor
    upper: Tensor

    def hold(self, images: Tensor) -> Tensor:
        """The nearest images inside: the only place where a running attack's budget is enforced."""
        return torch.minimum(torch.maximum(images, self.lower), self.upper)


@dataclass(frozen=True)
class Batch:
    """Images to attack, (B, 1, H, W) in 0…1, with their true labels (B,) and one seed each.

    `weight` (as images, 0 to 1) scales the budget pixel by pixel; where it is 0 nothing may change. `white` (B,) is
    the brightest that a change may reach. A pixel of exactly 0 stays 0.
    """

    images: Tensor
    labels: Tensor
    seeds: tuple[int, ...]
    weight: Tensor | None = None
    white: Tensor | None = None

    def room(self, epsilon: int | None) -> Room:
        """The room within `epsilon` grey levels of the images, or any grey value where there is no budget."""
        free = self.images > 0
        weight = free.to(self.images) if self.weight is None else self.weight * free
        radius = (weight > 0).to(self.images) if epsilon is None else weight * (epsilon / FULL_SCALE)
        top = 1.0 if self.white is None else self.white.view(-1, 1, 1, 1)
        # What is brighter than white already may stay so, but not become brighter.
        upper = torch.maximum((self.images + radius).clamp(max=top), self.images)
        return Room((self.images - radius).clamp(min=0), upper)


def hold_levels(real: Pixels, adversarial: Pixels, *, epsilon: int, levels: Pixels | None = None) -> Pixels:
    """Written pixels within `epsilon` of their parent, on the parent's own levels (ascending) where some are given.

    Settling on a coarse grid may step over the budget; such a pixel goes to the last level inside it.
    """
    lower, upper = _bounds(epsilon, levels)
    return np.clip(adversarial, lower[real], upper[real])


def _bounds(epsilon: int, levels: Pixels | None) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """The least and greatest permitted level by the level of the parent, (65536,) each."""
    own = np.arange(FULL_SCALE + 1)
    lower, upper = np.maximum(own - epsilon, 0), np.minimum(own + epsilon, FULL_SCALE)
    if levels is not None and len(levels):
        grid = levels.astype(np.int64)
        above = grid[np.searchsorted(grid, lower).clip(max=len(grid) - 1)]
        below = grid[(np.searchsorted(grid, upper, side="right") - 1).clip(min=0)]
        # A parent that is not on the levels itself keeps its own value at least.
        lower, upper = np.minimum(above, own), np.maximum(below, own)
    return lower.astype(np.uint16), upper.astype(np.uint16)
