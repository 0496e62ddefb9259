"""AutoAttack's untargeted parts, for two classes."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from attacks.constraints.budget import Batch
from attacks.gradient.apgd import APGD
from attacks.gradient.base import Logits, each, margin
from attacks.gradient.fab import FAB
from attacks.gradient.square import Square


@dataclass(frozen=True)
class BinaryAutoAttack:
    """APGD on the cross-entropy, then FAB, then Square, each on what the ones before could not fool.

    AutoAttack (Croce & Hein, 2020) without APGD-DLR and the targeted FAB, which need three and four classes. What
    withstands all three comes back as APGD left it.
    """

    epsilon: int = 1028
    steps: int = 100
    queries: int = 1000
    parts: tuple[str, ...] = field(default=("apgd", "fab", "square"), init=False)

    def __call__(self, logits: Logits, batch: Batch, /) -> Tensor:
        x = APGD(self.epsilon, self.steps)(logits, batch)
        for method in (FAB(self.epsilon, self.steps), Square(self.epsilon, self.queries)):
            standing = _margins(logits, x, batch) >= 0
            if not bool(standing.any()):
                break
            tried = method(logits, batch)
            x = torch.where(each(standing & (_margins(logits, tried, batch) < 0), x), tried, x)
        return x


@torch.no_grad()
def _margins(logits: Logits, images: Tensor, batch: Batch) -> Tensor:
    return margin(logits(images), batch.labels)
