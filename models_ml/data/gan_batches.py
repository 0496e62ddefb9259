"""Batches of a GAN's training, the same whether a run was interrupted or not."""

from dataclasses import dataclass

from torch import Tensor

from models_ml.config import Augmentation, GanConfig
from models_ml.data.images import ImageSet, Pairing, RowPair, Rows
from models_ml.data.prefetch import augmented_images
from models_ml.runtime import distributed
from models_ml.runtime.randomness import image_seeds, rng


@dataclass(frozen=True)
class GanBatch:
    """One process's share of a step: target images x, source images y, and the dropout seeds of every pass.

    Images are (B, 1, H, W) in 0…1; source images have a second channel of weights if the background is kept.
    """

    x: Tensor
    y: Tensor
    generator_y: list[Tensor]  # source images for each of the generator's steps
    seeds: list[list[int]]  # for x, for G(y), then for each of the generator's steps


@dataclass
class GanBatches:
    """Batches of target and source images, which depend on the seed and the number of the step alone."""

    images: ImageSet
    pairing: Pairing
    config: GanConfig
    seed: int

    def prepare(self, number: int, rows: RowPair) -> GanBatch:
        """Return this process's share of a step, including images that the current stage does not use."""
        targets, sources = rows
        own = distributed.share(range(len(targets)))
        chance, how = rng(self.seed, "augment", number), self.config.augmentation
        more = max(stage.generator_steps for stage in self.config.stages) - 1
        with_weights = self.config.keep_background
        turns = [sources, *(chance.choice(self.pairing.second, len(sources)) for _ in range(more))]
        seeds = image_seeds(self.seed, "noise", number, count=(3 + more) * len(targets))
        return GanBatch(
            x=augmented_images(self.images, targets, own, how, chance),
            y=augmented_images(self.images, sources, own, how, chance, with_weights=with_weights),
            generator_y=[
                augmented_images(self.images, each, own, how, chance, with_weights=with_weights) for each in turns
            ],
            seeds=[[seeds[part * len(targets) + place] for place in own] for part in range(3 + more)],
        )

    def unchanged(self, rows: Rows) -> Tensor:
        """Return these images without augmentation, as the generator takes them."""
        still = Augmentation(0, 0, 0, 0, 1, 1)
        nothing = rng(self.seed, "augment")
        return augmented_images(
            self.images, rows, range(len(rows)), still, nothing, with_weights=self.config.keep_background
        )
