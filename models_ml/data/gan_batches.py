"""What each step of a GAN's training learns from, the same whether a run was interrupted or not."""

from dataclasses import dataclass

from torch import Tensor

from models_ml.config import Augmentation, GanConfig
from models_ml.data.images import ImageSet, Pairing, RowPair, Rows
from models_ml.data.prefetch import pictures
from models_ml.runtime import distributed
from models_ml.runtime.randomness import image_seeds, rng


@dataclass(frozen=True)
class GanBatch:
    """One step's images of one process, each (B, 1, H, W), and the dropout seeds of every pass."""

    x: Tensor
    y: Tensor
    generator_y: list[Tensor]  # for each of the generator's steps
    seeds: list[list[int]]  # for x, for G(y), then for each of the generator's steps


@dataclass
class GanBatches:
    """Images of the class to be imitated beside images to change, drawn by seed and number alone."""

    images: ImageSet
    pairing: Pairing
    config: GanConfig
    seed: int

    def prepare(self, number: int, rows: RowPair) -> GanBatch:
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
        return GanBatch(
            x=pictures(self.images, targets, own, how, chance),
            y=pictures(self.images, sources, own, how, chance, weighed=weighed),
            generator_y=[pictures(self.images, each, own, how, chance, weighed=weighed) for each in turns],
            seeds=[[seeds[part * len(targets) + place] for place in own] for part in range(3 + more)],
        )

    def unchanged(self, rows: Rows) -> Tensor:
        """These images as they are, as the generator takes them."""
        still = Augmentation(0, 0, 0, 0, 1, 1)
        nothing = rng(self.seed, "augment")
        return pictures(self.images, rows, range(len(rows)), still, nothing, weighed=self.config.keep_background)
