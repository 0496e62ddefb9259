"""One training step of each network as a module: images in, a loss out whose `backward` leaves the gradients.

The same numbers as the formulas of METHOD §2 and §3 worked out by autograd on the whole batch (the tests hold them
against that in float64), in a fraction of the time and memory:

- both classes, the loss and the penalty share one pass (`networks.trunk`);
- a batch is walked in parts of `at_once` images, its gradients summed, so that memory does not grow with the batch;
- multiplications run in bfloat16 on channels-last maps where the hardware is made for that, sums in float32.

A module may be wrapped in DistributedDataParallel: each process gives its share of the batch, and the mean over the
processes is the step on the whole batch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from models_ml.config import ClassifierConfig, GanConfig
from models_ml.networks.blocks import dropping
from models_ml.networks.classifier import Classifier
from models_ml.networks.generator import Generator
from models_ml.networks.losses import discriminator_loss, focal, generator_loss, identity_loss, precise
from models_ml.networks.piecewise_linear import Gradients, Trunk
from models_ml.runtime.device import CLASSIFIER_BYTES, GENERATOR_BYTES, images_at_once
from models_ml.runtime.distributed import everywhere


@dataclass(frozen=True)
class Penalty:
    """k/2 · mean ‖∇ₓ s(x)‖₂ᵒ over a batch of `count` images."""

    weight: float
    order: float
    count: int

    def of(self, slope: Tensor) -> tuple[Tensor, Tensor]:
        """The share of these images in the penalty, and its derivative by their slopes ∇ₓ s, both (B, C, H, W)."""
        slope = precise(slope)
        norms = slope.flatten(1).norm(2, dim=1)
        scale = self.weight / 2 / self.count
        by_norm = scale * self.order * norms.pow(self.order - 2)
        return scale * norms.pow(self.order).sum(), slope * by_norm[:, None, None, None]


class ClassifierStep(nn.Module):
    """FL(positives) + FL(negatives) + GP (METHOD §2) of a batch of normalised grey images."""

    def __init__(self, classifier: Classifier, config: ClassifierConfig, dtype: torch.dtype) -> None:
        super().__init__()
        self.classifier, self.config, self.dtype = classifier, config, dtype
        self.focal = 0.0  # of the last step, without the penalty
        self.is_finite = True  # whether the last step's loss and gradients were

    def forward(self, images: Tensor, labels: Tensor, seeds: Sequence[int], penalised: bool) -> Tensor:
        """The loss of images (B, 1, H, W) in 0…1 with labels (B,); one dropout seed per image."""
        config, gradients, trunk = self.config, Gradients(), Trunk(self.classifier, self.dtype)
        # The mean over both classes, twice, is the positives' mean plus the negatives'.
        weight = 2 * config.penalty_weight * config.penalty_every
        penalty = Penalty(weight, config.penalty_order, len(images)) if penalised else None
        share = 1 / torch.bincount(labels, minlength=2)[labels].to(images.dtype)  # the mean over each class
        losses, penalties = [], []
        for part in parts(len(images), room_for(images, config.images_at_once, CLASSIFIER_BYTES, self.dtype)):
            x = self.classifier.normalise(images[part])
            weigh = partial(self._focal, labels[part], share[part])
            with dropping(self.classifier, seeds[part]):
                loss, cost = learn(self.classifier, trunk, x, weigh, penalty, gradients)
            losses.append(loss)
            penalties.append(cost)
        focal_loss = torch.stack(losses).sum()
        loss = focal_loss + torch.stack(penalties).sum()
        self.focal, self.is_finite = measured(focal_loss, loss, gradients.values())
        return given(loss, gradients)

    def _focal(self, labels: Tensor, share: Tensor, scores: Tensor) -> Tensor:
        config = self.config
        return (share * focal(scores, labels, gamma=config.focal_gamma, class_weight=config.class_weight)).sum()


class DiscriminatorStep(nn.Module):
    """L_D with its penalty on the real images (METHOD §3)."""

    def __init__(self, discriminator: Classifier, config: GanConfig, dtype: torch.dtype) -> None:
        super().__init__()
        self.discriminator, self.config, self.dtype = discriminator, config, dtype
        self.gap = 0.0  # s(x) − s(G(y)) of the last step
        self.is_finite = True  # whether the last step's loss and gradients were

    def forward(self, x: Tensor, fakes: Tensor, seeds: Sequence[int], penalised: bool) -> Tensor:
        """The loss of target images x and fakes, both (B, 1, H, W) in 0…1; dropout seeds for x, then for the fakes."""
        config, net = self.config, self.discriminator
        gradients, trunk = Gradients(), Trunk(net, self.dtype)
        weight = config.penalty_weight * config.penalty_every
        penalty = Penalty(weight, config.penalty_order, len(x)) if penalised else None
        said: list[Tensor] = []

        def real_side(scores: Tensor) -> Tensor:
            said.append(scores.detach())
            real = -F.logsigmoid(scores).mean()
            # The stabiliser looks at the mean over the whole batch; each process pulls its own share of it.
            away = (everywhere(real.detach()) - 1).sign()
            return real + away * (real - 1)

        def fake_side(scores: Tensor) -> Tensor:
            said.append(scores.detach())
            return F.logsigmoid(scores).mean()

        with dropping(net, seeds[: len(x)]):
            _, cost = learn(net, trunk, net.normalise(x), real_side, penalty, gradients)
        with dropping(net, seeds[len(x) :]):
            learn(net, trunk, net.normalise(fakes), fake_side, None, gradients)
        loss = discriminator_loss(*said) + cost
        self.gap, self.is_finite = measured(said[0].mean() - said[1].mean(), loss, gradients.values())
        return given(loss, gradients)


class GeneratorStep(nn.Module):
    """L_id alone, or L_G with it (METHOD §3): −mean f(s(G(y))) + weight · L_id."""

    def __init__(self, generator: Generator, discriminator: Classifier, config: GanConfig, dtype: torch.dtype) -> None:
        super().__init__()
        self.generator, self.config, self.dtype = generator, config, dtype
        # In a tuple, so that the discriminator's weights are not this module's: they rest in this step.
        self.judges = (discriminator,)
        self.identity = 0.0  # of the last step
        self.is_finite = True  # whether the last step's loss and gradients were

    def forward(self, y: Tensor, seeds: Sequence[int], adversarial: bool) -> Tensor:
        """The loss of images to change in 0…1, as `drawn` takes them; one dropout seed of the discriminator each."""
        (net,), gradients = self.judges, Gradients()
        trunk = Trunk(net, self.dtype) if adversarial else None
        losses, identities = [], []
        # A batch norm looks at all images together.
        coupled = self.generator.config.norm == "batch"
        size = len(y) if coupled else room_for(y, self.config.images_at_once, GENERATOR_BYTES, self.dtype)
        for part in parts(len(y), size):
            share = len(y[part]) / len(y)
            with dropping(net, seeds[part]):
                loss, identity = self._learn(trunk, y[part], share, gradients)
            losses.append(share * loss)
            identities.append(share * identity)
        loss = torch.stack(losses).sum()
        self.identity, self.is_finite = measured(torch.stack(identities).sum(), loss, gradients.values())
        return given(loss, gradients)

    def _learn(self, trunk: Trunk | None, y: Tensor, share: float, gradients: Gradients) -> tuple[Tensor, Tensor]:
        (net,), weight = self.judges, self.config.identity_weight if trunk else 1.0
        with torch.enable_grad():
            with mixed(self.dtype, y.device):
                fakes = drawn(self.generator, y)
            identity = identity_loss(net.normalise(fakes)[:, :1], net.normalise(y[:, :1])[:, :1])
        loss, outputs, pulls = weight * identity.detach(), [share * weight * identity], [torch.ones_like(identity)]
        if trunk:
            adversarial, pull = fooling(net, trunk, fakes.detach())
            loss, outputs, pulls = loss + adversarial, [*outputs, fakes], [*pulls, share * pull]
        wanted = [p for p in self.generator.parameters() if p.requires_grad]
        add(gradients, wanted, torch.autograd.grad(outputs, wanted, pulls))
        return loss, identity.detach()


def drawn(generator: Generator, y: Tensor) -> Tensor:
    """G(y), (B, 1, H, W) in 0…1, of images alone, or of images (B, 2, H, W) with how far each pixel may be changed."""
    if y.shape[1] == 1:
        fakes: Tensor = generator(y)
        return fakes
    image, weight = y[:, :1], y[:, 1:]
    return torch.lerp(image, generator(image), weight)  # exact at 0 and at 1


@torch.no_grad()
def fooling(net: Classifier, trunk: Trunk, fakes: Tensor) -> tuple[Tensor, Tensor]:
    """−mean f(s(fakes)) and its derivative by the fakes (B, 1, H, W)."""
    passed = trunk.up(net.normalise(fakes))
    maps = precise(passed.maps).requires_grad_()
    with torch.enable_grad():
        loss = generator_loss(net.head(maps))
        (pull,) = torch.autograd.grad(loss, maps)
    slope = trunk.down(passed, pull).to(fakes.dtype)
    return loss.detach(), (slope / net.sd).sum(1, keepdim=True)


@torch.no_grad()
def learn(
    net: Classifier,
    trunk: Trunk,
    normalised: Tensor,
    loss_of: Callable[[Tensor], Tensor],
    penalty: Penalty | None,
    gradients: Gradients,
) -> tuple[Tensor, Tensor]:
    """Adds the gradients of loss_of(scores) and of the penalty on normalised images; gives both values."""
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
    wanted = [p for part in (net.fnet, net.output) for p in part.parameters() if p.requires_grad and not trunk.owns(p)]
    found = torch.autograd.grad(outputs, [maps, *wanted], pulls, allow_unused=True)
    add(gradients, wanted, found[1:])
    if found[0] is not None:
        trunk.learn(passed, found[0], gradients)
    return loss.detach(), cost.detach()


def room_for(images: Tensor, wanted: int, bytes_per_pixel: int, dtype: torch.dtype) -> int:
    """How many of these images (B, 1, H, W) are walked together."""
    return images_at_once(wanted, images[0, 0].numel(), bytes_per_pixel, dtype, images.device)


def parts(count: int, size: int) -> Iterator[slice]:
    """A batch in parts of at most `size` images."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def add(gradients: Gradients, parameters: Sequence[nn.Parameter], found: Sequence[Tensor | None]) -> None:
    for parameter, gradient in zip(parameters, found, strict=True):
        if gradient is not None:
            gradients[parameter] = gradients[parameter].add_(gradient) if parameter in gradients else gradient


def measured(quantity: Tensor, loss: Tensor, gradients: Iterable[Tensor]) -> tuple[float, bool]:
    """Return a scalar quantity averaged over the processes, and whether it, the loss and all gradients are finite.

    The device is waited for once, as it was for the quantity alone. A gradient whose squares overflow counts as not
    finite: it would stay in Adam's second moment for ever.
    """
    size = get_total_norm(gradients)
    values = everywhere(torch.stack([quantity, loss.to(quantity.dtype), size.to(quantity.dtype)])).tolist()
    return values[0], all(isfinite(value) for value in values)


def given(loss: Tensor, gradients: Gradients) -> Tensor:
    """The loss as a tensor whose `backward` hands out the gradients already found."""
    apply: Callable[..., Tensor] = _Given.apply
    return apply(loss, list(gradients.values()), *gradients)


class _Given(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, loss: Tensor, gradients: list[Tensor], *parameters: Tensor) -> Tensor:
        ctx.gradients = gradients
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor | None, ...]:
        scaled = [gradient.mul_(above[0]) for gradient in ctx.gradients]
        ctx.gradients = []
        return None, None, *scaled


def mixed(dtype: torch.dtype, device: torch.device) -> torch.autocast:
    """bfloat16 multiplications where that is the arithmetic."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)
