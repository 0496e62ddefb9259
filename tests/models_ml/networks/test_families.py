"""Families of classifiers: one function builds them, and all give the same parts."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from models_ml.errors import LabError, WrongCheckpoint
from models_ml.networks import FAMILIES, build, discriminator_from
from models_ml.networks.vgg import load_vgg
from models_ml.presets import PRESETS
from tests.models_ml import tiny

CONFIGS = {"vgg": tiny.classifier_config(), "compact": tiny.compact_config()}
EVERY = pytest.mark.parametrize("family", FAMILIES)


@EVERY
def test_the_parts_of_a_family_are_its_weights_without_overlap(family) -> None:
    net = build(CONFIGS[family])
    parts = [parameter for part in (net.trunk, net.inner, net.output) for parameter in part.parameters()]
    assert {id(parameter) for parameter in parts} == {id(parameter) for parameter in net.parameters()}
    assert len(parts) == len(list(net.parameters()))
    assert all(list(part.parameters()) for part in (net.trunk, net.inner, net.output))


@EVERY
def test_the_score_of_a_normalised_image_is_that_of_the_image(family) -> None:
    net, images = build(CONFIGS[family], outputs=1).eval(), torch.rand(3, 1, tiny.ROWS, tiny.COLUMNS)
    assert torch.equal(net(images), net.score((images - 0.2) / 0.2))
    assert tuple(net(images).shape) == (3, 1)
    assert tuple(build(CONFIGS[family])(images).shape) == (3, 2)


@EVERY
def test_a_discriminator_scores_with_copies_of_the_classifiers_layers(family) -> None:
    classifier = build(CONFIGS[family]).eval()
    discriminator = discriminator_from(classifier, dropout=0.0).eval()
    images = torch.rand(2, 1, tiny.ROWS, tiny.COLUMNS)
    with torch.no_grad():
        before = classifier(images)
        discriminator.output.weight.copy_(classifier.output.weight[1:])
        discriminator.output.bias.copy_(classifier.output.bias[1:])
        torch.testing.assert_close(discriminator(images), before[:, 1:])
        for parameter in discriminator.parameters():
            parameter.zero_()
        assert torch.equal(classifier(images), before)


def test_a_compact_network_has_a_tenth_of_a_million_weights_and_sees_25_pixels_at_a_time() -> None:
    net = build(PRESETS["compact"].classifier)
    assert 100_000 < sum(parameter.numel() for parameter in net.parameters()) < 200_000
    # Without norms, which depend on the whole image, and without ReLU, which can hide a pixel.
    layers = [layer for layer in net.trunk if isinstance(layer, nn.Conv2d)]
    image = torch.rand(1, 1, 128, 128, requires_grad=True)
    maps = nn.Sequential(*layers)(image)
    assert tuple(maps.shape) == (1, 96, 32, 32)
    (slope,) = torch.autograd.grad(maps[0, :, 16, 16].sum(), image)
    rows, columns = slope[0, 0].nonzero(as_tuple=True)
    assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == (25, 25)


def test_a_family_nobody_knows_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LabError, match=r"no family of networks 'round'; choose one of vgg, compact"):
        build(replace(CONFIGS["vgg"], family="round"))


def test_a_compact_network_without_its_layers_is_refused() -> None:
    with pytest.raises(LabError, match="preset tiny names the compact family, but not its layers"):
        build(replace(CONFIGS["compact"], compact=None))


def test_imagenet_weights_start_no_other_family(tmp_path) -> None:
    with pytest.raises(WrongCheckpoint, match="preset tiny has no Vnet"):
        load_vgg(build(CONFIGS["compact"]), tmp_path / "vgg11.pth")
    three = replace(CONFIGS["compact"], mean=(0.5,) * 3, sd=(0.5,) * 3)
    assert not three.expects_imagenet
