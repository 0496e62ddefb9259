"""Gradient attacks on images of the study's size, with a classifier that takes smaller ones."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attacks.base import require_grey_image
from attacks.constraints.budget import AttackBatch, clip_to_budget
from attacks.constraints.post_processing import NO_POST_PROCESSING, PostProcessing
from attacks.constraints.resampling import DifferentiableResize
from attacks.gradient.base import GradientMethod, LogitFunction
from models_ml.data.images import to_tensor
from models_ml.networks.classifier import Classifier
from readerstudy.imaging.image import WHITE, Grey16, Size

Gradient = Literal["full_resolution", "upsampled"]


@dataclass(frozen=True)
class GradientAttack:
    """Changes images of one label so that the classifier's decision flips.

    `gradient` says how a network of 256 × 208 attacks an image of 1728 × 1408. "full_resolution" differentiates
    through the resampling and works on the full-size pixels; "upsampled" works at the network's size and upsamples the
    change bilinearly, which is faster and weaker. `threshold` is the probability above which the classifier calls an
    image positive: the attack aims at that decision.

    The budget holds on the written pixels, after post-processing and rounding: none differs from its source image by
    more than epsilon. The same image and seed give the same file, alone or in a batch of any size, on one device.
    """

    method: GradientMethod
    label: int  # of the images that it changes: 1 positive
    classifier: Classifier
    weights: str  # SHA-256 of the classifier's file
    seed: int
    gradient: Gradient = "full_resolution"
    threshold: float = 0.5
    post_processing: PostProcessing = NO_POST_PROCESSING

    @property
    def size(self) -> Size:
        """Rows and columns of the classifier's input."""
        return self.classifier.config.rows, self.classifier.config.columns

    def __call__(self, pixels: Grey16, /) -> Grey16:
        return self.attack_batch([pixels])[0]

    def attack_batch(self, images: Sequence[Grey16]) -> list[Grey16]:
        """Return the adversarial images of images of one size, computed as one batch for a graphics card."""
        for pixels in images:
            require_grey_image(pixels)
        device = next(self.classifier.parameters()).device
        weights = [self.post_processing.weight(pixels) for pixels in images]
        whites = [self.post_processing.white(pixels, weight) for pixels, weight in zip(images, weights, strict=True)]
        batch = AttackBatch(
            images=to_tensor(np.stack(images), device),  # (B, 1, H, W)
            labels=torch.full((len(images),), self.label, device=device),
            seeds=tuple(image_seed(pixels, self.seed) for pixels in images),
            weight=torch.from_numpy(np.stack(weights))[:, None].to(device),
            white=torch.tensor(whites, device=device),
        )
        resizing = DifferentiableResize.of(images, self.size, device, self.post_processing.geometry)
        if self.gradient == "full_resolution":
            attacked = self._at_full_resolution(resizing, batch)
        else:
            attacked = self._upsampled(resizing, batch)
        drawn = attacked[:, 0].cpu().double().numpy() * WHITE
        return [self._post_process(*arrays) for arrays in zip(images, drawn, weights, strict=True)]

    def _at_full_resolution(self, resizing: DifferentiableResize, batch: AttackBatch) -> Tensor:
        return self.method(lambda images: self._logits(resizing(images)), batch)

    def _upsampled(self, resizing: DifferentiableResize, batch: AttackBatch) -> Tensor:
        weight = None if batch.weight is None else resizing.downsample(batch.weight).clamp(0, 1)
        small = AttackBatch(resizing.small, batch.labels, batch.seeds, weight, batch.white)
        change = self.method(self._logits, small) - resizing.small
        return batch.feasible_set(self.method.epsilon).project(batch.images + resizing.upsample(change))

    def _logits(self, images: Tensor) -> Tensor:
        return logits_at_threshold(self.classifier, self.threshold)(images)

    def _post_process(self, real: Grey16, drawn: NDArray[np.float64], weight: NDArray[np.float32]) -> Grey16:
        """Return the post-processed image within the budget.

        The attack has applied the weight already; post-processing only has to restore pixels of weight 0.
        """
        adversarial = self.post_processing(real, drawn, (weight > 0).astype(np.float32))
        if self.method.epsilon is None:
            return adversarial
        levels = self.post_processing.grey_levels(real)
        return clip_to_budget(real, adversarial, epsilon=self.method.epsilon, levels=levels)


def logits_at_threshold(classifier: Classifier, threshold: float) -> LogitFunction:
    """Return the classifier's logits, shifted so that the greater one is its decision at the threshold."""
    shift = torch.tensor([log(threshold / (1 - threshold)), 0.0], device=next(classifier.parameters()).device)
    return lambda images: classifier(images) + shift


def image_seed(pixels: Grey16, seed: int) -> int:
    """Return a seed for one image, from its pixels and the attack's seed; the order of the files does not matter."""
    digest = hashlib.sha256(np.ascontiguousarray(pixels).tobytes() + str(seed).encode()).digest()
    return int.from_bytes(digest[:7], "big")
