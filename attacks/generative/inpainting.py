"""A trained inpainter as an attack on pictures of the study's size. Ours, not the article's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attacks.base import Pixels
from attacks.constraints.post_processing import NO_POST_PROCESSING, PostProcessing
from attacks.constraints.resampling import Frame
from attacks.generative.gan import shift_below
from attacks.gradient.full_size import seed_of
from models_ml.data.images import to_tensor
from models_ml.errors import WrongImages
from models_ml.networks.inpainting import Inpainter, Places, random_places, salient_places
from models_ml.runs.checkpoint import WEIGHTS, read_provenance, sha256
from models_ml.training.inpainting import load_inpainter
from readerstudy.imaging.breast_mask import breast_weight
from readerstudy.imaging.image import WHITE
from readerstudy.imaging.resize import resize
from readerstudy.vocabulary import Direction

_LEAST = 1e-4  # logits of darker pixels are taken there


@dataclass(frozen=True)
class InpaintingAttack:
    """Fills a disc of tissue: for removal where the classifier looks, several times over; for insertion at a random
    place in the breast, which hangs on the picture and the seed.

    The network fills the picture at its own size. Its change of logit is carried up bilinearly and applied to the
    full-size pixels, as with a residual generator: their grain survives, black stays black.
    """

    direction: str
    preset: str
    seed: int
    weights: str
    network: Inpainter
    post_processing: PostProcessing = NO_POST_PROCESSING

    @classmethod
    def load(cls, folder: Path, *, post_processing: PostProcessing = NO_POST_PROCESSING) -> "InpaintingAttack":
        """The attack of a finished run; WrongCheckpoint where the folder holds none."""
        network, run = load_inpainter(folder), read_provenance(folder)
        weights = sha256(folder / WEIGHTS)
        return cls(run.direction, run.preset, run.seed, weights, network, post_processing)

    def __call__(self, pixels: Pixels, /) -> Pixels:
        if pixels.dtype != np.uint16 or pixels.ndim != 2:
            raise WrongImages("An attack takes one 16-bit grey image of rows × columns.")
        weight = self.post_processing.weight(pixels)
        config = self.network.config
        below = resize(pixels, (config.rows, config.columns))
        small = to_tensor(below[None], torch.device("cpu"))
        change = Frame.of(pixels, below).up(self._change(small, pixels, below))
        full = to_tensor(pixels[None], small.device)
        fake = shift_below(full, change, white=self.post_processing.white(pixels, weight))
        return self.post_processing(pixels, fake[0, 0].clamp(0, 1).double().numpy() * WHITE, weight)

    def _change(self, small: Tensor, pixels: Pixels, below: Pixels) -> Tensor:
        """The change of logit at the network's size, (1, 1, h, w)."""
        chance = np.random.default_rng(seed_of(pixels, self.seed))
        filled = small
        for _ in range(self.network.config.regions):
            places = self._places(filled, breast_weight(below), chance)
            with torch.no_grad():
                filled = self.network(filled, places)
        before, after = (torch.logit(image.clamp(_LEAST, 1 - _LEAST)) for image in (small, filled))
        return after - before

    def _places(self, small: Tensor, weight: NDArray[np.float32], chance: np.random.Generator) -> Places:
        if self.direction == Direction.REMOVE:
            return salient_places(self.network.judge, small, self.network.config.radius * self.network.config.rows)
        return random_places(weight[None], [chance])
