"""A small classifier for small images of any content."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from models_ml.config import ClassifierConfig, CompactConfig
from models_ml.errors import LabError
from models_ml.networks.blocks import ImageDropout, SteadyGroupNorm, WideConvolution, start_he, start_xavier
from models_ml.networks.classifier import Classifier
from models_ml.networks.losses import precise


class CompactClassifier(Classifier):
    """Convolutions, a global pool, a dense layer and an output layer.

    The pool takes each map's maximum and its mean. A mean alone would dilute a small spot among all positions, a
    maximum alone would teach the layers through one position of an image.
    """

    def __init__(self, config: ClassifierConfig, outputs: int = 2) -> None:
        super().__init__(config)
        if config.compact is None:
            raise LabError(f"The preset {config.preset} names the compact family, but not its layers.")
        layers = config.compact
        self.surround = layers.surround
        self.convolutions = convolutions(layers, len(config.mean)).apply(start_he)
        self.dense = nn.Sequential(
            nn.Linear(2 * layers.convolutions[-1].channels, layers.dense),
            nn.LeakyReLU(config.leak),  # a ReLU can die for all images, which leaves one score for all
            ImageDropout(config.dropout),
        ).apply(start_xavier)
        self.output = nn.Linear(layers.dense, outputs)
        self.output.apply(start_xavier)

    @property
    def trunk(self) -> nn.Module:
        return self.convolutions

    @property
    def inner(self) -> nn.Module:
        return self.dense

    def score(self, normalised: Tensor) -> Tensor:
        maps = precise(self.convolutions(subtract_surround(normalised, self.surround)))
        pooled = torch.cat([maps.amax(dim=(2, 3)), maps.mean(dim=(2, 3))], dim=1)
        scores: Tensor = self.output(self.dense(pooled))
        return precise(scores)


def subtract_surround(images: Tensor, size: int) -> Tensor:
    """Return the images minus the mean of a window of `size` × `size` around each position, (B, C, H, W).

    What is left is local contrast. In an image with large differences of brightness, the first layers would otherwise
    answer to these, and seldom learn a small finding. At the borders the mean is that of the part inside the image.
    """
    if not size:
        return images
    return images - avg_pool2d(images, size, stride=1, padding=size // 2, count_include_pad=False)


def convolutions(layers: CompactConfig, channels: int) -> nn.Sequential:
    """Return the convolutions of images with this number of channels; ReLU, and GroupNorm if `norm` is set."""
    modules: list[nn.Module] = []
    for spec in layers.convolutions:
        modules.append(
            WideConvolution(channels, spec.channels, spec.kernel, spec.stride, spec.kernel // 2, bias=not spec.norm)
        )
        channels = spec.channels
        if spec.norm:
            modules.append(SteadyGroupNorm(min(layers.norm_groups, channels), channels))
        modules.append(nn.ReLU())
    return nn.Sequential(*modules)
