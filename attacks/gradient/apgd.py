"""Auto-PGD on the cross-entropy."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attacks.constraints.budget import FULL_SCALE, Batch, Room
from attacks.gradient.base import Logits, ascent, each, uniform


@dataclass(frozen=True)
class APGD:
    """PGD that halves its step where the loss stops rising (Croce & Hein, 2020, algorithm 1), on the cross-entropy.

    Of several restarts the image that fools by the greatest loss counts. The article's other loss, DLR, needs three
    classes and does not exist for a diagnosis of two.
    """

    epsilon: int = 1028
    steps: int = 100
    restarts: int = 1
    rho: float = 0.75  # share of rising steps below which the step is halved
    inertia: float = 0.75

    def __call__(self, logits: Logits, batch: Batch, /) -> Tensor:
        climbs = [_Climb(self, logits, batch, number).run() for number in range(self.restarts)]
        best = climbs[0]
        for other in climbs[1:]:
            best = best.or_better(other)
        return best.images

    def checkpoints(self) -> list[int]:
        """After how many steps the step size is looked at (Croce & Hein, §3.1)."""
        period, least, less = (max(int(share * self.steps), 1) for share in (0.22, 0.06, 0.03))
        places, place = [], 0
        while (place := place + period) <= self.steps:
            places.append(place)
            period = max(period - less, least)
        return places


@dataclass(frozen=True)
class _Reached:
    """Images with their losses, (B,)."""

    images: Tensor
    loss: Tensor

    def or_better(self, other: "_Reached") -> "_Reached":
        better = other.loss > self.loss
        images = torch.where(each(better, self.images), other.images, self.images)
        return replace(self, images=images, loss=torch.where(better, other.loss, self.loss))


class _Climb:
    """One run: every image has its own step size."""

    def __init__(self, config: APGD, logits: Logits, batch: Batch, number: int) -> None:
        self.config, self.logits, self.batch = config, logits, batch
        self.room: Room = batch.room(config.epsilon)
        noise = uniform(batch.seeds, batch.images, number)
        size = noise.abs().flatten(1).amax(1)
        self.x = self.room.hold(batch.images + noise / each(size, noise) * (config.epsilon / FULL_SCALE))
        self.before = self.x
        self.gradient, loss, _ = ascent(logits, self.x, batch.labels)
        self.best, self.best_gradient = _Reached(self.x, loss), self.gradient
        self.step = torch.full_like(loss, 2 * config.epsilon / FULL_SCALE)
        self.rises, self.last = torch.zeros_like(loss), loss
        self.at_check, self.halved = loss, torch.ones_like(loss, dtype=torch.bool)

    def run(self) -> _Reached:
        places, since = set(self.config.checkpoints()), 0
        for number in range(1, self.config.steps + 1):
            self._move(first=number == 1)
            since += 1
            if number in places:
                self._look(since)
                since = 0
        return self.best

    def _move(self, *, first: bool) -> None:
        inertia = 1.0 if first else self.config.inertia
        ahead = self.room.hold(self.x + each(self.step, self.x) * self.gradient.sign())
        moved = self.x + inertia * (ahead - self.x) + (1 - inertia) * (self.x - self.before)
        self.before, self.x = self.x, self.room.hold(moved)
        self.gradient, loss, _ = ascent(self.logits, self.x, self.batch.labels)
        better = loss > self.best.loss
        self.best_gradient = torch.where(each(better, self.x), self.gradient, self.best_gradient)
        self.best = self.best.or_better(_Reached(self.x, loss))
        self.rises, self.last = self.rises + (loss > self.last), loss

    def _look(self, period: int) -> None:
        """Halve the step, and go back to the best, where the loss rose too seldom or the best did not improve."""
        seldom = self.rises <= self.config.rho * period
        stuck = ~self.halved & (self.at_check >= self.best.loss)
        self.halved = seldom | stuck
        self.at_check, self.rises = self.best.loss, torch.zeros_like(self.rises)
        self.step = torch.where(self.halved, self.step / 2, self.step)
        back = each(self.halved, self.x)
        self.x = torch.where(back, self.best.images, self.x)
        self.gradient = torch.where(back, self.best_gradient, self.gradient)
