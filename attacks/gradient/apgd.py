"""Auto-PGD on the cross-entropy."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attacks.constraints.budget import AttackBatch
from attacks.gradient.base import LogitFunction, loss_gradient, per_image, uniform_noise
from readerstudy.imaging.image import WHITE


@dataclass(frozen=True)
class APGD:
    """PGD that halves its step when the loss stops rising (Croce & Hein, 2020, algorithm 1), on the cross-entropy.

    The restart with the greatest loss counts. The article's other loss, DLR, needs three classes and is not defined
    for a diagnosis of two. `epsilon` in 16-bit grey levels.
    """

    epsilon: int = 1028
    steps: int = 100
    restarts: int = 1
    rho: float = 0.75  # share of rising steps below which the step is halved
    inertia: float = 0.75

    def __call__(self, logits: LogitFunction, batch: AttackBatch, /) -> Tensor:
        results = [_Ascent(self, logits, batch, restart).run() for restart in range(self.restarts)]
        best = results[0]
        for other in results[1:]:
            best = best.or_better(other)
        return best.images

    def checkpoints(self) -> list[int]:
        """Return after how many steps the step size is adapted (Croce & Hein, §3.1)."""
        period, shortest, decrement = (max(int(share * self.steps), 1) for share in (0.22, 0.06, 0.03))
        checkpoints, step = [], 0
        while (step := step + period) <= self.steps:
            checkpoints.append(step)
            period = max(period - decrement, shortest)
        return checkpoints


@dataclass(frozen=True)
class _Iterate:
    """Images with their losses, (B,)."""

    images: Tensor
    loss: Tensor

    def or_better(self, other: "_Iterate") -> "_Iterate":
        """Return for each image the iterate of the greater loss."""
        better = other.loss > self.loss
        images = torch.where(per_image(better, self.images), other.images, self.images)
        return replace(self, images=images, loss=torch.where(better, other.loss, self.loss))


class _Ascent:
    """One restart; each image has its own step size."""

    def __init__(self, config: APGD, logits: LogitFunction, batch: AttackBatch, restart: int) -> None:
        self.config, self.logits, self.batch = config, logits, batch
        self.feasible = batch.feasible_set(config.epsilon)
        noise = uniform_noise(batch.seeds, batch.images, restart)
        largest = noise.abs().flatten(1).amax(1)
        start = batch.images + noise / per_image(largest, noise) * (config.epsilon / WHITE)
        self.x = self.feasible.project(start)
        self.previous = self.x
        at_x = loss_gradient(logits, self.x, batch.labels)
        self.gradient, loss = at_x.gradient, at_x.loss
        self.best, self.best_gradient = _Iterate(self.x, loss), self.gradient
        self.step = torch.full_like(loss, 2 * config.epsilon / WHITE)
        self.rises, self.last_loss = torch.zeros_like(loss), loss
        self.loss_at_checkpoint, self.was_halved = loss, torch.ones_like(loss, dtype=torch.bool)

    def run(self) -> _Iterate:
        """Return the best iterate of each image."""
        checkpoints, period = set(self.config.checkpoints()), 0
        for step in range(1, self.config.steps + 1):
            self._move(is_first=step == 1)
            period += 1
            if step in checkpoints:
                self._adapt(period)
                period = 0
        return self.best

    def _move(self, *, is_first: bool) -> None:
        inertia = 1.0 if is_first else self.config.inertia
        ahead = self.feasible.project(self.x + per_image(self.step, self.x) * self.gradient.sign())
        moved = self.x + inertia * (ahead - self.x) + (1 - inertia) * (self.x - self.previous)
        self.previous, self.x = self.x, self.feasible.project(moved)
        at_x = loss_gradient(self.logits, self.x, self.batch.labels)
        self.gradient, loss = at_x.gradient, at_x.loss
        better = loss > self.best.loss
        self.best_gradient = torch.where(per_image(better, self.x), self.gradient, self.best_gradient)
        self.best = self.best.or_better(_Iterate(self.x, loss))
        self.rises, self.last_loss = self.rises + (loss > self.last_loss), loss

    def _adapt(self, period: int) -> None:
        """Halve the step and return to the best iterate if the loss rose too seldom or the best did not improve."""
        rose_seldom = self.rises <= self.config.rho * period
        is_stuck = ~self.was_halved & (self.loss_at_checkpoint >= self.best.loss)
        self.was_halved = rose_seldom | is_stuck
        self.loss_at_checkpoint, self.rises = self.best.loss, torch.zeros_like(self.rises)
        self.step = torch.where(self.was_halved, self.step / 2, self.step)
        returns = per_image(self.was_halved, self.x)
        self.x = torch.where(returns, self.best.images, self.x)
        self.gradient = torch.where(returns, self.best_gradient, self.gradient)
