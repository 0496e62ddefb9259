"""The fast gradient sign method."""

from dataclasses import dataclass

from torch import Tensor

from attacks.constraints.budget import AttackBatch
from attacks.gradient.base import LogitFunction, loss_gradient
from readerstudy.imaging.image import WHITE


@dataclass(frozen=True)
class FGSM:
    """One signed gradient step (Goodfellow, Shlens & Szegedy, 2015). `epsilon` in 16-bit grey levels."""

    epsilon: int = 514

    def __call__(self, logits: LogitFunction, batch: AttackBatch, /) -> Tensor:
        gradient = loss_gradient(logits, batch.images, batch.labels).gradient
        return batch.feasible_set(self.epsilon).project(batch.images + self.epsilon / WHITE * gradient.sign())
