"""A trained generator as an attack on images of the study's size."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from attacks.base import require_grey_image
from attacks.constraints.post_processing import NO_POST_PROCESSING, PostProcessing
from models_ml.config import GanConfig
from models_ml.data.images import to_tensor
from models_ml.errors import WrongImages
from models_ml.networks.generator import Generator, shift_logit
from models_ml.runs.checkpoint import CONTROL, WEIGHTS, load_generator, read_provenance, sha256
from models_ml.runtime.device import choose_device
from readerstudy import serialise
from readerstudy.imaging.image import WHITE, Grey16, Size

# 1728 × 1408 and 1024 × 832 differ by 0.3 % in shape; more would stretch what the network learnt.
SHAPE_TOLERANCE = 0.01


@dataclass(frozen=True)
class GanAttack:
    """Removes or inserts signs of the finding with a trained generator.

    A residual generator gets the image at its own resolution. Its change of logit is upsampled bilinearly and applied
    to the full-size pixels, so that their grain survives. A plain generator draws a new image and works at its own
    resolution only.

    A pixel of exactly 0 stays 0, because the padding would otherwise show which image was altered: a residual change
    cannot move it, since its logit is infinite, and a plain drawing is masked. A residual change of the dark
    background (below 0.03 of full scale) is weighted down with its brightness, so that the faint noise there stays
    to the last bit. Pixels at full white, such as labels, stay too. Post-processing protects everything else outside
    the region, the gaps between the source image's grey levels, and its range.
    """

    METHOD: ClassVar[str] = "gan"

    direction: str
    preset: str
    seed: int
    weights: str  # SHA-256 of the generator's file
    is_identity: bool  # the generator after stage 1, which learnt to reproduce its input
    size: Size  # of the generator's input
    generator: Generator
    post_processing: PostProcessing = NO_POST_PROCESSING

    @classmethod
    def load(
        cls, folder: Path, *, is_identity: bool = False, post_processing: PostProcessing = NO_POST_PROCESSING
    ) -> "GanAttack":
        """Return the attack of a finished GAN run, or its identity baseline.

        Raises WrongCheckpoint if the folder does not hold the generator.
        """
        generator = load_generator(folder, control=is_identity).to(choose_device())
        run = read_provenance(folder)
        config = serialise.from_dict(GanConfig, run.config)
        return cls(
            direction=run.direction,
            preset=run.preset,
            seed=run.seed,
            weights=sha256(folder / (CONTROL if is_identity else WEIGHTS)),
            is_identity=is_identity,
            size=(config.rows, config.columns),
            generator=generator,
            post_processing=post_processing,
        )

    @property
    def pixels_drawn(self) -> int:
        """Return how many pixels the generator draws for each image; its memory grows with them."""
        return self.size[0] * self.size[1]

    def __call__(self, pixels: Grey16, /) -> Grey16:
        """Return the adversarial image of 16-bit pixels (H, W), same size; computed in float32."""
        weight = self.post_processing.weight(pixels)
        return self.post_processing(pixels, self.draw(pixels, weight), weight)

    @torch.no_grad()
    def draw(self, pixels: Grey16, weight: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the generator's version of the image in 16-bit levels, neither rounded nor post-processed.

        `weight` is that of the post-processing.
        """
        self._require(pixels)
        device = next(self.generator.parameters()).device
        real = to_tensor(pixels[None], device)  # (1, 1, H, W)
        if self.generator.config.form == "plain":
            drawn = self.generator(real)
        else:
            small = to_tensor(self.post_processing.geometry.resize(pixels, self.size)[None], device)
            change = F.interpolate(self.generator.raw(small), size=pixels.shape, mode="bilinear")
            apply = add_below if self.generator.config.form == "additive" else shift_below
            drawn = apply(real, change, white=self.post_processing.white(pixels, weight))
        levels: NDArray[np.float64] = drawn[0, 0].clamp(0, 1).cpu().double().numpy() * WHITE
        return levels

    def _require(self, pixels: Grey16) -> None:
        require_grey_image(pixels)
        rows, columns = self.size
        if self.generator.config.form == "plain" and pixels.shape != self.size:
            raise WrongImages(f"A plain generator of {rows} × {columns} cannot change a {pixels.shape} image.")
        ratio = (pixels.shape[0] / pixels.shape[1]) / (rows / columns)
        if abs(ratio - 1) > SHAPE_TOLERANCE:
            raise WrongImages(
                f"An image of {pixels.shape[0]} × {pixels.shape[1]} does not have the shape of {rows} × {columns}."
            )


def shift_below(images: Tensor, change: Tensor, *, white: float) -> Tensor:
    """Return `shift_logit` of images (B, 1, H, W) in 0…1 with `white` in place of 1 where the change brightens.

    What is inserted flattens towards the brightest level, as on digitised film: nothing is clipped, and the histogram
    has no peak at `white`. Darkening is as trained.
    """
    brighter = shift_logit((images / white).clamp(max=1), change) * white
    return torch.where(change > 0, brighter, shift_logit(images, change))


def add_below(images: Tensor, change: Tensor, *, white: float) -> Tensor:
    """Return images (B, 1, H, W) in 0…1 plus the change; what it brightens is cut off at `white`."""
    return torch.minimum(images + change, images.clamp(min=white)).clamp(min=0)
