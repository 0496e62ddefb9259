"""Projected gradient descent, with momentum where a black-box transfer wants it."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from attacks.constraints.budget import FULL_SCALE, Batch, Room
from attacks.gradient.base import Logits, ascent, each, uniform


@dataclass(frozen=True)
class PGD:
    """Signed gradient steps in an L∞ ball from a random start (Madry et al., 2018).

    A step is `stride` · epsilon: a quarter, whatever the number of steps. The classifier looks through a global max
    pool, so that each step moves only the places that were brightest then, and a step of 2.5 · epsilon / steps leaves
    the others no way to go. `iterate` selects the iterate with the greatest loss, or the last one. `momentum` above 0
    sums mean-normalised gradients as MI-FGSM does (Dong et al., 2018), for images that go to another classifier.
    """

    epsilon: int = 1028
    steps: int = 100
    stride: float = 0.25
    random_start: bool = True
    momentum: float = 0.0
    iterate: Literal["best", "last"] = "best"

    def __call__(self, logits: Logits, batch: Batch, /) -> Tensor:
        room = batch.room(self.epsilon)
        x = self._start(batch, room)
        best, greatest = x, torch.full_like(batch.labels, -torch.inf, dtype=x.dtype)
        direction = torch.zeros_like(x)
        for _ in range(self.steps):
            gradient, loss, _ = ascent(logits, x, batch.labels)
            best, greatest = _greater(x, loss, best, greatest)
            direction = self._direction(direction, gradient)
            x = room.hold(x + self.stride * self.epsilon / FULL_SCALE * direction.sign())
        if self.iterate == "last":
            return x
        return _greater(x, ascent(logits, x, batch.labels)[1], best, greatest)[0]

    def _start(self, batch: Batch, room: Room) -> Tensor:
        if not self.random_start:
            return batch.images
        noise = uniform(batch.seeds, batch.images) * (self.epsilon / FULL_SCALE)
        return room.hold(batch.images + noise)

    def _direction(self, before: Tensor, gradient: Tensor) -> Tensor:
        if not self.momentum:
            return gradient
        size = gradient.abs().flatten(1).mean(1).clamp(min=1e-20)
        return self.momentum * before + gradient / each(size, gradient)


def _greater(x: Tensor, loss: Tensor, best: Tensor, greatest: Tensor) -> tuple[Tensor, Tensor]:
    better = loss > greatest
    return torch.where(each(better, x), x, best), torch.where(better, loss, greatest)
