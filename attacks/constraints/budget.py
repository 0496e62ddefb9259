"""Budgets of attacks in grey levels, enforced on tensors during an attack and on the written pixels."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from models_ml.errors import LabError
from readerstudy.imaging.image import WHITE, Grey16


def parse_budget(budget: int | str) -> int:
    """Return a budget in 16-bit grey levels: 1028 stays as it is, "4/255" is a share of full scale.

    A share between two levels is rounded down. Raises LabError unless the result lies between 1 and full scale.
    """
    try:
        is_share = "/" in str(budget)
        levels = int(Fraction(str(budget)) * WHITE) if is_share else int(str(budget))
    except (ValueError, ZeroDivisionError):
        raise LabError(f"A budget is a number of grey levels or a share such as 4/255, not {budget!r}.") from None
    if not 1 <= levels <= WHITE:
        raise LabError(f"A budget lies between 1 and {WHITE} grey levels; {budget} does not.")
    return levels


def format_budget(levels: int) -> str:
    """Return 16-bit grey levels in 255ths of full scale, as articles write them; two decimals if not whole."""
    share = levels * 255 / WHITE
    return f"{share:.0f}/255" if levels % 257 == 0 else f"{share:.2f}/255"


@dataclass(frozen=True)
class FeasibleSet:
    """The least and greatest permitted value of each pixel of a batch, (B, 1, H, W), in 0…1."""

    lower: Tensor
    upper: Tensor

    def project(self, images: Tensor) -> Tensor:
        """Return the nearest images in the set. A running attack enforces its budget by this method alone."""
        return torch.minimum(torch.maximum(images, self.lower), self.upper)


@dataclass(frozen=True)
class AttackBatch:
    """Images to attack, (B, 1, H, W) in 0…1, with their true labels (B,) and one seed each.

    `weight` (as images, 0 to 1) scales the budget of each pixel; pixels of weight 0 do not change. `white` (B,) is the
    brightest value that a change may reach. A pixel of exactly 0 stays 0.
    """

    images: Tensor
    labels: Tensor
    seeds: tuple[int, ...]
    weight: Tensor | None = None
    white: Tensor | None = None

    def feasible_set(self, epsilon: int | None) -> FeasibleSet:
        """Return the values within `epsilon` 16-bit grey levels of the images, or all values if it is None."""
        is_free = self.images > 0
        weight = is_free.to(self.images) if self.weight is None else self.weight * is_free
        radius = (weight > 0).to(self.images) if epsilon is None else weight * (epsilon / WHITE)
        top = 1.0 if self.white is None else self.white.view(-1, 1, 1, 1)
        # A pixel that is brighter than `white` already may stay so, but not become brighter.
        upper = torch.maximum((self.images + radius).clamp(max=top), self.images)
        return FeasibleSet((self.images - radius).clamp(min=0), upper)


def clip_to_budget(real: Grey16, adversarial: Grey16, *, epsilon: int, levels: Grey16 | None = None) -> Grey16:
    """Return the adversarial image with each pixel within `epsilon` grey levels of the source image.

    With `levels` (ascending), pixels keep to these: rounding to a coarse grid may exceed the budget, and such a pixel
    gets the last level within it.
    """
    lower, upper = _permitted_levels(epsilon, levels)
    return np.clip(adversarial, lower[real], upper[real])


def _permitted_levels(epsilon: int, levels: Grey16 | None) -> tuple[Grey16, Grey16]:
    """Return the least and the greatest permitted level for each level of the source image, (65536,) each."""
    source = np.arange(WHITE + 1)
    lower, upper = np.maximum(source - epsilon, 0), np.minimum(source + epsilon, WHITE)
    if levels is not None and len(levels):
        grid = levels.astype(np.int64)
        above = grid[np.searchsorted(grid, lower).clip(max=len(grid) - 1)]
        below = grid[(np.searchsorted(grid, upper, side="right") - 1).clip(min=0)]
        # A source pixel that is not on the grid may keep its value.
        lower, upper = np.minimum(above, source), np.maximum(below, source)
    return lower.astype(np.uint16), upper.astype(np.uint16)
