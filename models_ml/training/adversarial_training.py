"""Adversarial training: part of every batch is attacked before the classifier learns from it (Madry et al., 2018)."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from models_ml.config import Hardening
from readerstudy.imaging.image import WHITE


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
    radius, step = how.epsilon / WHITE, how.step / WHITE
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
