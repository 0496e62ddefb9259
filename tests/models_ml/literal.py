"""The steps of METHOD §2 and §3 written down as they stand: torch's own layers and autograd, a pass for every term.

Contiguous maps, the precision of the weights, three input channels. Tests compare `models_ml.training.steps` with it on
the same batch, and the lab's benchmark measures against its time.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models_ml.config import ClassifierConfig, GanConfig
from models_ml.networks.blocks import dropout_seeds
from models_ml.networks.classifier import Classifier
from models_ml.networks.generator import Generator, shift_logit


def focal_of(logits: Tensor, label: int, config: ClassifierConfig) -> Tensor:
    p = logits.softmax(1)[:, label]
    return -config.class_weight * ((1 - p.detach()) ** config.focal_gamma * p.log()).mean()


def slope_of(net: Classifier, images: Tensor) -> Tensor:
    """∇ₓ s(x) with respect to the normalised image, in the graph; s is the sum of the outputs."""
    x = net.normalise(images).detach().requires_grad_()
    (slope,) = torch.autograd.grad(net.score(x).sum(), x, create_graph=True)
    return slope


def penalty_of(slope: Tensor, weight: float, order: float) -> Tensor:
    return weight / 2 * slope.flatten(1).norm(2, dim=1).pow(order).mean()


def classifier_loss(
    net: Classifier, positives: Tensor, negatives: Tensor, config: ClassifierConfig, seeds: Sequence[int]
) -> Tensor:
    """FL(pos) + FL(neg) + GP, four passes; the penalty with the masks of the first two."""
    loss = torch.zeros((), dtype=positives.dtype)
    halves = (positives, 1, seeds[: len(positives)]), (negatives, 0, seeds[len(positives) :])
    for images, label, own in halves:
        with dropout_seeds(net, own):
            loss = loss + focal_of(net.score(net.normalise(images)), label, config)
    for images, _, own in halves:
        with dropout_seeds(net, own):
            slope = slope_of(net, images)
        loss = loss + penalty_of(slope, config.penalty_weight * config.penalty_every, config.penalty_order)
    return loss


def discriminator_loss(net: Classifier, x: Tensor, fakes: Tensor, config: GanConfig, seeds: Sequence[int]) -> Tensor:
    with dropout_seeds(net, seeds[: len(x)]):
        real = -F.logsigmoid(net(x)).mean()
        slope = slope_of(net, x)
    with dropout_seeds(net, seeds[len(x) :]):
        fake = F.logsigmoid(net(fakes)).mean()
    return real + fake + (real - 1).abs() + penalty_of(slope, config.penalty_weight, config.penalty_order)


def generator_loss(
    generator: Generator, net: Classifier, y: Tensor, config: GanConfig, seeds: Sequence[int], *, adversarial: bool
) -> Tensor:
    fakes = generated(generator, y)
    real, fake = net.normalise(y)[:, :1].flatten(1), net.normalise(fakes)[:, :1].flatten(1)
    identity = ((fake - real).square().sum(1) / real.square().sum(1)).mean()
    if not adversarial:
        return identity
    with dropout_seeds(net, seeds):
        return -F.logsigmoid(net(fakes)).mean() + config.identity_weight * identity


def generated(generator: Generator, images: Tensor) -> Tensor:
    """The U-Net by torch's own layers, from its weights."""
    maps = (images - generator.config.mean) / generator.config.sd
    skips = []
    for depth, block in enumerate(generator.encoder):
        maps = _double(block, F.avg_pool2d(maps, 2) if depth else maps)
        skips.append(maps)
    skips.pop()
    for block in generator.decoder:
        skip = skips.pop()
        corners = generator.config.align_corners
        up = F.interpolate(maps, size=skip.shape[2:], mode="bilinear", align_corners=corners)
        maps = _double(block, torch.cat([up, skip], dim=1))
    raw = _convolved(generator.last, maps)
    if generator.config.form == "additive":
        return (images + raw).clamp(0, 1)
    return shift_logit(images, raw) if generator.config.form == "residual" else torch.sigmoid(raw)


def _double(block: nn.Sequential, maps: Tensor) -> Tensor:
    layers = list(block)
    for conv, norm, leaky in zip(layers[::3], layers[1::3], layers[2::3], strict=True):
        maps = _convolved(conv, maps)
        if isinstance(norm, nn.GroupNorm):
            maps = F.group_norm(maps, norm.num_groups, norm.weight, norm.bias, norm.eps)
        elif isinstance(norm, nn.BatchNorm2d):
            maps = norm(maps)
        maps = F.leaky_relu(maps, leaky.negative_slope)
    return maps


def _convolved(conv: nn.Conv2d, maps: Tensor) -> Tensor:
    mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
    return F.conv2d(F.pad(maps, [1] * 4, mode=mode), conv.weight, conv.bias)
