"""The losses of METHOD §2 and §3, each a function of tensors.

"Normalised" images are those that enter a network, after mean and standard deviation; f(u) = log σ(u).
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def precise(values: Tensor) -> Tensor:
    """Return the values in float32, or float64 if they are: sums are never taken in half precision."""
    return values if values.dtype == torch.float64 else values.float()


def focal(logits: Tensor, labels: Tensor, *, gamma: float, class_weight: float) -> Tensor:
    """Return the focal loss (Lin et al., 2017) on the softmax of the true class, one value per image, (B,).

    `logits` are (B, 2), `labels` (B,). The factor (1 − p)^γ is detached, as in the authors' code: it weights the loss
    but has no gradient.
    """
    log_p = F.log_softmax(logits, dim=1).gather(1, labels[:, None])[:, 0]
    weight = (1 - log_p.exp()).pow(gamma).detach()
    return -class_weight * weight * log_p


def identity_loss(adversarial: Tensor, originals: Tensor) -> Tensor:
    """Return ‖G(y) − y‖² / ‖y‖², mean over the images; both are channel 0 of normalised images, (B, 1, H, W)."""
    change = precise(adversarial - originals).flatten(1).square().sum(1)
    return (change / precise(originals).flatten(1).square().sum(1)).mean()


def generator_loss(adversarial_scores: Tensor) -> Tensor:
    """Return −mean f(s(G(y))), low if adversarial images score like the target class; scores are (B, 1)."""
    return -F.logsigmoid(precise(adversarial_scores)).mean()


def discriminator_loss(real_scores: Tensor, adversarial_scores: Tensor) -> Tensor:
    """Return −mean f(s(x)) + mean f(s(G(y))) + |−mean f(s(x)) − 1|; the last term keeps the first near 1."""
    real = -F.logsigmoid(precise(real_scores)).mean()
    return real + F.logsigmoid(precise(adversarial_scores)).mean() + (real - 1).abs()
