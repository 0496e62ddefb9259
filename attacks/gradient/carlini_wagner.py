"""Carlini and Wagner's attack: the least squared change that fools."""

from dataclasses import dataclass

import torch
from torch import Tensor

from attacks.constraints.budget import Batch
from attacks.gradient.base import Logits, each, margin


@dataclass(frozen=True)
class CarliniWagner:
    """Minimise ‖δ‖² + c · max(margin + confidence, 0) in tanh space by Adam, with a binary search over c
    (Carlini & Wagner, 2017, L2).

    It has no budget: it finds the smallest change. An image that no c fools comes back unchanged. `confidence` is by
    how much the other class's logit must win; above 0 the result survives rounding and resampling.
    """

    steps: int = 60
    searches: int = 5
    start: float = 1.0  # the first c; ten times as much after a failure, half way to the last success after that
    rate: float = 0.01
    confidence: float = 0.5

    @property
    def epsilon(self) -> None:
        return None

    def __call__(self, logits: Logits, batch: Batch, /) -> Tensor:
        search = _Search(self, batch)
        for _ in range(self.searches):
            search.narrow(self._minimise(logits, batch, search))
        return search.best

    def _minimise(self, logits: Logits, batch: Batch, search: "_Search") -> Tensor:
        """Adam from the images themselves at the present c; whether each was fooled, (B,)."""
        space = _TanhSpace(batch)
        w = space.inverse(batch.images).requires_grad_()
        optimizer = torch.optim.Adam([w], lr=self.rate)
        fooled = torch.zeros_like(batch.labels, dtype=torch.bool)
        for _ in range(self.steps):
            x = space.images(w)
            distance = (x - batch.images).flatten(1).square().sum(1)
            short = (margin(logits(x), batch.labels) + self.confidence).clamp(min=0)
            fooled |= search.offer(x.detach(), distance.detach(), short.detach() <= 0)
            optimizer.zero_grad()
            (w.grad,) = torch.autograd.grad((distance + search.c * short).sum(), w)
            optimizer.step()
        return fooled


class _TanhSpace:
    """Images as a function of an unbounded variable, so that no step leaves the room."""

    def __init__(self, batch: Batch) -> None:
        room = batch.room(None)
        self.lower, self.width = room.lower, room.upper - room.lower

    def images(self, w: Tensor) -> Tensor:
        return self.lower + self.width * (torch.tanh(w) + 1) / 2

    def inverse(self, images: Tensor) -> Tensor:
        share = torch.where(self.width > 0, (images - self.lower) / self.width.clamp(min=1e-12), 0.5)
        # Not quite the ends: there the variable would be infinite and the image could never leave them.
        return torch.atanh((2 * share - 1).clamp(-1 + 1e-6, 1 - 1e-6)).detach()


class _Search:
    """The best image so far, and the c to try next, for each image on its own."""

    def __init__(self, config: CarliniWagner, batch: Batch) -> None:
        self.best = batch.images
        self.least = torch.full_like(batch.images[:, 0, 0, 0], torch.inf)
        self.c = torch.full_like(self.least, config.start)
        self.low, self.high = torch.zeros_like(self.c), torch.full_like(self.c, torch.inf)

    def offer(self, x: Tensor, distance: Tensor, fooled: Tensor) -> Tensor:
        better = fooled & (distance < self.least)
        self.best = torch.where(each(better, x), x, self.best)
        self.least = torch.where(better, distance, self.least)
        return fooled

    def narrow(self, fooled: Tensor) -> None:
        self.high = torch.where(fooled, torch.minimum(self.high, self.c), self.high)
        self.low = torch.where(fooled, self.low, torch.maximum(self.low, self.c))
        between = (self.low + self.high) / 2
        self.c = torch.where(self.high.isinf(), self.c * 10, between)
