"""The fast gradient sign method."""

from dataclasses import dataclass

from torch import Tensor

from attacks.constraints.budget import FULL_SCALE, Batch
from attacks.gradient.base import Logits, ascent


@dataclass(frozen=True)
class FGSM:
    """One signed gradient step (Goodfellow, Shlens & Szegedy, 2015)."""

    epsilon: int = 514

    def __call__(self, logits: Logits, batch: Batch, /) -> Tensor:
        gradient, _, _ = ascent(logits, batch.images, batch.labels)
        return batch.room(self.epsilon).hold(batch.images + self.epsilon / FULL_SCALE * gradient.sign())
