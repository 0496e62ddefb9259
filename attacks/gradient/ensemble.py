"""AutoAttack's untargeted parts, for two classes."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from attacks.constraints.budget import AttackBatch
from attacks.gradient.apgd import APGD
from attacks.gradient.base import LogitFunction, margin, per_image
from attacks.gradient.fab import FAB
from attacks.gradient.square import Square


@dataclass(frozen=True)
class BinaryAutoAttack:
    """APGD on the cross-entropy, then FAB, then Square, each on the images that the previous ones did not fool.

    AutoAttack (Croce & Hein, 2020) without APGD-DLR and the targeted FAB, which need three and four classes. An image
    that none of the three fools comes back as APGD left it. `epsilon` in 16-bit grey levels.
    """

    epsilon: int = 1028
    steps: int = 100
    queries: int = 1000
    parts: tuple[str, ...] = field(default=("apgd", "fab", "square"), init=False)

    def __call__(self, logits: LogitFunction, batch: AttackBatch, /) -> Tensor:
        x = APGD(self.epsilon, self.steps)(logits, batch)
        for method in (FAB(self.epsilon, self.steps), Square(self.epsilon, self.queries)):
            is_robust = _margins(logits, x, batch) >= 0
            if not bool(is_robust.any()):
                break
            attacked = method(logits, batch)
            x = torch.where(per_image(is_robust & (_margins(logits, attacked, batch) < 0), x), attacked, x)
        return x


@torch.no_grad()
def _margins(logits: LogitFunction, images: Tensor, batch: AttackBatch) -> Tensor:
    return margin(logits(images), batch.labels)
