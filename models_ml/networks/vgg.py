"""The AI-CAD classifier of METHOD §2."""

from itertools import takewhile
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from models_ml.config import ClassifierConfig
from models_ml.errors import WrongCheckpoint
from models_ml.networks.blocks import ImageDropout, SteadyGroupNorm, start_he, start_xavier
from models_ml.networks.classifier import Classifier
from models_ml.networks.losses import precise

# Simonyan & Zisserman (2015), configuration A; 0 stands for a 2 × 2 max-pool.
POOL = 0
VGG11 = (64, POOL, 128, POOL, 256, 256, POOL, 512, 512, POOL, 512, 512, POOL)


class VggClassifier(Classifier):
    """Vnet (the trunk), Fnet (the inner layers) and an output layer."""

    def __init__(self, config: ClassifierConfig, outputs: int = 2) -> None:
        super().__init__(config)
        self.vnet = vnet(config)
        self.fnet = Fnet(config)
        self.output = nn.Linear(self.fnet.features, outputs)
        self.output.apply(start_xavier)

    @property
    def trunk(self) -> nn.Module:
        return self.vnet

    @property
    def inner(self) -> nn.Module:
        return self.fnet

    def score(self, normalised: Tensor) -> Tensor:
        return self.head(self.fnet.convolutions[: self.fnet.linear](self.vnet(normalised)))

    def head(self, maps: Tensor) -> Tensor:
        """Return the raw outputs, (B, outputs), from the maps after the last layer of `networks.piecewise_linear`."""
        scores: Tensor = self.output(self.fnet.features_of(maps))
        return precise(scores)


class Fnet(nn.Module):
    """All layers between Vnet and the output: convolutions, average pool, global max pool and dense layers."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.convolutions, channels = _convolutions(config)
        self.dense, self.features = _dense(config, channels)
        # The number of the first `convolutions` that are convolutions and ReLU alone: piecewise linear, as Vnet is.
        self.linear = 2 * len(list(takewhile(lambda spec: not spec.norm, config.fnet_convolutions)))
        self.apply(start_xavier)

    def features_of(self, maps: Tensor) -> Tensor:
        """Return the input of the output layer, (B, features), from the maps after the piecewise-linear layers."""
        pooled = torch.amax(self.convolutions[self.linear :](maps), dim=(2, 3))  # global max pool
        features: Tensor = self.dense(pooled)
        return features

    def forward(self, maps: Tensor) -> Tensor:
        return self.features_of(self.convolutions[: self.linear](maps))


def vnet(config: ClassifierConfig) -> nn.Sequential:
    """Return the first layers of VGG11's convolutional part, numbered as in torchvision."""
    layers: list[nn.Module] = []
    channels = len(config.mean)
    for size in VGG11[: config.vnet_layers]:
        if size == POOL:
            layers.append(nn.MaxPool2d(2))
        else:
            width = narrowed(size, config.width)
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
    return nn.Sequential(*layers).apply(start_he)


def narrowed(channels: int, width: float) -> int:
    """Return the channels times the width factor, rounded to a multiple of eight, at least eight."""
    return max(8, round(channels * width / 8) * 8)


def _convolutions(config: ClassifierConfig) -> tuple[nn.Sequential, int]:
    layers: list[nn.Module] = []
    channels = [narrowed(size, config.width) for size in VGG11[: config.vnet_layers] if size != POOL][-1]
    for spec in config.fnet_convolutions:
        conv = nn.Conv2d(channels, spec.channels, spec.kernel, spec.stride, padding=spec.kernel // 2)
        channels = spec.channels
        if spec.norm:
            groups = min(config.norm_groups, channels)
            layers += [
                conv,
                SteadyGroupNorm(groups, channels),
                nn.LeakyReLU(config.leak),
                ImageDropout(config.dropout),
            ]
        else:
            layers += [conv, nn.ReLU()]
    return nn.Sequential(*layers, nn.AvgPool2d(2, stride=1)), channels


def _dense(config: ClassifierConfig, channels: int) -> tuple[nn.Sequential, int]:
    layers: list[nn.Module] = []
    for number, size in enumerate(config.fnet_dense):
        layers += [nn.Linear(channels, size), SteadyGroupNorm(min(config.norm_groups, size), size)]
        layers += [ImageDropout(config.dropout)] * (number == 0) + [nn.LeakyReLU(config.leak)]
        channels = size
    return nn.Sequential(*layers), channels


def load_vgg(classifier: Classifier, path: Path) -> None:
    """Load Vnet's weights from a file with torchvision's `vgg11` state dict (three channels, full width only).

    Raises WrongCheckpoint if the weights do not fit.
    """
    if not isinstance(classifier, VggClassifier):
        raise WrongCheckpoint(
            f"The preset {classifier.config.preset} has no Vnet that ImageNet weights of VGG11 could start."
        )
    prefix = "features."
    features = {name.removeprefix(prefix): v for name, v in _state_dict(path).items() if name.startswith(prefix)}
    wanted = classifier.vnet.state_dict()
    misfits = [name for name, value in wanted.items() if name not in features or features[name].shape != value.shape]
    if misfits:
        raise WrongCheckpoint(
            f"The weights in {path.name} do not fit this Vnet (first misfit: {misfits[0]}): "
            "they must be a torchvision vgg11 state dict, and the preset must have three channels "
            "and full width."
        )
    classifier.vnet.load_state_dict({name: features[name] for name in wanted})


def _state_dict(path: Path) -> dict[str, Tensor]:
    """Return the tensors by name of a .pth or .safetensors file, without running code from it."""
    if not path.is_file():
        raise WrongCheckpoint(f"There is no file of weights {path}.")
    try:
        found = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # the type depends on the format and the damage
        raise WrongCheckpoint(
            f"The file {path.name} holds no weights that can be read ({type(error).__name__})."
        ) from error
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise WrongCheckpoint(f"The file {path.name} holds no state dict: a table of names and tensors, as vgg11's is.")
    return found
