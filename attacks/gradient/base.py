"""What the gradient attacks share: losses, gradients, and chance that depends on the image's own seed."""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.constraints.budget import Batch

Logits = Callable[[Tensor], Tensor]  # images (B, 1, H, W) to logits (B, 2)


class Method(Protocol):
    """An attack on tensors: a frozen value that gives the adversarial images of a batch, same shape."""

    @property
    def epsilon(self) -> int | None:
        """The budget in 16-bit grey levels; None where the method seeks the least change instead."""
        ...

    def __call__(self, logits: Logits, batch: Batch, /) -> Tensor: ...


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of each image, (B,): the greater, the further from the truth."""
    return F.cross_entropy(logits.float(), labels, reduction="none")


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Logit of the truth less that of the other class, (B,): negative where the classifier is fooled."""
    true = logits.gather(1, labels[:, None])[:, 0]
    return true - logits.gather(1, 1 - labels[:, None])[:, 0]


def ascent(logits: Logits, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradient of the cross-entropy (as images), the loss and the margin (B,) at these images."""
    x = images.detach().requires_grad_()
    outputs = logits(x)
    loss = cross_entropy(outputs, labels)
    # A sum, not a mean: no image's gradient depends on how many others stand in the batch.
    (gradient,) = torch.autograd.grad(loss.sum(), x)
    return gradient, loss.detach(), margin(outputs.detach(), labels)


def uniform(seeds: Sequence[int], like: Tensor, *where: int) -> Tensor:
    """Uniform in −1…1, shaped as `like`, each image's from its own seed, the same on every device."""
    drawn = [_generator(seed, where) for seed in seeds]
    parts = [torch.rand(like.shape[1:], generator=generator) for generator in drawn]
    return (2 * torch.stack(parts) - 1).to(like)


def each(values: Tensor, like: Tensor) -> Tensor:
    """One value per image, (B,), shaped to be multiplied with `like` (B, 1, H, W)."""
    return values.view(-1, *[1] * (like.ndim - 1))


def _generator(seed: int, where: tuple[int, ...]) -> torch.Generator:
    mixed = seed
    for number in where:
        mixed = (mixed * 1_000_003 + number + 1) % 2**63
    return torch.Generator().manual_seed(mixed % 2**63)
