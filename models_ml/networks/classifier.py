"""What every family of classifiers gives to training, scoring and attacks."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from models_ml.config import ClassifierConfig


class Classifier(nn.Module, ABC):
    """A trunk of convolutions, inner layers, and an output layer: two neurons for the diagnosis, one for a score.

    The trunk and the other two parts have a learning rate each, and the trunk can rest at first. The stages of a GAN
    train a discriminator's output layer alone, the inner layers with it, or all three.
    """

    config: ClassifierConfig
    mean: Tensor
    sd: Tensor
    output: nn.Linear  # learns at the rate of the inner layers

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.tensor(config.mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("sd", torch.tensor(config.sd).view(1, -1, 1, 1), persistent=False)

    @property
    @abstractmethod
    def trunk(self) -> nn.Module:
        """The convolutions, which have the slower learning rate in the article (`vnet_rate`)."""

    @property
    @abstractmethod
    def inner(self) -> nn.Module:
        """The layers between the trunk and the output (`fnet_rate`)."""

    @abstractmethod
    def score(self, normalised: Tensor) -> Tensor:
        """Return the raw outputs for normalised images, (B, outputs), in float32 or float64."""

    def normalise(self, images: Tensor) -> Tensor:
        """Return images in 0…1, (B, 1, H, W), repeated to the network's channels and normalised, (B, C, H, W)."""
        return (images - self.mean) / self.sd

    def forward(self, images: Tensor) -> Tensor:
        return self.score(self.normalise(images))
