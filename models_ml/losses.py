"""The losses of METHOD §2 and §3, each a function of tensors.

"Normalised" images are those that enter a network, after mean and standard deviation; f(u) = log σ(u).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def focal(logits: Tensor, labels: Tensor, *, gamma: float, class_weight: float) -> Tensor:
    """Focal loss (Lin et al., 2017) on the softmax of the true class, mean over the images.

    logits (B, 2), labels (B,). The factor (1 − p)^γ is detached, as in the authors' code: it weighs, it
    does not pull.
    """
    log_p = F.log_softmax(logits.float(), dim=1).gather(1, labels[:, None])[:, 0]
    weight = (1 - log_p.exp()).pow(gamma).detach()
    return -class_weight * (weight * log_p).mean()


def balanced_focal(logits: Tensor, labels: Tensor, *, gamma: float, class_weight: float) -> Tensor:
    """FL(positives) + FL(negatives)."""
    return sum(
        (
            focal(logits[labels == label], labels[labels == label], gamma=gamma, class_weight=class_weight)
            for label in (1, 0)
        ),
        start=logits.new_zeros(()),
    )


def gradient_penalty(
    score: Callable[[Tensor], Tensor], normalised: Tensor, *, weight: float, order: float
) -> tuple[Tensor, Tensor]:
    """k/2 · mean ‖∇ₓ s(x)‖₂ᵒ with respect to the normalised input, and the scores (B, outputs) it came from.

    s(x) is the sum of the outputs: of the two logits for the classifier, the raw score for a discriminator.
    """
    inputs = normalised.detach().requires_grad_()
    scores = score(inputs)
    (gradient,) = torch.autograd.grad(scores.sum(), inputs, create_graph=True)
    norms = gradient.float().flatten(1).norm(2, dim=1)
    return weight / 2 * norms.pow(order).mean(), scores


def identity_loss(fakes: Tensor, originals: Tensor) -> Tensor:
    """‖G(y) − y‖² / ‖y‖² per image, mean over the images; both on channel 0 in normalised space, (B, 1, H,
    W).
    """
    change = (fakes - originals).float().flatten(1).square().sum(1)
    return (change / originals.float().flatten(1).square().sum(1)).mean()


def generator_loss(fake_scores: Tensor) -> Tensor:
    """−mean f(s(G(y))): the fake should score like the target class."""
    return -F.logsigmoid(fake_scores.float()).mean()


def discriminator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """−mean f(s(x)) + mean f(s(G(y))) + |−mean f(s(x)) − 1|: apart, and the real side held near 1."""
    real = -F.logsigmoid(real_scores.float()).mean()
    return real + F.logsigmoid(fake_scores.float()).mean() + (real - 1).abs()
