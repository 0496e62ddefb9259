"""Receptive field of a stack of layers, by walking them."""

from dataclasses import dataclass

from torch import nn

from models_ml.networks.vgg import VggClassifier


@dataclass(frozen=True)
class ReceptiveField:
    """Side of the square of input pixels one output sees, and the input pixels between two outputs."""

    size: int
    stride: int


def receptive_field(classifier: VggClassifier) -> ReceptiveField:
    """Of one position before the global max pool (Araujo, Norris & Sim, Distill 2019, equation 2)."""
    size, stride = 1, 1
    for part in (classifier.vnet, classifier.fnet.convolutions):
        for layer in part.modules():
            if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
                size += (_side(layer.kernel_size) - 1) * stride
                stride *= _side(layer.stride)
    return ReceptiveField(size, stride)


def _side(value: int | tuple[int, ...]) -> int:
    return value if isinstance(value, int) else value[0]
