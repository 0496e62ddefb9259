"""The networks at the article's full size, built on the meta device: no memory, no arithmetic."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from models_ml.config import ClassifierConfig, GeneratorConfig
from models_ml.errors import WrongCheckpoint
from models_ml.networks import discriminator_from
from models_ml.networks.generator import Generator, shift_logit
from models_ml.networks.vgg import VggClassifier, load_vgg
from models_ml.presets import PRESETS
from tests.models_ml.networks.receptive_field import ReceptiveField, receptive_field

FULL = PRESETS["zhou2021-high"]


def full_classifier() -> VggClassifier:
    with torch.device("meta"):
        return VggClassifier(FULL.classifier)


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_fnet_without_its_output_layer_has_the_published_number_of_parameters() -> None:
    assert parameters(full_classifier().fnet) == 45_909_248


def test_vnet_is_the_whole_convolutional_part_of_vgg11() -> None:
    # Simonyan & Zisserman, configuration A: 8 convolutions, 9,220,480 weights and biases, 5 pools.
    vnet = full_classifier().vnet
    assert parameters(vnet) == 9_220_480
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in vnet) == 5
    assert [name for name in vnet.state_dict() if name.endswith("weight")][-1] == "18.weight"


def test_feature_maps_have_the_sizes_of_the_articles_table() -> None:
    net = full_classifier()
    maps = net.vnet(torch.empty(1, 3, 1728, 1408, device="meta"))
    added = net.fnet.convolutions(maps)
    assert tuple(maps.shape) == (1, 512, 54, 44)
    assert tuple(added.shape) == (1, 2048, 26, 21)
    assert tuple(net.fnet(maps).shape) == (1, 256)
    assert tuple(net(torch.empty(2, 1, 1728, 1408, device="meta")).shape) == (2, 2)


def test_one_position_before_the_global_pool_sees_406_pixels_and_its_neighbour_is_64_away() -> None:
    assert receptive_field(full_classifier()) == ReceptiveField(size=406, stride=64)


def test_the_gradient_of_one_position_covers_exactly_406_pixels() -> None:
    # Average instead of max pools and no ReLU: nothing can hide a pixel that the geometry reaches.
    config = replace(FULL.classifier, width=1 / 64, mean=(0.5,), sd=(0.5,), fnet_dense=(8,), norm_groups=2)
    config = replace(config, fnet_convolutions=tuple(replace(c, channels=8) for c in config.fnet_convolutions))
    net = VggClassifier(config).double()
    layers: list[nn.Module] = []
    for layer in [*net.vnet, *net.fnet.convolutions]:
        if isinstance(layer, nn.MaxPool2d):
            layers.append(nn.AvgPool2d(2))
        elif not isinstance(layer, nn.ReLU):
            layers.append(layer)
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 0.01)
    image = torch.zeros(1, 1, 1024, 960, dtype=torch.double, requires_grad=True)
    maps = nn.Sequential(*layers)(image)
    (first,) = torch.autograd.grad(maps[0, 0, 6, 6], image, retain_graph=True)
    (second,) = torch.autograd.grad(maps[0, 0, 7, 6], image)
    rows, columns = first[0, 0].nonzero(as_tuple=True)
    assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == (406, 406)
    assert second[0, 0].nonzero()[:, 0].min() - rows.min() == 64


def test_dense_layers_are_normalised_dropped_and_leaky_in_the_articles_order() -> None:
    names = [type(layer).__name__ for layer in full_classifier().fnet.dense]
    block = ["Linear", "SteadyGroupNorm", "LeakyReLU"]
    assert names == ["Linear", "SteadyGroupNorm", "ImageDropout", "LeakyReLU", *block, *block]


def test_the_generator_is_the_articles_u_net() -> None:
    with torch.device("meta"):
        net = Generator(FULL.remove.generator)
        fake = net(torch.empty(1, 1, 1728, 1408))
    assert tuple(fake.shape) == (1, 1, 1728, 1408)
    wanted = [(1, 64), (64, 128), (128, 256), (256, 512), (512, 512), (512, 512)]
    wanted += [(512 + 512, 512), (512 + 512, 256), (256 + 256, 128), (128 + 128, 64), (64 + 64, 64)]
    blocks = [*net.encoder, *net.decoder]
    assert [(block[0].in_channels, block[0].out_channels) for block in blocks] == wanted
    assert all([type(layer).__name__ for layer in block][1::3] == ["SteadyGroupNorm"] * 2 for block in blocks)


def test_the_generator_can_be_built_with_the_authors_batch_norm() -> None:
    net = Generator(replace(FULL.remove.generator, norm="batch", encoder=(4, 8), decoder=(4,)))
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in net.modules()) == 6


@pytest.mark.parametrize("form", ["residual", "additive"])
def test_a_fresh_generator_of_changes_changes_nothing(form) -> None:
    net = Generator(GeneratorConfig(form, (4, 8), (4,), "none"))
    images = torch.rand(2, 1, 16, 12)
    torch.testing.assert_close(net(images), images, rtol=0, atol=1e-6)


def test_a_residual_change_draws_no_line_along_the_edge() -> None:
    torch.manual_seed(0)
    net = Generator(GeneratorConfig("residual", (4, 8), (4,), "none", padding="replicate"))
    nn.init.normal_(net.last.weight)
    change = net.raw(torch.full((1, 1, 32, 24), 0.4)).detach()
    torch.testing.assert_close(change, change[0, 0, 16, 12].expand_as(change), rtol=0, atol=1e-5)


def test_black_and_white_stay_what_they_are_whatever_the_change() -> None:
    images = torch.tensor([0.0, 1.0, 0.25]).view(1, 1, 1, 3)
    moved = shift_logit(images, torch.full_like(images, 3.0))
    assert moved[0, 0, 0, :2].tolist() == [0.0, 1.0]
    # 0.25 has odds 1/3; times e³ they are 6.695, and 6.695 / 7.695 = 0.8701.
    assert moved[0, 0, 0, 2].item() == pytest.approx(0.8701, abs=1e-4)


def test_the_additive_form_moves_black_and_white_as_far_as_grey() -> None:
    net = Generator(GeneratorConfig("additive", (4, 8), (4,), "none"))
    images = torch.tensor([0.0, 0.5, 1.0]).view(1, 1, 1, 3).repeat(1, 1, 8, 2)
    for change, expected in ((0.25, [0.25, 0.75, 1.0]), (-0.25, [0.0, 0.25, 0.75])):
        nn.init.constant_(net.last.bias, change)
        assert net(images)[0, 0, 0, :3].tolist() == expected


def test_the_discriminator_is_the_classifier_with_one_new_neuron() -> None:
    classifier = VggClassifier(PRESETS["demo"].classifier)
    discriminator = discriminator_from(classifier, dropout=0.0)
    for name, value in classifier.state_dict().items():
        if not name.startswith("output"):
            assert torch.equal(discriminator.state_dict()[name], value)
    assert discriminator.output.out_features == 1
    discriminator.fnet.convolutions[0].weight.data.zero_()
    assert classifier.fnet.convolutions[0].weight.abs().sum() > 0  # a copy, not the same layer


def test_vgg_weights_are_taken_from_a_torchvision_state_dict(tmp_path) -> None:
    config: ClassifierConfig = FULL.classifier
    config = replace(config, fnet_convolutions=(), fnet_dense=())
    source = VggClassifier(config)
    torch.save({f"features.{name}": v for name, v in source.vnet.state_dict().items()}, tmp_path / "vgg11.pth")
    fresh = VggClassifier(config)
    load_vgg(fresh, tmp_path / "vgg11.pth")
    assert all(torch.equal(v, fresh.vnet.state_dict()[name]) for name, v in source.vnet.state_dict().items())
    with pytest.raises(WrongCheckpoint, match="three channels and full width"):
        load_vgg(VggClassifier(PRESETS["demo"].classifier), tmp_path / "vgg11.pth")


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (lambda path: None, "There is no file of weights"),
        (lambda path: path.write_bytes(b"\x89PNG not weights"), "holds no weights that can be read"),
        (lambda path: torch.save([torch.zeros(3)], path), "holds no state dict"),
        (lambda path: torch.save({"epoch": 3, "state_dict": {}}, path), "holds no state dict"),
        (lambda path: torch.save({"features.0.weight": torch.zeros(3)}, path), "first misfit: 0.weight"),
    ],
)
def test_a_wrong_file_of_weights_is_refused_with_a_sentence(tmp_path, write, sentence) -> None:
    write(tmp_path / "weights.pth")
    with torch.device("meta"):
        net = VggClassifier(FULL.classifier)
    with pytest.raises(WrongCheckpoint, match=sentence):
        load_vgg(net, tmp_path / "weights.pth")
