"""A gradient attack on pictures of the study's size, through a classifier that reads smaller ones."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attacks.base import Pixels
from attacks.constraints.budget import FULL_SCALE, Batch, hold_levels
from attacks.constraints.post_processing import NO_POST_PROCESSING, PostProcessing
from attacks.constraints.resampling import Passage
from attacks.gradient.base import Logits, Method
from models_ml.data.images import to_tensor
from models_ml.errors import WrongImages
from models_ml.networks.classifier import Classifier

Gradient = Literal["full_resolution", "upsampled"]


@dataclass(frozen=True)
class GradientAttack:
    """Changes pictures of one label so that the classifier calls them otherwise.

    `gradient` says how a network of 256 × 208 attacks an image of 1728 × 1408. "full_resolution" differentiates
    through the resampling and works on the full-size pixels; "upsampled" works at the network's size and upsamples the
    change bilinearly, which is faster and weaker. `threshold` is the probability above which the classifier calls a
    picture malignant: the attack aims at that decision.

    The budget holds on the written pixels, after post-processing and rounding: none differs from its source image by
    more than epsilon. The same image and seed give the same file, alone or in a batch of any size, on one device.
    """

    method: Method
    label: int  # of the pictures that it changes: 1 malignant
    classifier: Classifier
    weights: str  # sha256 of the classifier's file
    seed: int
    gradient: Gradient = "full_resolution"
    threshold: float = 0.5
    post_processing: PostProcessing = NO_POST_PROCESSING

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns that the classifier reads."""
        return self.classifier.config.rows, self.classifier.config.columns

    def __call__(self, pixels: Pixels, /) -> Pixels:
        return self.many([pixels])[0]

    def many(self, pictures: Sequence[Pixels]) -> list[Pixels]:
        """The twins of pictures of one size, attacked together: for a graphics card."""
        for pixels in pictures:
            self._require(pixels)
        weights = [self.post_processing.weight(pixels) for pixels in pictures]
        device = next(self.classifier.parameters()).device
        full = to_tensor(np.stack(pictures), device)  # (B, 1, H, W)
        batch = Batch(
            full,
            torch.full((len(pictures),), self.label, device=device),
            tuple(seed_of(pixels, self.seed) for pixels in pictures),
            torch.from_numpy(np.stack(weights))[:, None].to(device),
            torch.tensor(
                [self.post_processing.white(*pair) for pair in zip(pictures, weights, strict=True)], device=device
            ),
        )
        passage = Passage.of(pictures, self.size, device)
        attacked = (
            self._full_resolution(passage, batch)
            if self.gradient == "full_resolution"
            else self._upsampled(passage, batch)
        )
        drawn = attacked[:, 0].cpu().double().numpy() * FULL_SCALE
        return [self._written(*three) for three in zip(pictures, drawn, weights, strict=True)]

    def _full_resolution(self, passage: Passage, batch: Batch) -> Tensor:
        return self.method(lambda images: self._logits(passage(images)), batch)

    def _upsampled(self, passage: Passage, batch: Batch) -> Tensor:
        weight = None if batch.weight is None else passage.down(batch.weight).clamp(0, 1)
        small = Batch(passage.small, batch.labels, batch.seeds, weight, batch.white)
        change = self.method(self._logits, small) - passage.small
        return batch.room(self.method.epsilon).hold(batch.images + passage.up(change))

    def _logits(self, images: Tensor) -> Tensor:
        return decision(self.classifier, self.threshold)(images)

    def _written(self, real: Pixels, drawn: NDArray[np.float64], weight: NDArray[np.float32]) -> Pixels:
        """The attack kept to the weight itself; here it only says where nothing may change at all."""
        written = self.post_processing(real, drawn, (weight > 0).astype(np.float32))
        if self.method.epsilon is None:
            return written
        return hold_levels(real, written, epsilon=self.method.epsilon, levels=self.post_processing.grey_levels(real))

    def _require(self, pixels: Pixels) -> None:
        if pixels.dtype != np.uint16 or pixels.ndim != 2:
            raise WrongImages("An attack takes one 16-bit grey image of rows × columns.")


def decision(classifier: Classifier, threshold: float) -> Logits:
    """The classifier's logits, moved so that the greater one is its decision at the threshold."""
    shift = torch.tensor([log(threshold / (1 - threshold)), 0.0], device=next(classifier.parameters()).device)
    return lambda images: classifier(images) + shift


def seed_of(pixels: Pixels, seed: int) -> int:
    """A seed for one picture: it depends on the picture and on the attack's seed, not on the order of the files."""
    digest = hashlib.sha256(np.ascontiguousarray(pixels).tobytes() + str(seed).encode()).digest()
    return int.from_bytes(digest[:7], "big")
