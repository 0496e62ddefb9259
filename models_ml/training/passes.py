"""The passes of one batch through a classifier or discriminator: gradients of its weights, and of the images.

Two ways to the same numbers. The VGG's are written by hand (`networks.piecewise_linear`); every other family uses
autograd, with a double backward for the penalty. `passes_of` chooses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from models_ml.networks.classifier import Classifier
from models_ml.networks.losses import generator_loss, precise
from models_ml.networks.piecewise_linear import Gradients, Trunk
from models_ml.networks.vgg import VggClassifier

LossOf = Callable[[Tensor], Tensor]  # of the scores (B, outputs)


@dataclass(frozen=True)
class Penalty:
    """k/2 · mean ‖∇ₓ s(x)‖₂ᵒ over a batch of `count` images."""

    weight: float
    order: float
    count: int

    def of(self, slope: Tensor) -> tuple[Tensor, Tensor]:
        """Return the part of the penalty from these images, a scalar, and its derivative by their slopes ∇ₓ s.

        `slope` and the derivative are (B, C, H, W).
        """
        slope = precise(slope)
        norms = slope.flatten(1).norm(2, dim=1)
        scale = self.weight / 2 / self.count
        by_norm = scale * self.order * norms.pow(self.order - 2)
        return scale * norms.pow(self.order).sum(), slope * by_norm[:, None, None, None]


class Passes(Protocol):
    """What a training step needs of a network."""

    def learn(
        self, normalised: Tensor, loss_of: LossOf, penalty: Penalty | None, gradients: Gradients
    ) -> tuple[Tensor, Tensor]:
        """Add the gradients of `loss_of(scores)` and of the penalty on normalised images; return both values."""

    def pull(self, adversarial: Tensor) -> tuple[Tensor, Tensor]:
        """Return −mean f(s(G(y))) for adversarial images G(y), (B, 1, H, W), and its derivative by these images."""


def passes_of(network: Classifier, dtype: torch.dtype) -> Passes:
    """Return the passes of the network's family, with its present weights and multiplications in `dtype`."""
    if isinstance(network, VggClassifier):
        return HandWritten(network, dtype)
    return Autograd(network, dtype)


class HandWritten:
    """The passes of a VGG, whose trunk needs no second backward pass."""

    def __init__(self, net: VggClassifier, dtype: torch.dtype) -> None:
        self.net, self.trunk = net, Trunk(net, dtype)

    @torch.no_grad()
    def learn(
        self, normalised: Tensor, loss_of: LossOf, penalty: Penalty | None, gradients: Gradients
    ) -> tuple[Tensor, Tensor]:
        net, trunk = self.net, self.trunk
        passed = trunk.up(normalised)
        maps = precise(passed.maps).requires_grad_()
        with torch.enable_grad():
            scores = net.head(maps)
            loss = loss_of(scores)
            outputs, pulls, cost = [loss], [torch.ones_like(loss)], loss.new_zeros(())
            if penalty:
                (pull,) = torch.autograd.grad(scores.sum(), maps, create_graph=True)
        if penalty:
            kept: dict[int, Tensor] = {}
            cost, direction = penalty.of(trunk.down(passed, pull.detach(), kept))
            moved = trunk.along(passed, kept, direction, gradients)
            outputs, pulls = [loss, pull], [pulls[0], moved.to(pull.dtype)]
            del kept, direction, moved
        parts = (net.fnet, net.output)
        wanted = [p for part in parts for p in part.parameters() if p.requires_grad and not trunk.owns(p)]
        found = torch.autograd.grad(outputs, [maps, *wanted], pulls, allow_unused=True)
        add(gradients, wanted, found[1:])
        if found[0] is not None:
            trunk.learn(passed, found[0], gradients)
        return loss.detach(), cost.detach()

    @torch.no_grad()
    def pull(self, adversarial: Tensor) -> tuple[Tensor, Tensor]:
        net, trunk = self.net, self.trunk
        passed = trunk.up(net.normalise(adversarial))
        maps = precise(passed.maps).requires_grad_()
        with torch.enable_grad():
            loss = generator_loss(net.head(maps))
            (pull,) = torch.autograd.grad(loss, maps)
        slope = trunk.down(passed, pull).to(adversarial.dtype)
        return loss.detach(), (slope / net.sd).sum(1, keepdim=True)


class Autograd:
    """The passes of any network, with the graph that autograd keeps."""

    def __init__(self, net: Classifier, dtype: torch.dtype) -> None:
        self.net, self.dtype = net, dtype

    def learn(
        self, normalised: Tensor, loss_of: LossOf, penalty: Penalty | None, gradients: Gradients
    ) -> tuple[Tensor, Tensor]:
        wanted = [parameter for parameter in self.net.parameters() if parameter.requires_grad]
        x = normalised.detach().requires_grad_(penalty is not None)
        with torch.enable_grad():
            with mixed_precision(self.dtype, x.device):
                scores = self.net.score(x)
            loss = loss_of(scores)
            cost = loss.new_zeros(())
            if penalty:
                (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
                cost, _ = penalty.of(slope)
            found = torch.autograd.grad(loss + cost, wanted, allow_unused=True)
        add(gradients, wanted, found)
        return loss.detach(), cost.detach()

    def pull(self, adversarial: Tensor) -> tuple[Tensor, Tensor]:
        x = adversarial.detach().requires_grad_()
        with torch.enable_grad():
            with mixed_precision(self.dtype, x.device):
                scores = self.net(x)
            loss = generator_loss(scores)
            (pull,) = torch.autograd.grad(loss, x)
        return loss.detach(), pull


def add(gradients: Gradients, parameters: Sequence[nn.Parameter], found: Sequence[Tensor | None]) -> None:
    """Add the gradients found, in the order of their parameters, to those that are there already."""
    for parameter, gradient in zip(parameters, found, strict=True):
        if gradient is not None:
            gradients[parameter] = gradients[parameter].add_(gradient) if parameter in gradients else gradient


def mixed_precision(dtype: torch.dtype, device: torch.device) -> torch.autocast:
    """Return a context in which multiplications run in `dtype` if that is bfloat16."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)
