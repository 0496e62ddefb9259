"""A small classifier for small images of any content."""

import torch
from torch import Tensor, nn

from models_ml.config import ClassifierConfig, CompactConfig
from models_ml.errors import LabError
from models_ml.networks.blocks import ImageDropout, SteadyGroupNorm, WideConvolution, start_he, start_xavier
from models_ml.networks.classifier import Classifier
from models_ml.networks.losses import precise


class CompactClassifier(Classifier):
    """Stages of convolutions that halve the image, a global pool, a dense layer and an output layer.

    The pool takes each map's maximum and its mean. A mean alone would dilute a small spot among all positions, a
    maximum alone would teach the layers through one position of an image.
    """

    def __init__(self, config: ClassifierConfig, outputs: int = 2) -> None:
        super().__init__(config)
        if config.compact is None:
            raise LabError(f"The preset {config.preset} names the compact family, but not its layers.")
        layers = config.compact
        self.convolutions = convolutions(layers, len(config.mean)).apply(start_he)
        self.dense = nn.Sequential(
            nn.Linear(2 * layers.channels[-1], layers.dense), nn.ReLU(), ImageDropout(config.dropout)
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
        maps = precise(self.convolutions(normalised))
        pooled = torch.cat([maps.amax(dim=(2, 3)), maps.mean(dim=(2, 3))], dim=1)
        scores: Tensor = self.output(self.dense(pooled))
        return precise(scores)


def convolutions(layers: CompactConfig, channels: int) -> nn.Sequential:
    """Return the stages: 3 × 3 convolutions, each with GroupNorm and ReLU; the first of a stage halves the maps."""
    modules: list[nn.Module] = []
    for size in layers.channels:
        for number in range(layers.convolutions):
            modules += [
                WideConvolution(channels, size, 3, stride=1 if number else 2, padding=1, bias=False),
                SteadyGroupNorm(min(layers.norm_groups, size), size),
                nn.ReLU(),
            ]
            channels = size
    return nn.Sequential(*modules)
