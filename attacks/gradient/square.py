"""The Square attack: random search that needs scores only."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from attacks.constraints.budget import AttackBatch
from attacks.gradient.base import LogitFunction, margin, per_image
from readerstudy.imaging.image import WHITE

# The share of changed pixels halves after these of 10,000 queries (Andriushchenko et al., 2020, §4.1).
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


@dataclass(frozen=True)
class Square:
    """Try squares of ±epsilon at random positions and keep those that lower the margin (Andriushchenko et al., 2020).

    It needs no gradient, so it also tests a classifier that masks its gradient. It starts from vertical stripes.
    `epsilon` in 16-bit grey levels.
    """

    epsilon: int = 1028
    queries: int = 1000
    share: float = 0.8  # of the pixels, in the first squares

    @torch.no_grad()
    def __call__(self, logits: LogitFunction, batch: AttackBatch, /) -> Tensor:
        feasible, radius = batch.feasible_set(self.epsilon), self.epsilon / WHITE
        generators = [np.random.default_rng([seed % 2**63, 7]) for seed in batch.seeds]
        x = feasible.project(batch.images + radius * _stripes(generators, batch.images))
        least = margin(logits(x), batch.labels)
        for query in range(self.queries):
            if bool((least < 0).all()):
                break
            candidate = feasible.project(self._with_square(generators, batch, x, query))
            candidate_margin = margin(logits(candidate), batch.labels)
            # An image that fools already stays as it is, so that it does not depend on the rest of the batch.
            better = (candidate_margin < least) & (least >= 0)
            x = torch.where(per_image(better, x), candidate, x)
            least = torch.where(better, candidate_margin, least)
        return x

    def _with_square(self, generators: list[np.random.Generator], batch: AttackBatch, x: Tensor, query: int) -> Tensor:
        rows, columns = x.shape[-2:]
        side = min(max(round((self.share_at(query) * rows * columns) ** 0.5), 1), rows, columns)
        changed = x.clone()
        for row, rng in enumerate(generators):
            top, left = int(rng.integers(rows - side + 1)), int(rng.integers(columns - side + 1))
            sign = float(rng.choice((-1.0, 1.0)))
            square = (row, slice(None), slice(top, top + side), slice(left, left + side))
            changed[square] = batch.images[square] + sign * self.epsilon / WHITE
        return changed

    def share_at(self, query: int) -> float:
        """Return the share of pixels that a square of this query covers."""
        scaled = query / self.queries * 10_000
        return self.share / (1 << sum(scaled > halving for halving in HALVINGS))


def _stripes(generators: list[np.random.Generator], like: Tensor) -> Tensor:
    columns = [rng.choice((-1.0, 1.0), like.shape[-1]) for rng in generators]
    return torch.from_numpy(np.stack(columns)).to(like)[:, None, None, :].expand_as(like)
