"""Every training step against the literal formulas, in float64: the same loss, the same gradient of every weight."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from models_ml.config import Convolution
from models_ml.networks import build, discriminator_from
from models_ml.networks.classifier import Classifier
from models_ml.networks.generator import Generator
from models_ml.training.passes import Autograd, HandWritten, Penalty, passes_of
from models_ml.training.steps import ClassifierStep, DiscriminatorStep, GeneratorStep, generate
from tests.models_ml import literal, tiny

# The article's build, narrow: three channels, convolutions without norm and with a stride, three dense layers.
ARTICLE = replace(
    tiny.classifier_config(),
    rows=64,
    columns=48,
    mean=(0.485, 0.456, 0.406),
    sd=(0.229, 0.224, 0.225),
    vnet_layers=8,
    fnet_convolutions=(Convolution(12, stride=2), Convolution(16)),
    fnet_dense=(16, 8),
    penalty_weight=0.7,
    penalty_every=1,
)
DEMO = replace(tiny.classifier_config(), rows=64, columns=48, penalty_weight=0.7, penalty_every=3)
COMPACT = replace(tiny.compact_config(), rows=64, columns=48, penalty_weight=0.7, penalty_every=3)
CONFIGS = pytest.mark.parametrize("config", [ARTICLE, DEMO, COMPACT], ids=["article", "demo", "compact"])
F64 = torch.float64


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(7)
        yield


def pictures(count: int, config=ARTICLE) -> torch.Tensor:
    return torch.rand(count, 1, config.rows, config.columns, dtype=F64)


def pictures_of(seed: int) -> torch.Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.rand(3, 1, ARTICLE.rows, ARTICLE.columns, dtype=F64, generator=chance)


def classifier_of(config) -> Classifier:
    net = build(config).double().train()
    for parameter in net.parameters():  # zero biases would hide what comes to them
        nn.init.normal_(parameter, std=0.3) if parameter.ndim == 1 else None
    return net


def gradients_of(network: nn.Module, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    network.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def assert_alike(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        size = gradient.abs().max()
        assert size > 0, f"{name} has no gradient to compare"
        torch.testing.assert_close(found[name], gradient, rtol=1e-8, atol=1e-10 * float(size), msg=name)


@CONFIGS
@pytest.mark.parametrize("at_once", [0, 1, 3])
def test_the_classifier_s_step_is_that_of_the_formulas_however_the_batch_is_cut(config, at_once):
    net = classifier_of(config)
    positives, negatives, seeds = pictures(3), pictures(3), [11, 12, 13, 14, 15, 16]
    expected = literal.classifier_loss(net, positives, negatives, config, seeds)
    wanted = gradients_of(net, expected)
    step = ClassifierStep(net, replace(config, images_at_once=at_once), F64)
    loss = step(torch.cat([positives, negatives]), torch.tensor([1] * 3 + [0] * 3), seeds, True)
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=0)
    assert_alike(gradients_of(net, loss), wanted)


@CONFIGS
def test_a_step_without_the_penalty_leaves_it_out(config):
    net = classifier_of(config)
    positives, negatives, seeds = pictures(2), pictures(2), [1, 2, 3, 4]
    free = replace(config, penalty_weight=0.0)
    expected = literal.classifier_loss(net, positives, negatives, free, seeds)
    wanted = {name: g for name, g in gradients_of(net, expected).items() if g.abs().max() > 0}
    step = ClassifierStep(net, config, F64)
    loss = step(torch.cat([positives, negatives]), torch.tensor([1, 1, 0, 0]), seeds, False)
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=0)
    assert step.focal == pytest.approx(expected.item())
    assert_alike(gradients_of(net, loss), wanted)


@CONFIGS
@pytest.mark.parametrize("part", ["output", "fnet", "all"])
def test_what_rests_gets_no_gradient_and_the_rest_the_same(config, part):
    net = discriminator_from(classifier_of(config), 0.2).double().train()
    net.inner.requires_grad_(part != "output")
    net.trunk.requires_grad_(part == "all")
    gan = replace(tiny.gan_config(), penalty_weight=0.7, penalty_every=1)
    x, fakes, seeds = pictures(2), pictures(2), [1, 2, 3, 4]
    expected = literal.discriminator_loss(net, x, fakes, gan, seeds)
    wanted = gradients_of(net, expected)
    step = DiscriminatorStep(net, gan, F64)
    loss = step(x, fakes, seeds, True)
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=0)
    assert_alike(gradients_of(net, loss), wanted)


@pytest.mark.parametrize("lift", [-8.0, 8.0], ids=["above one", "below one"])
def test_the_stabiliser_pulls_on_both_sides_of_one(lift):
    net = discriminator_from(classifier_of(ARTICLE), 0.0).double().train()
    nn.init.constant_(net.output.bias, lift)
    gan = replace(tiny.gan_config(), penalty_weight=0.0, penalty_every=1)
    x, fakes, seeds = pictures(2), pictures(2), [1, 2, 3, 4]
    expected = literal.discriminator_loss(net, x, fakes, gan, seeds)
    wanted = {name: g for name, g in gradients_of(net, expected).items() if g.abs().max() > 0}
    loss = DiscriminatorStep(net, gan, F64)(x, fakes, seeds, False)
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=0)
    assert_alike(gradients_of(net, loss), wanted)


@pytest.mark.parametrize("norm", ["group", "batch", "none"])
@pytest.mark.parametrize("form", ["plain", "residual", "additive"])
@pytest.mark.parametrize("adversarial", [True, False])
@pytest.mark.parametrize("family", [ARTICLE, COMPACT], ids=["vgg", "compact"])
def test_the_generator_s_step_is_that_of_the_formulas(norm, form, adversarial, family):
    config = tiny.gan_config(form=form)
    corners = form == "plain"  # as in the article's presets
    settings = replace(config.generator, norm=norm, norm_groups=2, align_corners=corners)
    config = replace(config, images_at_once=1, generator=settings)
    generator = Generator(config.generator).double().train()
    nn.init.normal_(generator.last.weight, std=0.1)
    net = discriminator_from(classifier_of(family), 0.2).double().train()
    y, seeds = pictures(3), [5, 6, 7]
    expected = literal.generator_loss(generator, net, y, config, seeds, adversarial=adversarial)
    wanted = {name: g for name, g in gradients_of(generator, expected).items() if g.abs().max() > 1e-12}
    step = GeneratorStep(generator, net, config, F64)
    loss = step(y, seeds, adversarial)
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=0)
    found = {name: g for name, g in gradients_of(generator, loss).items() if name in wanted}
    assert_alike(found, wanted)
    assert all(p.grad is None for p in step.discriminators[0].parameters()) or adversarial


def test_what_may_not_be_changed_is_not_changed_and_teaches_nothing():
    config = tiny.gan_config(form="plain")
    generator = Generator(config.generator).double().train()
    net = discriminator_from(classifier_of(ARTICLE), 0.0).double().train()
    image = pictures(2)
    bound = torch.cat([image, torch.zeros_like(image)], dim=1)
    bound[:, 1, 8:24, 8:24] = 1.0
    fakes = generate(generator, bound)
    assert torch.equal(fakes[bound[:, 1:] == 0], image[bound[:, 1:] == 0])
    assert (fakes != image)[:, :, 8:24, 8:24].all()
    assert torch.equal(fakes[:, :, 8:24, 8:24], generate(generator, image)[:, :, 8:24, 8:24])
    step = GeneratorStep(generator, net, config, F64)
    shut = torch.cat([image, torch.zeros_like(image)], dim=1)
    assert all((gradient == 0).all() for gradient in gradients_of(generator, step(shut, [1, 2], True)).values())


@pytest.mark.parametrize("config", [ARTICLE, DEMO], ids=["article", "demo"])
@pytest.mark.parametrize("penalised", [True, False])
def test_autograd_and_the_hand_written_passes_agree(config, penalised):
    net = discriminator_from(classifier_of(config), 0.0).double().train()
    x = net.normalise(pictures(3))
    penalty = Penalty(0.7, 4.0, 3) if penalised else None
    results = []
    for passes in (HandWritten(net, F64), Autograd(net, F64)):
        gradients = {}
        loss, cost = passes.learn(x, lambda scores: scores.square().mean(), penalty, gradients)
        named = {name: gradients[p] for name, p in net.named_parameters() if p in gradients}
        results.append((loss, cost, named, *passes.pull(pictures_of(5))))
    (loss, cost, by_hand, fooling, pull), (*values, automatic, other_fooling, other_pull) = results
    assert (cost > 0) == penalised
    for one, other in zip((loss, cost, fooling, pull), (*values, other_fooling, other_pull), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-14)
    assert_alike(automatic, by_hand)


def test_only_the_vgg_has_passes_by_hand():
    assert isinstance(passes_of(classifier_of(DEMO), F64), HandWritten)
    assert isinstance(passes_of(classifier_of(COMPACT), F64), Autograd)


def test_bfloat16_points_the_same_way():
    net = classifier_of(ARTICLE)
    images, labels, seeds = pictures(4), torch.tensor([1, 1, 0, 0]), [1, 2, 3, 4]
    wanted = gradients_of(net, ClassifierStep(net, ARTICLE, F64)(images, labels, seeds, True))
    net.float()
    found = gradients_of(net, ClassifierStep(net, ARTICLE, torch.bfloat16)(images.float(), labels, seeds, True))
    for name, gradient in wanted.items():
        alike = torch.cosine_similarity(found[name].double().flatten(), gradient.flatten(), dim=0)
        assert alike > 0.95, name
