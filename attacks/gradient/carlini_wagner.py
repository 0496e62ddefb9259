"""Carlini and Wagner's attack: the least squared change that fools."""

from dataclasses import dataclass

import torch
from torch import Tensor

from attacks.constraints.budget import AttackBatch
from attacks.gradient.base import LogitFunction, margin, per_image


@dataclass(frozen=True)
class CarliniWagner:
    """Minimise ‖δ‖² + c · max(margin + confidence, 0) in tanh space by Adam, with a binary search over c
    (Carlini & Wagner, 2017, L2).

    It has no budget: it finds the smallest change. An image that no c fools comes back unchanged. `confidence` is the
    required lead of the other class's logit; above 0 the result survives rounding and resampling.
    """

    steps: int = 60
    searches: int = 5
    start: float = 1.0  # the first c; ten times as much after a failure, then half way to the last success
    rate: float = 0.01
    confidence: float = 0.5

    @property
    def epsilon(self) -> None:
        return None

    def __call__(self, logits: LogitFunction, batch: AttackBatch, /) -> Tensor:
        search = _Search(self, batch)
        for _ in range(self.searches):
            search.narrow(self._minimise(logits, batch, search))
        return search.best

    def _minimise(self, logits: LogitFunction, batch: AttackBatch, search: "_Search") -> Tensor:
        """Run Adam from the source images at the current c; return whether each image was fooled, (B,)."""
        space = _TanhSpace(batch)
        w = space.inverse(batch.images).requires_grad_()
        optimizer = torch.optim.Adam([w], lr=self.rate)
        fooled = torch.zeros_like(batch.labels, dtype=torch.bool)
        for _ in range(self.steps):
            x = space.images(w)
            distance = (x - batch.images).flatten(1).square().sum(1)
            shortfall = (margin(logits(x), batch.labels) + self.confidence).clamp(min=0)
            is_fooled = shortfall.detach() <= 0
            search.keep_best(x.detach(), distance.detach(), is_fooled)
            fooled |= is_fooled
            optimizer.zero_grad()
            (w.grad,) = torch.autograd.grad((distance + search.c * shortfall).sum(), w)
            optimizer.step()
        return fooled


class _TanhSpace:
    """Images as a function of an unbounded variable, so that no step leaves the feasible set."""

    def __init__(self, batch: AttackBatch) -> None:
        feasible = batch.feasible_set(None)
        self.lower, self.width = feasible.lower, feasible.upper - feasible.lower

    def images(self, w: Tensor) -> Tensor:
        return self.lower + self.width * (torch.tanh(w) + 1) / 2

    def inverse(self, images: Tensor) -> Tensor:
        share = torch.where(self.width > 0, (images - self.lower) / self.width.clamp(min=1e-12), 0.5)
        # Not quite −1 and 1: there the variable would be infinite and the image could not leave them.
        return torch.atanh((2 * share - 1).clamp(-1 + 1e-6, 1 - 1e-6)).detach()


class _Search:
    """The best image so far and the next c, for each image."""

    def __init__(self, config: CarliniWagner, batch: AttackBatch) -> None:
        self.best = batch.images
        self.least = torch.full_like(batch.images[:, 0, 0, 0], torch.inf)
        self.c = torch.full_like(self.least, config.start)
        self.low, self.high = torch.zeros_like(self.c), torch.full_like(self.c, torch.inf)

    def keep_best(self, x: Tensor, distance: Tensor, fooled: Tensor) -> None:
        """Replace the best images by those of `x` that fool at a smaller distance, (B,)."""
        better = fooled & (distance < self.least)
        self.best = torch.where(per_image(better, x), x, self.best)
        self.least = torch.where(better, distance, self.least)

    def narrow(self, fooled: Tensor) -> None:
        """Choose the next c of each image by whether the last one fooled, (B,)."""
        self.high = torch.where(fooled, torch.minimum(self.high, self.c), self.high)
        self.low = torch.where(fooled, self.low, torch.maximum(self.low, self.c))
        middle = (self.low + self.high) / 2
        self.c = torch.where(self.high.isinf(), self.c * 10, middle)
