"""The losses of METHOD §2 and §3, each a function of tensors.

"Normalised" images are those that enter a network, after mean and standard deviation; f(u) = log σ(u).
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def precise(values: Tensor) -> Tensor:
    """In float32 at least: sums are never taken in half precision."""
    return values if values.dtype == torch.float64 else values.float()


def focal(logits: Tensor, labels: Tensor, *, gamma: float, class_weight: float) -> Tensor:
    """Focal loss (Lin et al., 2017) on the softmax of the true class, one value per image, (B,).

    logits (B, 2), labels (B,). The factor (1 − p)^γ is detached, as in the authors' code: it weighs, it
    does not pull.
    """
    log_p = F.log_softmax(logits, dim=1).gather(1, labels[:, None])[:, 0]
    weight = (1 - log_p.exp()).pow(gamma).detach()
    return -class_weight * weight * log_p


def identity_loss(fakes: Tensor, originals: Tensor) -> Tensor:
    """‖G(y) − y‖² / ‖y‖² per image, mean over the images; both on channel 0 in normalised space, (B, 1, H,
    W).
    """
    change = precise(fakes - originals).flatten(1).square().sum(1)
    return (change / precise(originals).flatten(1).square().sum(1)).mean()


def generator_loss(fake_scores: Tensor) -> Tensor:
    """−mean f(s(G(y))): the fake should score like the target class."""
    return -F.logsigmoid(precise(fake_scores)).mean()


def discriminator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """−mean f(s(x)) + mean f(s(G(y))) + |−mean f(s(x)) − 1|: apart, and the real side held near 1."""
    real = -F.logsigmoid(precise(real_scores)).mean()
    return real + F.logsigmoid(precise(fake_scores)).mean() + (real - 1).abs()
