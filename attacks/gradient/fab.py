"""The fast adaptive boundary attack, untargeted, for two classes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from attacks.constraints.budget import AttackBatch, FeasibleSet
from attacks.gradient.base import LogitFunction, margin, per_image, uniform_noise
from readerstudy.imaging.image import WHITE


@dataclass(frozen=True)
class FAB:
    """Seek the nearest image beyond the decision boundary in L∞ (Croce & Hein, 2020b), then keep to the budget.

    Each step projects the current image and the source image on the boundary's tangent plane, takes a mean of the two
    that is biased towards the source image, and overshoots a little; after a step that fools, it moves back.
    `epsilon` in 16-bit grey levels.
    """

    epsilon: int = 1028
    steps: int = 100
    restarts: int = 1
    lean: float = 0.1  # greatest weight of the source image (alpha max)
    overshoot: float = 1.05
    back: float = 0.9

    def __call__(self, logits: LogitFunction, batch: AttackBatch, /) -> Tensor:
        best, least = batch.images, torch.full_like(batch.images[:, 0, 0, 0], torch.inf)
        feasible = batch.feasible_set(None)
        for restart in range(self.restarts):
            x = self._start(batch, feasible, least, restart)
            for _ in range(self.steps):
                x = self._step(logits, batch, feasible, x)
                with torch.no_grad():
                    fooled = margin(logits(x), batch.labels) < 0
                distance = (x - batch.images).abs().flatten(1).amax(1)
                better = fooled & (distance < least)
                best = torch.where(per_image(better, x), x, best)
                least = torch.where(better, distance, least)
                x = torch.where(per_image(fooled, x), batch.images + self.back * (x - batch.images), x)
        return batch.feasible_set(self.epsilon).project(best)

    def _start(self, batch: AttackBatch, feasible: FeasibleSet, least: Tensor, restart: int) -> Tensor:
        if restart == 0:
            return batch.images
        radius = least.clamp(max=self.epsilon / WHITE) / 2
        noise = per_image(radius, batch.images) * uniform_noise(batch.seeds, batch.images, restart)
        return feasible.project(batch.images + noise)

    def _step(self, logits: LogitFunction, batch: AttackBatch, feasible: FeasibleSet, x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        value = margin(logits(x), batch.labels)
        (gradient,) = torch.autograd.grad(value.sum(), x)
        x, value = x.detach(), value.detach()
        offset = value - (gradient * x).flatten(1).sum(1)  # the plane: gradient · z + offset = 0
        from_x, from_source = (step_to_plane(point, gradient, offset, feasible) for point in (x, batch.images))
        near, far = ((step.abs().flatten(1).amax(1)).clamp(min=1e-8) for step in (from_x, from_source))
        lean = per_image((near / (near + far)).clamp(0, self.lean), x)
        moved = (1 - lean) * (x + self.overshoot * from_x) + lean * (batch.images + self.overshoot * from_source)
        return feasible.project(moved)


def step_to_plane(point: Tensor, gradient: Tensor, offset: Tensor, feasible: FeasibleSet) -> Tensor:
    """Return the step of least L∞ norm from `point` to the plane gradient · z + offset = 0 within the feasible set.

    Every pixel moves by the same λ towards the plane, or to its bound; λ solves a piecewise linear equation. If the
    feasible set does not reach the plane, every pixel moves to its bound.
    """
    value = (gradient * point).flatten(1).sum(1) + offset
    sign = -per_image(value.sign(), point) * gradient.sign()
    bound = torch.where(sign > 0, feasible.upper - point, point - feasible.lower).clamp(min=0) * (sign != 0)
    step = _common_step(bound.flatten(1), gradient.abs().flatten(1), value.abs())
    return sign * torch.minimum(bound, per_image(step, point))


def _common_step(bound: Tensor, slope: Tensor, target: Tensor) -> Tensor:
    """Return λ (B,) with Σ slope · min(bound, λ) = target (B,), for bounds and slopes (B, N) of at least 0."""
    bound, order = bound.sort(dim=1)
    slope = slope.gather(1, order).double()
    bound = bound.double()
    spent = (slope * bound).cumsum(1) - slope * bound  # by the pixels that reached their bound before this one
    open_slope = slope.flip(1).cumsum(1).flip(1)  # of this pixel and of all with a greater bound
    # At λ = bound[k] the sum is spent[k] + open_slope[k] · bound[k]: the first k at which that suffices holds λ.
    suffices = spent + open_slope * bound >= target[:, None].double()
    first = torch.where(suffices.any(1), suffices.int().argmax(1), bound.shape[1] - 1)[:, None]
    step = (target.double() - spent.gather(1, first)[:, 0]) / open_slope.gather(1, first)[:, 0].clamp(min=1e-30)
    return torch.where(suffices.any(1), step, bound[:, -1]).to(slope.dtype).float()
