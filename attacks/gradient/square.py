"""The Square attack: random search that asks for scores only."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from attacks.constraints.budget import FULL_SCALE, Batch
from attacks.gradient.base import Logits, each, margin

# After so many of 10,000 queries the share of changed pixels halves (Andriushchenko et al., 2020, §4.1).
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


@dataclass(frozen=True)
class Square:
    """Tries squares of ±epsilon at random places and keeps those that lower the margin (Andriushchenko et al., 2020).

    It needs no gradient: a classifier that hides its gradient is not safe from it. It starts from vertical stripes.
    """

    epsilon: int = 1028
    queries: int = 1000
    share: float = 0.8  # of the pixels, in the first squares

    @torch.no_grad()
    def __call__(self, logits: Logits, batch: Batch, /) -> Tensor:
        room, radius = batch.room(self.epsilon), self.epsilon / FULL_SCALE
        chances = [np.random.default_rng([seed % 2**63, 7]) for seed in batch.seeds]
        x = room.hold(batch.images + radius * _stripes(chances, batch.images))
        least = margin(logits(x), batch.labels)
        for query in range(self.queries):
            if bool((least < 0).all()):
                break
            tried = room.hold(self._with_square(chances, batch, x, query))
            found = margin(logits(tried), batch.labels)
            # What fools already rests: its image does not depend on how long the others take.
            better = (found < least) & (least >= 0)
            x, least = torch.where(each(better, x), tried, x), torch.where(better, found, least)
        return x

    def _with_square(self, chances: list[np.random.Generator], batch: Batch, x: Tensor, query: int) -> Tensor:
        rows, columns = x.shape[-2:]
        side = min(max(round((self.share_at(query) * rows * columns) ** 0.5), 1), rows, columns)
        tried = x.clone()
        for row, chance in enumerate(chances):
            top, left = int(chance.integers(rows - side + 1)), int(chance.integers(columns - side + 1))
            sign = float(chance.choice((-1.0, 1.0)))
            place = (row, slice(None), slice(top, top + side), slice(left, left + side))
            tried[place] = batch.images[place] + sign * self.epsilon / FULL_SCALE
        return tried

    def share_at(self, query: int) -> float:
        """The share of pixels that a square of this query covers."""
        done = query / self.queries * 10_000
        return self.share / (1 << sum(done > place for place in HALVINGS))


def _stripes(chances: list[np.random.Generator], like: Tensor) -> Tensor:
    columns = [chance.choice((-1.0, 1.0), like.shape[-1]) for chance in chances]
    return torch.from_numpy(np.stack(columns)).to(like)[:, None, None, :].expand_as(like)
