"""What each step of a GAN's training learns from, the same whether a run was interrupted or not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models_ml.config import Augmentation, GanConfig
from models_ml.data.images import ImageSet, Pairing
from models_ml.data.prefetch import pictures
from models_ml.runtime import distributed
from models_ml.runtime.randomness import image_seeds, rng

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """One step's images of one process, each (B, 1, H, W), and the dropout seeds of every pass."""

    x: Tensor
    y: Tensor
    changed: list[Tensor]  # for each of the generator's steps
    seeds: list[list[int]]  # for x, for G(y), then for each of the generator's steps


@dataclass
class GanBatches:
    """Images of the class to be imitated beside images to change, drawn by seed and number alone."""

    images: ImageSet
    pairing: Pairing
    config: GanConfig
    seed: int
    _epoch: tuple[int, list[tuple[Rows, Rows]]] = field(default=(-1, []), init=False)

    def rows_from(self, first: int) -> Iterator[tuple[Rows, Rows]]:
        """The rows of every step from `first` on, without end."""
        for step in count(first):
            epoch, place = divmod(step, self.pairing.steps)
            if self._epoch[0] != epoch:
                self._epoch = (epoch, list(self.pairing.epoch(rng(self.seed, "order", epoch))))
            yield self._epoch[1][place]

    def prepare(self, number: int, rows: tuple[Rows, Rows]) -> Batch:
        """This process's share of one step's images; what a stage does not need is drawn all the same.

        Every step's chance is its own, so a resumed run draws what an uninterrupted one did.
        """
        targets, sources = rows
        own = distributed.share(range(len(targets)))
        chance, how = rng(self.seed, "augment", number), self.config.augmentation
        more = max(stage.generator_steps for stage in self.config.stages) - 1
        weighed = self.config.keep_background
        turns = [sources, *(chance.choice(self.pairing.second, len(sources)) for _ in range(more))]
        seeds = image_seeds(self.seed, "noise", number, count=(3 + more) * len(targets))
        return Batch(
            x=pictures(self.images, targets, own, how, chance),
            y=pictures(self.images, sources, own, how, chance, weighed=weighed),
            changed=[pictures(self.images, each, own, how, chance, weighed=weighed) for each in turns],
            seeds=[[seeds[part * len(targets) + place] for place in own] for part in range(3 + more)],
        )

    def unchanged(self, rows: Rows) -> Tensor:
        """These images as they are, as the generator takes them."""
        still = Augmentation(0, 0, 0, 0, 1, 1)
        nothing = rng(self.seed, "augment")
        return pictures(self.images, rows, range(len(rows)), still, nothing, weighed=self.config.keep_background)
