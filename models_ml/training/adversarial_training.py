"""Adversarial training: part of every batch is attacked before the classifier learns from it (Madry et al., 2018)."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from models_ml.config import AdversarialTraining
from readerstudy.imaging.image import WHITE


def attack_batch(
    classifier: nn.Module,
    images: Tensor,
    labels: Tensor,
    settings: AdversarialTraining,
    chance: np.random.Generator,
) -> Tensor:
    """Return the batch with a share of each class attacked, the other images unchanged and all in their places.

    `images` (B, 1, H, W) lie in 0…1, before normalisation. Random numbers come from `chance` alone; the classifier's
    gradients and mode stay as they were.
    """
    attacked = attacked_rows(labels.cpu().numpy(), settings.attacked_share)
    if not len(attacked) or not settings.epsilon:
        return images
    rows = torch.from_numpy(attacked).to(images.device)
    was_training = classifier.training
    classifier.eval()  # dropout would hide the gradient's direction
    adversarial = _descend(classifier, images[rows], labels[rows], settings, chance)
    classifier.train(was_training)
    batch = images.clone()
    batch[rows] = adversarial
    return batch


def attacked_rows(labels: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Return the first `share` of the rows of each class, rounded up. Batches are drawn at random, so any will do."""
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.sort(np.concatenate([rows[: int(np.ceil(share * len(rows) - 1e-9))] for rows in classes]))


def _descend(
    classifier: nn.Module, images: Tensor, labels: Tensor, settings: AdversarialTraining, chance: np.random.Generator
) -> Tensor:
    """Return the images after PGD in the L∞ ball. Pixels of value 0 are background and stay, as in every attack."""
    radius, step = settings.epsilon / WHITE, settings.step / WHITE
    radii = torch.where(images > 0, radius, 0.0)
    low, high = (images - radii).clamp(min=0), (images + radii).clamp(max=1)
    x = images.detach()
    if settings.random_start:
        noise = chance.uniform(-1, 1, tuple(images.shape)).astype(np.float32)
        x = torch.clamp(x + radii * torch.from_numpy(noise).to(images), low, high)
    for _ in range(settings.steps):
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            loss = F.cross_entropy(classifier(x).float(), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, x)
        x = torch.clamp(x.detach() + step * gradient.sign(), low, high)
    return x.detach()
