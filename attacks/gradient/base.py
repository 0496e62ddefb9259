"""Losses, gradients and seeded noise of the gradient attacks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.constraints.budget import AttackBatch

LogitFunction = Callable[[Tensor], Tensor]  # images (B, 1, H, W) to logits (B, 2)


class GradientMethod(Protocol):
    """An immutable callable that returns the adversarial images of a batch, same shape."""

    @property
    def epsilon(self) -> int | None:
        """The budget in 16-bit grey levels; None for a method that minimises the change instead."""
        ...

    def __call__(self, logits: LogitFunction, batch: AttackBatch, /) -> Tensor: ...


@dataclass(frozen=True)
class LossGradient:
    """The gradient of the loss (as images), the loss and the margin (B,) at some images."""

    gradient: Tensor
    loss: Tensor
    margin: Tensor


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of each image, (B,); higher if the prediction is further from the label."""
    return F.cross_entropy(logits.float(), labels, reduction="none")


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the logit of the true class minus that of the other, (B,); negative if the classifier is fooled."""
    true = logits.gather(1, labels[:, None])[:, 0]
    return true - logits.gather(1, 1 - labels[:, None])[:, 0]


def loss_gradient(logits: LogitFunction, images: Tensor, labels: Tensor) -> LossGradient:
    """Return the gradient of the cross-entropy with the loss and the margin at these images."""
    x = images.detach().requires_grad_()
    outputs = logits(x)
    loss = cross_entropy(outputs, labels)
    # The sum and not the mean, so that an image's gradient does not depend on the size of the batch.
    (gradient,) = torch.autograd.grad(loss.sum(), x)
    return LossGradient(gradient, loss.detach(), margin(outputs.detach(), labels))


def uniform_noise(seeds: Sequence[int], like: Tensor, *stream: int) -> Tensor:
    """Return noise in −1…1 in the shape of `like`, for each image from its seed; the same on every device.

    Different numbers in `stream` give independent noise.
    """
    generators = [_generator(seed, stream) for seed in seeds]
    noise = [torch.rand(like.shape[1:], generator=generator) for generator in generators]
    return (2 * torch.stack(noise) - 1).to(like)


def per_image(values: Tensor, like: Tensor) -> Tensor:
    """Return one value per image, (B,), in a shape that broadcasts with `like` (B, 1, H, W)."""
    return values.view(-1, *[1] * (like.ndim - 1))


def _generator(seed: int, stream: tuple[int, ...]) -> torch.Generator:
    mixed = seed
    for number in stream:
        mixed = (mixed * 1_000_003 + number + 1) % 2**63
    return torch.Generator().manual_seed(mixed % 2**63)
