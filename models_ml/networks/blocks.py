"""Layers that the classifier and the generator share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models_ml.config import Norm

LEAST_CHANNELS = 3


class SteadyGroupNorm(nn.GroupNorm):
    """GroupNorm in its weights' precision on contiguous maps: fifteen times faster than bfloat16 channels-last."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.to(self.weight.dtype).contiguous())


class WideConvolution(nn.Conv2d):
    """A convolution that pads a single input channel with two empty ones: the same result, much faster.

    One channel has no channels-last format, and the processor's kernels for it take twenty times as long.
    """

    def forward(self, input: Tensor) -> Tensor:
        if self.in_channels >= LEAST_CHANNELS:
            return super().forward(input)
        beside = (0, 0, 0, 0, 0, LEAST_CHANNELS - self.in_channels)
        weight = F.pad(self.weight, beside).contiguous(memory_format=torch.channels_last)
        maps = F.pad(input, beside).contiguous(memory_format=torch.channels_last)
        if self.padding_mode == "zeros":
            return F.conv2d(maps, weight, self.bias, self.stride, self.kernel_size[0] // 2)
        around = [self.kernel_size[0] // 2] * 4
        return F.conv2d(F.pad(maps, around, mode=self.padding_mode), weight, self.bias, self.stride)


class ImageDropout(nn.Dropout):
    """Dropout that draws each image's mask from a seed of its own, set by `dropout_seeds`.

    A step then has the same result however its batch is divided: into parts that fit the memory, or over processes.
    """

    seeds: Sequence[int] | None = None

    def forward(self, input: Tensor) -> Tensor:
        if self.seeds is None or not self.training or self.p == 0:
            return super().forward(input)
        chance = torch.Generator(input.device)
        kept = [
            torch.rand(image.shape, generator=chance.manual_seed(seed), device=input.device) >= self.p
            for image, seed in zip(input, self.seeds, strict=True)
        ]
        return input * torch.stack(kept).to(input.dtype) / (1 - self.p)


@contextmanager
def dropout_seeds(network: nn.Module, seeds: Sequence[int]) -> Iterator[None]:
    """Return a context in which the network's dropout uses these seeds, one for each image of the batch."""
    layers = [module for module in network.modules() if isinstance(module, ImageDropout)]
    for layer in layers:
        layer.seeds = seeds
    try:
        yield
    finally:
        for layer in layers:
            layer.seeds = None


def normalise(norm: Norm, channels: int, groups: int) -> nn.Module:
    """Return the norm by its name, with at most as many groups as channels."""
    if norm == "group":
        return SteadyGroupNorm(min(groups, channels), channels)
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.Identity()


def start_xavier(module: nn.Module) -> None:
    """Set Xavier-normal weights and zero bias (METHOD §2, dense and added conv layers)."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def start_he(module: nn.Module) -> None:
    """Set He-normal weights for ReLU layers and zero bias (Simonyan's VGG without ImageNet weights)."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
