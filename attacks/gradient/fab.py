"""The fast adaptive boundary attack, untargeted, for two classes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from attacks.constraints.budget import FULL_SCALE, Batch, Room
from attacks.gradient.base import Logits, each, margin, uniform


@dataclass(frozen=True)
class FAB:
    """Seeks the nearest image beyond the decision boundary in L∞ (Croce & Hein, 2020b), then keeps to the budget.

    Each step projects the present image and the original on the boundary's tangent plane, takes a mean of the two
    that leans towards the original, and overshoots a little; where it fools, it steps back.
    """

    epsilon: int = 1028
    steps: int = 100
    restarts: int = 1
    lean: float = 0.1  # greatest weight of the original (alpha max)
    overshoot: float = 1.05
    back: float = 0.9

    def __call__(self, logits: Logits, batch: Batch, /) -> Tensor:
        best, least = batch.images, torch.full_like(batch.images[:, 0, 0, 0], torch.inf)
        everywhere = batch.room(None)
        for number in range(self.restarts):
            x = self._start(batch, everywhere, least, number)
            for _ in range(self.steps):
                x = self._step(logits, batch, everywhere, x)
                with torch.no_grad():
                    fooled = margin(logits(x), batch.labels) < 0
                distance = (x - batch.images).abs().flatten(1).amax(1)
                better = fooled & (distance < least)
                best, least = torch.where(each(better, x), x, best), torch.where(better, distance, least)
                x = torch.where(each(fooled, x), batch.images + self.back * (x - batch.images), x)
        return batch.room(self.epsilon).hold(best)

    def _start(self, batch: Batch, room: Room, least: Tensor, number: int) -> Tensor:
        if number == 0:
            return batch.images
        radius = least.clamp(max=self.epsilon / FULL_SCALE) / 2
        return room.hold(batch.images + each(radius, batch.images) * uniform(batch.seeds, batch.images, number))

    def _step(self, logits: Logits, batch: Batch, room: Room, x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        value = margin(logits(x), batch.labels)
        (gradient,) = torch.autograd.grad(value.sum(), x)
        x, value = x.detach(), value.detach()
        offset = value - (gradient * x).flatten(1).sum(1)  # the plane: gradient · z + offset = 0
        here, origin = (project(point, gradient, offset, room) for point in (x, batch.images))
        near, far = ((move.abs().flatten(1).amax(1)).clamp(min=1e-8) for move in (here, origin))
        lean = each((near / (near + far)).clamp(0, self.lean), x)
        moved = (1 - lean) * (x + self.overshoot * here) + lean * (batch.images + self.overshoot * origin)
        return room.hold(moved)


def project(point: Tensor, gradient: Tensor, offset: Tensor, room: Room) -> Tensor:
    """The step of least L∞ norm from `point` to the plane gradient · z + offset = 0 that stays in the room.

    Every pixel moves by the same λ towards the plane, or until it meets its wall; λ solves a piecewise linear
    equation. Where the room does not reach the plane, every pixel goes to its wall.
    """
    value = (gradient * point).flatten(1).sum(1) + offset
    towards = -each(value.sign(), point) * gradient.sign()
    wall = torch.where(towards > 0, room.upper - point, point - room.lower).clamp(min=0) * (towards != 0)
    reach = _common_step(wall.flatten(1), gradient.abs().flatten(1), value.abs())
    return towards * torch.minimum(wall, each(reach, point))


def _common_step(wall: Tensor, slope: Tensor, wanted: Tensor) -> Tensor:
    """λ (B,) with Σ slope · min(wall, λ) = wanted, for walls and slopes (B, N) not below 0."""
    wall, order = wall.sort(dim=1)
    slope = slope.gather(1, order).double()
    wall = wall.double()
    spent = (slope * wall).cumsum(1) - slope * wall  # by the pixels that met their wall before this one
    open_slope = slope.flip(1).cumsum(1).flip(1)  # of this pixel and of all with a wall further off
    # At λ = wall[k] the sum is spent[k] + open_slope[k] · wall[k]: the first k where that is enough holds λ.
    enough = spent + open_slope * wall >= wanted[:, None].double()
    first = torch.where(enough.any(1), enough.int().argmax(1), wall.shape[1] - 1)[:, None]
    step = (wanted.double() - spent.gather(1, first)[:, 0]) / open_slope.gather(1, first)[:, 0].clamp(min=1e-30)
    return torch.where(enough.any(1), step, wall[:, -1]).to(slope.dtype).float()
