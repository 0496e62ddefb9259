"""Hand-written forward pass, gradients and directional derivatives of the piecewise-linear layers of a VGG.

Convolutions, max-pools and ReLUs up to the first layer of another kind (the pools of Fnet, or a norm) are linear on
the piece in which an image lies. There the gradient of a penalty on ∇ₓ s needs no second backward pass:

    x ──up──▶ maps ──head──▶ s           h: what enters each convolution
    ∇ₓ s ◀──down── ∂s/∂maps              b: what comes down to each convolution's output
    v = ∂penalty/∂(∇ₓ s) ──along──▶ t    t: the directional derivative of the maps along v
    ∂penalty/∂W = Σ b ⊗ t                and t at the maps goes on through the head by autograd

(Pearlmutter, 1994: a gradient of ⟨v, ∇ₓ s⟩ is the gradient of a directional derivative. Between kinks it is exact, as
is autograd's double backward, which costs the same multiplications but keeps every intermediate map, and forms weight
gradients as convolutions with kernels as large as the image.)
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models_ml.networks.blocks import LEAST_CHANNELS
from models_ml.networks.vgg import VggClassifier

Gradients = dict[Tensor, Tensor]  # of each parameter


@dataclass(frozen=True)
class Layer:
    """A convolution, the 2 × 2 max-pool that may follow it, and ReLU.

    Pooling comes before ReLU here: the same values and gradients, on a quarter of the pixels.
    """

    convolution: nn.Conv2d
    pooled: bool
    weight: Tensor
    bias: Tensor

    @property
    def learns(self) -> bool:
        return self.convolution.weight.requires_grad

    def up(self, maps: Tensor, *, bias: bool = True) -> Tensor:
        """Return the convolution's output for maps (B, C, H, W)."""
        conv = self.convolution
        return F.conv2d(maps, self.weight, self.bias if bias else None, conv.stride, conv.kernel_size[0] // 2)

    def down(self, signal: Tensor, like: Tensor) -> Tensor:
        """Return ∂/∂input from ∂/∂output; `like` has the input's shape."""
        return _convolution_backward(self, signal, like, (True, False, False))[0]

    def weigh(self, signal: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return ∂/∂weight and ∂/∂bias from ∂/∂output and the input."""
        _, weight, bias = _convolution_backward(self, signal, maps, (False, True, True))
        return weight[:, : self.convolution.in_channels], bias


@dataclass(frozen=True)
class Passed:
    """A forward pass of one batch: each layer's input, the pixels that each pool picked, and the final maps."""

    entered: tuple[Tensor, ...]
    picked: tuple[Tensor | None, ...]
    maps: Tensor

    def left(self, index: int) -> Tensor:
        """Return the output of the layer with this index, after ReLU."""
        return self.entered[index + 1] if index + 1 < len(self.entered) else self.maps


class Trunk:
    """The piecewise-linear layers of one classifier, with their weights in the precision of the arithmetic."""

    def __init__(self, classifier: VggClassifier, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.channels = len(classifier.config.mean)
        self.layers = [
            Layer(conv, pooled, _prepared(conv, dtype), conv.bias.detach().to(dtype))
            for conv, pooled in linear_layers(classifier)
            if conv.bias is not None
        ]

    @property
    def first_learning(self) -> int:
        """The index of the lowest layer whose weights are trained; the number of layers if none is."""
        return next((index for index, layer in enumerate(self.layers) if layer.learns), len(self.layers))

    def owns(self, parameter: nn.Parameter) -> bool:
        """Return whether the parameter is a weight or bias of one of these layers."""
        return any(parameter is own for layer in self.layers for own in layer.convolution.parameters())

    def up(self, normalised: Tensor) -> Passed:
        """Return the forward pass of normalised images (B, C, H, W), up to the head's maps."""
        maps = _widened(normalised.to(self.dtype), LEAST_CHANNELS)
        entered: list[Tensor] = []
        picked: list[Tensor | None] = []
        for layer in self.layers:
            entered.append(maps)
            maps = layer.up(maps)
            pixels = None
            if layer.pooled:
                maps, pixels = F.max_pool2d(maps, 2, return_indices=True)
            picked.append(pixels)
            maps = F.relu_(maps)
        return Passed(tuple(entered), tuple(picked), maps)

    def down(self, passed: Passed, signal: Tensor, kept: dict[int, Tensor] | None = None) -> Tensor:
        """Return ∂s/∂(normalised images), (B, C, H, W), from ∂s/∂maps; `kept` receives b of each trained layer."""
        signal = signal.to(self.dtype)
        for index in reversed(range(len(self.layers))):
            signal = _through_relu(signal, passed.left(index))
            if kept is not None and self.layers[index].learns:
                kept[index] = signal  # after the pool: a quarter of the pixels
            signal = self.layers[index].down(self._spread(passed, index, signal), passed.entered[index])
        return signal[:, : self.channels]

    def along(self, passed: Passed, kept: dict[int, Tensor], direction: Tensor, gradients: Gradients) -> Tensor:
        """Return the derivative of the maps along `direction`, (B, C, H, W); add b ⊗ t to the gradients."""
        moved = _widened(direction.to(self.dtype), LEAST_CHANNELS)
        for index, layer in enumerate(self.layers):
            if layer.learns:
                weight, _ = layer.weigh(self._spread(passed, index, kept[index]), moved)
                _add(gradients, layer.convolution.weight, weight)
            moved = layer.up(moved, bias=False)
            alive = passed.left(index).sign()  # 0 or 1: nothing is below 0 after ReLU
            moved = moved.mul_(self._spread(passed, index, alive))
            if layer.pooled:
                moved = F.avg_pool2d(moved, 2).mul_(4)  # one pixel of each four is not zero: their sum
        return moved

    def learn(self, passed: Passed, signal: Tensor, gradients: Gradients) -> None:
        """Add ∂loss/∂weights and biases from ∂loss/∂maps, down to the lowest layer that is trained."""
        signal = signal.to(self.dtype)
        for index in reversed(range(self.first_learning, len(self.layers))):
            layer = self.layers[index]
            signal = self._spread(passed, index, _through_relu(signal, passed.left(index)))
            if layer.learns:
                weight, bias = layer.weigh(signal, passed.entered[index])
                _add(gradients, layer.convolution.weight, weight)
                if layer.convolution.bias is not None:
                    _add(gradients, layer.convolution.bias, bias)
            if index > self.first_learning:
                signal = layer.down(signal, passed.entered[index])

    def _spread(self, passed: Passed, index: int, signal: Tensor) -> Tensor:
        """Return a signal from after a layer's pool as before it: each value at the pixel that the pool picked."""
        pixels = passed.picked[index]
        if pixels is None:
            return signal
        spread: Tensor
        conv, entered = self.layers[index].convolution, passed.entered[index]
        rows, columns = _size(conv, entered)
        if torch.are_deterministic_algorithms_enabled():
            # torch's own kernel adds with atomics on a card. The windows do not overlap: nothing has to be added.
            spread = signal.new_zeros(len(entered), conv.out_channels, rows * columns)
            spread.scatter_(2, pixels.flatten(2), signal.flatten(2))
            return spread.view(*spread.shape[:2], rows, columns).contiguous(memory_format=torch.channels_last)
        # Only its shape and memory format are used, never its values.
        before = torch.empty(
            (len(entered), conv.out_channels, rows, columns),
            dtype=entered.dtype,
            device=entered.device,
            memory_format=torch.channels_last,
        )
        spread = torch.ops.aten.max_pool2d_with_indices_backward(
            signal, before, [2, 2], [2, 2], [0, 0], [1, 1], False, pixels
        )
        return spread


def linear_layers(classifier: VggClassifier) -> Iterator[tuple[nn.Conv2d, bool]]:
    """Yield the convolutions before the head, and whether a max-pool follows each."""
    modules = [*classifier.vnet, *list(classifier.fnet.convolutions)[: classifier.fnet.linear]]
    for index, module in enumerate(modules):
        if isinstance(module, nn.Conv2d):
            after = modules[index + 2] if index + 2 < len(modules) else None
            yield module, isinstance(after, nn.MaxPool2d)


def _prepared(conv: nn.Conv2d, dtype: torch.dtype) -> Tensor:
    weight = conv.weight.detach().to(dtype)
    return _widened(weight, LEAST_CHANNELS).contiguous(memory_format=torch.channels_last)


def _widened(maps: Tensor, channels: int) -> Tensor:
    """Return the maps with at least this number of channels; added channels are zero."""
    missing = channels - maps.shape[1]
    if missing > 0:
        maps = F.pad(maps, (0, 0, 0, 0, 0, missing))
    return maps.contiguous(memory_format=torch.channels_last)


def _through_relu(signal: Tensor, left: Tensor) -> Tensor:
    through: Tensor = torch.ops.aten.threshold_backward(signal, left, 0)
    return through.contiguous(memory_format=torch.channels_last)


def _size(conv: nn.Conv2d, maps: Tensor) -> tuple[int, int]:
    (kernel, _), (stride, _) = conv.kernel_size, conv.stride
    padding = kernel // 2
    rows, columns = ((side + 2 * padding - kernel) // stride + 1 for side in maps.shape[2:])
    return rows, columns


def _convolution_backward(
    layer: Layer, signal: Tensor, maps: Tensor, wanted: tuple[bool, bool, bool]
) -> tuple[Tensor, Tensor, Tensor]:
    conv = layer.convolution
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        signal,
        maps,
        layer.weight,
        [conv.out_channels],
        list(conv.stride),
        [conv.kernel_size[0] // 2] * 2,
        [1, 1],
        False,
        [0, 0],
        1,
        list(wanted),
    )
    return found


def _add(gradients: Gradients, parameter: Tensor, gradient: Tensor) -> None:
    if parameter in gradients:
        gradients[parameter] += gradient
    else:
        gradients[parameter] = torch.empty_like(parameter).copy_(gradient)
