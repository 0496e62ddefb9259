"""Projected gradient descent, with optional momentum for black-box transfer."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from attacks.constraints.budget import AttackBatch, FeasibleSet
from attacks.gradient.base import LogitFunction, loss_gradient, per_image, uniform_noise
from readerstudy.imaging.image import WHITE


@dataclass(frozen=True)
class PGD:
    """Signed gradient steps in an L∞ ball from a random start (Madry et al., 2018). `epsilon` in 16-bit grey levels.

    A step is `stride` · epsilon, a quarter, whatever the number of steps. The classifier ends in a global max pool, so
    each step moves only the pixels below the current maxima; with steps of 2.5 · epsilon / steps the others would
    hardly move. `iterate` selects the iterate with the greatest loss, or the last one. `momentum` above 0 sums
    mean-normalised gradients as MI-FGSM does (Dong et al., 2018), for a transfer to another classifier.
    """

    epsilon: int = 1028
    steps: int = 100
    stride: float = 0.25
    random_start: bool = True
    momentum: float = 0.0
    iterate: Literal["best", "last"] = "best"

    def __call__(self, logits: LogitFunction, batch: AttackBatch, /) -> Tensor:
        feasible = batch.feasible_set(self.epsilon)
        x = self._start(batch, feasible)
        best, greatest = x, torch.full_like(batch.labels, -torch.inf, dtype=x.dtype)
        direction = torch.zeros_like(x)
        for _ in range(self.steps):
            at_x = loss_gradient(logits, x, batch.labels)
            best, greatest = _greater(x, at_x.loss, best, greatest)
            direction = self._direction(direction, at_x.gradient)
            x = feasible.project(x + self.stride * self.epsilon / WHITE * direction.sign())
        if self.iterate == "last":
            return x
        return _greater(x, loss_gradient(logits, x, batch.labels).loss, best, greatest)[0]

    def _start(self, batch: AttackBatch, feasible: FeasibleSet) -> Tensor:
        if not self.random_start:
            return batch.images
        noise = uniform_noise(batch.seeds, batch.images) * (self.epsilon / WHITE)
        return feasible.project(batch.images + noise)

    def _direction(self, previous: Tensor, gradient: Tensor) -> Tensor:
        if not self.momentum:
            return gradient
        mean = gradient.abs().flatten(1).mean(1).clamp(min=1e-20)
        return self.momentum * previous + gradient / per_image(mean, gradient)


def _greater(x: Tensor, loss: Tensor, best: Tensor, greatest: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each image the iterate of the greater loss, and that loss."""
    better = loss > greatest
    return torch.where(per_image(better, x), x, best), torch.where(better, loss, greatest)
