"""A trained generator as an attack on images of the study's size."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.base import Pixels
from attacks.constraints.post_processing import NO_POST_PROCESSING, PostProcessing
from models_ml.config import GanConfig
from models_ml.data.images import to_tensor
from models_ml.errors import WrongImages
from models_ml.networks.generator import Generator, shift_logit
from models_ml.runs.checkpoint import CONTROL, WEIGHTS, load_generator, read_provenance, sha256
from readerstudy import serialise
from readerstudy.imaging.image import WHITE
from readerstudy.imaging.resize import resize

# 1728 × 1408 and 1024 × 832 differ by 0.3 % in shape; more would stretch the lesions that the network learnt.
SHAPE_TOLERANCE = 0.01


@dataclass(frozen=True)
class GanAttack:
    """Removes or inserts cancer signs with a trained generator.

    A residual generator sees the image at its own resolution; the change of logit that it proposes is
    carried up bilinearly and applied to the full-size pixels, so that their grain survives. A plain
    generator draws the image anew and works at its own resolution only.

    Background is never touched: a pixel of exactly 0 stays exactly 0 (a residual change cannot move it, since its
    logit is infinite; a plain drawing is masked), or the padding would tell which image was altered. In a residual
    change the air around the breast (below 0.03 of full scale) is weighed down with its brightness, so that its faint
    noise stays to the last bit; pixels at full white, such as film labels, stay too. Post-processing spares what else
    is not breast, the gaps between the parent's grey levels, and what is brighter than its brightest tissue.
    """

    direction: str
    preset: str
    seed: int
    weights: str  # sha256 of the file the generator came from
    control: bool  # the stage-1 generator, which learnt the identity only
    size: tuple[int, int]
    generator: Generator
    post_processing: PostProcessing = NO_POST_PROCESSING

    @classmethod
    def load(
        cls, folder: Path, *, control: bool = False, post_processing: PostProcessing = NO_POST_PROCESSING
    ) -> "GanAttack":
        """The attack of a finished GAN run, or its control; WrongCheckpoint where the folder holds none."""
        generator = load_generator(folder, control=control)
        run = read_provenance(folder)
        config = serialise.from_dict(GanConfig, run.config)
        return cls(
            direction=run.direction,
            preset=run.preset,
            seed=run.seed,
            weights=sha256(folder / (CONTROL if control else WEIGHTS)),
            control=control,
            size=(config.rows, config.columns),
            generator=generator,
            post_processing=post_processing,
        )

    @property
    def pixels_drawn(self) -> int:
        """How many pixels the generator draws for each image; its memory grows with them."""
        return self.size[0] * self.size[1]

    @torch.no_grad()
    def __call__(self, pixels: Pixels, /) -> Pixels:
        """The adversarial twin of 16-bit pixels (H, W), same size; computed in float32."""
        self._require(pixels)
        weight = self.post_processing.weight(pixels)
        full = to_tensor(pixels[None], torch.device("cpu"))  # (1, 1, H, W)
        if self.generator.config.form == "plain":
            fake = self.generator(full)
        else:
            small = to_tensor(resize(pixels, self.size)[None], full.device)
            change = F.interpolate(self.generator.raw(small), size=pixels.shape, mode="bilinear")
            fake = shift_below(full, change, white=self.post_processing.white(pixels, weight))
        return self.post_processing(pixels, fake[0, 0].clamp(0, 1).double().numpy() * WHITE, weight)

    def _require(self, pixels: Pixels) -> None:
        if pixels.dtype != np.uint16 or pixels.ndim != 2:
            raise WrongImages("An attack takes one 16-bit grey image of rows × columns.")
        rows, columns = self.size
        if self.generator.config.form == "plain" and pixels.shape != self.size:
            raise WrongImages(f"A plain generator of {rows} × {columns} cannot change a {pixels.shape} image.")
        ratio = (pixels.shape[0] / pixels.shape[1]) / (rows / columns)
        if abs(ratio - 1) > SHAPE_TOLERANCE:
            raise WrongImages(
                f"An image of {pixels.shape[0]} × {pixels.shape[1]} has not the shape of {rows} × {columns}."
            )


def shift_below(images: Tensor, change: Tensor, *, white: float) -> Tensor:
    """shift_logit with its upper end at `white` instead of 1 wherever the change brightens; darkening as trained.

    As on film, what is put in flattens towards the brightest density: nothing is cut off, and no peak stands at white.
    """
    brighter = shift_logit((images / white).clamp(max=1), change) * white
    return torch.where(change > 0, brighter, shift_logit(images, change))
