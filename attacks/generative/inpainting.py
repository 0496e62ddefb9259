"""A trained inpainter as an attack on images of the study's size. Not part of the article."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attacks.base import require_grey_image
from attacks.constraints.post_processing import NO_POST_PROCESSING, PostProcessing
from attacks.constraints.resampling import Frame
from attacks.generative.gan import shift_below
from attacks.gradient.full_size import image_seed
from models_ml.data.images import to_tensor
from models_ml.networks.inpainting import Inpainter, Places, random_places, salient_places
from models_ml.runs.checkpoint import WEIGHTS, read_provenance, sha256
from models_ml.training.inpainting import load_inpainter
from readerstudy.imaging.image import WHITE, Grey16, Size
from readerstudy.vocabulary import Direction

_DARKEST = 1e-4  # darker pixels get the logit of this value


@dataclass(frozen=True)
class InpaintingAttack:
    """Fills discs of an image.

    A removal fills, several times over, the place that the classifier's score depends on most. An insertion fills a
    place in the region that is drawn from the image and the seed.

    The network fills the image at its own size. Its change of logit is upsampled bilinearly and applied to the
    full-size pixels, as with a residual generator: their grain survives, and black stays black.
    """

    METHOD: ClassVar[str] = "inpainting"

    direction: str
    preset: str
    seed: int
    weights: str  # SHA-256 of the network's file
    network: Inpainter
    post_processing: PostProcessing = NO_POST_PROCESSING

    @classmethod
    def load(cls, folder: Path, *, post_processing: PostProcessing = NO_POST_PROCESSING) -> "InpaintingAttack":
        """Return the attack of a finished run. Raises WrongCheckpoint if the folder does not hold an inpainter."""
        network, run = load_inpainter(folder), read_provenance(folder)
        weights = sha256(folder / WEIGHTS)
        return cls(run.direction, run.preset, run.seed, weights, network, post_processing)

    def __call__(self, pixels: Grey16, /) -> Grey16:
        """Return the adversarial image of 16-bit pixels (H, W), same size; computed in float32."""
        weight = self.post_processing.weight(pixels)
        return self.post_processing(pixels, self.draw(pixels, weight), weight)

    @property
    def size(self) -> Size:
        """Rows and columns of the network's input."""
        return self.network.config.rows, self.network.config.columns

    @property
    def pixels_drawn(self) -> int:
        """Return how many pixels the network draws for each image."""
        return self.size[0] * self.size[1]

    def draw(self, pixels: Grey16, weight: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the network's version of the image in 16-bit levels, neither rounded nor post-processed."""
        require_grey_image(pixels)
        geometry = self.post_processing.geometry
        frame = Frame.of(pixels, self.size, geometry)
        change = frame.upsample(self._change(pixels, geometry.resize(pixels, self.size)))
        real = to_tensor(pixels[None], torch.device("cpu"))
        drawn = shift_below(real, change, white=self.post_processing.white(pixels, weight))
        levels: NDArray[np.float64] = drawn[0, 0].clamp(0, 1).double().numpy() * WHITE
        return levels

    def _change(self, pixels: Grey16, small: Grey16) -> Tensor:
        """Return the change of logit at the network's size, (1, 1, h, w)."""
        rng = np.random.default_rng(image_seed(pixels, self.seed))
        real = to_tensor(small[None], torch.device("cpu"))
        filled = real
        for _ in range(self.network.config.regions):
            places = self._places(filled, self.post_processing.geometry.region(small), rng)
            with torch.no_grad():
                filled = self.network(filled, places)
        before, after = (torch.logit(image.clamp(_DARKEST, 1 - _DARKEST)) for image in (real, filled))
        return after - before

    def _places(self, image: Tensor, weight: NDArray[np.float32], rng: np.random.Generator) -> Places:
        if self.direction == Direction.REMOVE:
            return salient_places(self.network.classifier, image, self.network.config.radius * self.network.config.rows)
        return random_places(weight[None], [rng])
