"""Adversarial training: part of every batch is attacked before the classifier learns from it (Madry et al., 2018).

Imports nothing of the lab, so that the configuration can hold a `Hardening`.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

FULL_SCALE = 65535


@dataclass(frozen=True)
class Hardening:
    """Projected gradient descent on the batch: its budget, its steps, and which part of each class it falls on.

    `epsilon` is the greatest change of a pixel in 16-bit grey levels (1028 is 4/255 of full scale). Half and half
    keeps more of the accuracy on clean images than attacking all of them.
    """

    epsilon: float = FULL_SCALE * 4 / 255
    steps: int = 3
    step_size: float = 0.0  # in grey levels; 0 is 2.5 · epsilon / steps, as Madry et al. chose
    part: float = 0.5  # of the images of each class
    random_start: bool = True
    # Shares of the training between which the budget grows from 0 to epsilon: attacked in full from the first step,
    # a network that knows nothing yet never learns anything.
    grows_from: float = 0.2
    grows_to: float = 0.7

    def __post_init__(self) -> None:
        if not (self.epsilon >= 0 and self.steps >= 1 and self.step_size >= 0 and 0 <= self.part <= 1):
            raise ValueError(
                "Hardening needs a budget and a step of at least 0, one step or more, and a part of 0 to 1."
            )
        if not 0 <= self.grows_from <= self.grows_to <= 1:
            raise ValueError("Hardening's budget grows between two shares of the training, the earlier one first.")

    def at(self, share: float) -> "Hardening":
        """What it is when this share of the training is done."""
        if share >= self.grows_to:
            return self
        grown = max(0.0, share - self.grows_from) / (self.grows_to - self.grows_from)
        return replace(self, epsilon=grown * self.epsilon, step_size=grown * self.step_size)

    @property
    def step(self) -> float:
        """The length of one step in grey levels."""
        return self.step_size or 2.5 * self.epsilon / self.steps


def harden(
    classifier: nn.Module, images: Tensor, labels: Tensor, how: Hardening, chance: np.random.Generator
) -> Tensor:
    """The batch with part of each class attacked; images in 0…1, (B, 1, H, W), as they are before normalisation.

    The others come back as they were, in their places. Draws from `chance` alone; leaves no gradient on the
    classifier's parameters and its mode as it was.
    """
    chosen = attacked_rows(labels.cpu().numpy(), how.part)
    if not len(chosen) or not how.epsilon:
        return images
    rows = torch.from_numpy(chosen).to(images.device)
    was_training = classifier.training
    classifier.eval()  # dropout would hide the direction that matters
    changed = _descend(classifier, images[rows], labels[rows], how, chance)
    classifier.train(was_training)
    hardened = images.clone()
    hardened[rows] = changed
    return hardened


def attacked_rows(labels: NDArray[np.int64], part: float) -> NDArray[np.int64]:
    """The first `part` of each class, rounded up: batches are drawn at random, so the first are as good as any."""
    found = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.sort(np.concatenate([rows[: int(np.ceil(part * len(rows) - 1e-9))] for rows in found]))


def _descend(
    classifier: nn.Module, images: Tensor, labels: Tensor, how: Hardening, chance: np.random.Generator
) -> Tensor:
    """PGD-k in the L∞ ball; a pixel of exactly 0 is background and stays, as in every attack of the study."""
    radius, step = how.epsilon / FULL_SCALE, how.step / FULL_SCALE
    radii = torch.where(images > 0, radius, 0.0)
    low, high = (images - radii).clamp(min=0), (images + radii).clamp(max=1)
    x = images.detach()
    if how.random_start:
        noise = chance.uniform(-1, 1, tuple(images.shape)).astype(np.float32)
        x = torch.clamp(x + radii * torch.from_numpy(noise).to(images), low, high)
    for _ in range(how.steps):
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            loss = F.cross_entropy(classifier(x).float(), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, x)
        x = torch.clamp(x.detach() + step * gradient.sign(), low, high)
    return x.detach()
