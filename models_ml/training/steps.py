"""One training step of each network, as a module that returns a loss whose `backward` hands out the gradients.

The gradients are those that autograd computes from the formulas of METHOD §2 and §3 on the whole batch (the tests
compare them in float64). `training.passes` computes them, by hand for the VGG, in a fraction of the time and memory:

- both classes, the loss and the penalty share one pass;
- a batch is processed in parts, whose gradients are summed, so that memory does not grow with the batch;
- multiplications run in bfloat16 on channels-last maps if the hardware supports it, sums in float32.

A module may be wrapped in DistributedDataParallel: each process passes its share of the batch, and the mean over the
processes is the step on the whole batch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import isfinite
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from models_ml.config import ClassifierConfig, GanConfig
from models_ml.networks.blocks import dropout_seeds
from models_ml.networks.classifier import Classifier
from models_ml.networks.generator import Generator
from models_ml.networks.losses import discriminator_loss, focal, identity_loss
from models_ml.networks.piecewise_linear import Gradients
from models_ml.runtime.device import CLASSIFIER_BYTES, GENERATOR_BYTES, images_at_once
from models_ml.runtime.distributed import everywhere
from models_ml.training.passes import Passes, Penalty, add, mixed_precision, passes_of


class ClassifierStep(nn.Module):
    """FL(positives) + FL(negatives) + GP (METHOD §2) of a batch of normalised grey images."""

    def __init__(self, classifier: Classifier, config: ClassifierConfig, dtype: torch.dtype) -> None:
        super().__init__()
        self.classifier, self.config, self.dtype = classifier, config, dtype
        self.focal = 0.0  # of the last step, without the penalty
        self.is_finite = True  # whether the last step's loss and gradients were

    def forward(self, images: Tensor, labels: Tensor, seeds: Sequence[int], penalised: bool) -> Tensor:
        """Return the loss of images (B, 1, H, W) in 0…1 with labels (B,); `seeds` has a dropout seed for each image."""
        config, gradients, passes = self.config, Gradients(), passes_of(self.classifier, self.dtype)
        # The mean over both classes, twice, is the positives' mean plus the negatives'.
        weight = 2 * config.penalty_weight * config.penalty_every
        penalty = Penalty(weight, config.penalty_order, len(images)) if penalised else None
        share = 1 / torch.bincount(labels, minlength=2)[labels].to(images.dtype)  # the mean over each class
        losses, penalties = [], []
        for part in parts(len(images), part_size(images, config.images_at_once, CLASSIFIER_BYTES, self.dtype)):
            x = self.classifier.normalise(images[part])
            weigh = partial(self._focal, labels[part], share[part])
            with dropout_seeds(self.classifier, seeds[part]):
                loss, cost = passes.learn(x, weigh, penalty, gradients)
            losses.append(loss)
            penalties.append(cost)
        focal_loss = torch.stack(losses).sum()
        loss = focal_loss + torch.stack(penalties).sum()
        self.focal, self.is_finite = measured(focal_loss, loss, gradients.values())
        return with_gradients(loss, gradients)

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

    def forward(self, x: Tensor, adversarial: Tensor, seeds: Sequence[int], penalised: bool) -> Tensor:
        """Return the loss of target and adversarial images, both (B, 1, H, W) in 0…1.

        `seeds` has a dropout seed for each target image, then one for each adversarial image.
        """
        config, net = self.config, self.discriminator
        gradients, passes = Gradients(), passes_of(net, self.dtype)
        weight = config.penalty_weight * config.penalty_every
        penalty = Penalty(weight, config.penalty_order, len(x)) if penalised else None
        all_scores: list[Tensor] = []

        def real_loss(scores: Tensor) -> Tensor:
            all_scores.append(scores.detach())
            real = -F.logsigmoid(scores).mean()
            # The stabiliser uses the mean over the whole batch; each process has the gradient of its own share.
            away = (everywhere(real.detach()) - 1).sign()
            return real + away * (real - 1)

        def adversarial_loss(scores: Tensor) -> Tensor:
            all_scores.append(scores.detach())
            return F.logsigmoid(scores).mean()

        with dropout_seeds(net, seeds[: len(x)]):
            _, cost = passes.learn(net.normalise(x), real_loss, penalty, gradients)
        with dropout_seeds(net, seeds[len(x) :]):
            passes.learn(net.normalise(adversarial), adversarial_loss, None, gradients)
        loss = discriminator_loss(*all_scores) + cost
        self.gap, self.is_finite = measured(all_scores[0].mean() - all_scores[1].mean(), loss, gradients.values())
        return with_gradients(loss, gradients)


class GeneratorStep(nn.Module):
    """L_id alone, or L_G with it (METHOD §3): −mean f(s(G(y))) + weight · L_id."""

    def __init__(self, generator: Generator, discriminator: Classifier, config: GanConfig, dtype: torch.dtype) -> None:
        super().__init__()
        self.generator, self.config, self.dtype = generator, config, dtype
        # In a tuple, so that torch does not count the discriminator's weights, which stay fixed, as this module's.
        self.discriminators = (discriminator,)
        self.identity = 0.0  # of the last step
        self.is_finite = True  # whether the last step's loss and gradients were

    def forward(self, y: Tensor, seeds: Sequence[int], adversarial: bool) -> Tensor:
        """Return the loss of source images, as `generate` takes them; `seeds` are the discriminator's dropout seeds."""
        (net,), gradients = self.discriminators, Gradients()
        passes = passes_of(net, self.dtype) if adversarial else None
        losses, identities = [], []
        # A batch norm needs all images at once.
        coupled = self.generator.config.norm == "batch"
        size = len(y) if coupled else part_size(y, self.config.images_at_once, GENERATOR_BYTES, self.dtype)
        for part in parts(len(y), size):
            share = len(y[part]) / len(y)
            with dropout_seeds(net, seeds[part]):
                loss, identity = self._learn(passes, y[part], share, gradients)
            losses.append(share * loss)
            identities.append(share * identity)
        loss = torch.stack(losses).sum()
        self.identity, self.is_finite = measured(torch.stack(identities).sum(), loss, gradients.values())
        return with_gradients(loss, gradients)

    def _learn(self, passes: Passes | None, y: Tensor, share: float, gradients: Gradients) -> tuple[Tensor, Tensor]:
        (net,), weight = self.discriminators, self.config.identity_weight if passes else 1.0
        with torch.enable_grad():
            with mixed_precision(self.dtype, y.device):
                adversarial = generate(self.generator, y)
            identity = identity_loss(net.normalise(adversarial)[:, :1], net.normalise(y[:, :1])[:, :1])
        loss, outputs, pulls = weight * identity.detach(), [share * weight * identity], [torch.ones_like(identity)]
        if passes:
            fooling_loss, pull = passes.pull(adversarial.detach())
            loss, outputs, pulls = loss + fooling_loss, [*outputs, adversarial], [*pulls, share * pull]
        wanted = [p for p in self.generator.parameters() if p.requires_grad]
        add(gradients, wanted, torch.autograd.grad(outputs, wanted, pulls))
        return loss, identity.detach()


def generate(generator: Generator, y: Tensor) -> Tensor:
    """Return G(y), (B, 1, H, W) in 0…1.

    `y` is (B, 1, H, W), or (B, 2, H, W) with a second channel of weights, 0…1, that scale the change of each pixel.
    """
    if y.shape[1] == 1:
        generated: Tensor = generator(y)
        return generated
    image, weight = y[:, :1], y[:, 1:]
    return torch.lerp(image, generator(image), weight)  # exact at 0 and at 1


def part_size(images: Tensor, wanted: int, bytes_per_pixel: int, dtype: torch.dtype) -> int:
    """Return how many of these images (B, 1, H, W) are processed together."""
    return images_at_once(wanted, images[0, 0].numel(), bytes_per_pixel, dtype, images.device)


def parts(count: int, size: int) -> Iterator[slice]:
    """Yield a batch in parts of at most `size` images."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def measured(quantity: Tensor, loss: Tensor, gradients: Iterable[Tensor]) -> tuple[float, bool]:
    """Return a scalar quantity averaged over the processes, and whether it, the loss and all gradients are finite.

    Waits for the device once. A gradient whose squares overflow counts as not finite: it would stay in Adam's second
    moment permanently.
    """
    size = get_total_norm(gradients)
    values = everywhere(torch.stack([quantity, loss.to(quantity.dtype), size.to(quantity.dtype)])).tolist()
    return values[0], all(isfinite(value) for value in values)


def with_gradients(loss: Tensor, gradients: Gradients) -> Tensor:
    """Return the loss as a tensor whose `backward` hands out gradients that are computed already."""
    apply: Callable[..., Tensor] = _WithGradients.apply
    return apply(loss, list(gradients.values()), *gradients)


class _WithGradients(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, loss: Tensor, gradients: list[Tensor], *parameters: Tensor) -> Tensor:
        ctx.gradients = gradients
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor | None, ...]:
        scaled = [gradient.mul_(above[0]) for gradient in ctx.gradients]
        ctx.gradients = []
        return None, None, *scaled
