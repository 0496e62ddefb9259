"""The compact family in every training: classifier, both GANs, cross-validation, detector, inpainter."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.ndimage import gaussian_filter, zoom

from models_ml.config import AdversarialTraining, Length
from models_ml.data.images import ImageSet, to_tensor
from models_ml.evaluation.detector import DetectorConfig, load_detector
from models_ml.evaluation.predictions import scores
from models_ml.evaluation.trivial_controls import FileHeader
from models_ml.networks.compact import CompactClassifier
from models_ml.networks.inpainting import salient_places
from models_ml.presets import PRESETS
from models_ml.runs.checkpoint import WEIGHTS, load_classifier, load_generator, read_provenance
from models_ml.runtime.progress import silent
from models_ml.training.classifier import train_classifier
from models_ml.training.cross_validation import CrossValidation, cross_validate
from models_ml.training.detector import train_detector
from models_ml.training.gan import train_gan
from models_ml.training.gan_networks import GanNetworks
from models_ml.training.inpainting import inpainting_config, load_inpainter, train_inpainting
from readerstudy.imaging.image import WHITE, quantise
from readerstudy.imaging.resize import fit
from readerstudy.results.progress import Activity
from readerstudy.statistics.roc import auc
from tests.models_ml import tiny

CPU = torch.device("cpu")


class Killed(Exception):
    """Stands for the power cut."""


def killed_at_the_fifth(done: int, total: int, activity: Activity, values: dict[str, float], /) -> None:
    if done == 5:
        raise Killed


def same_weights(one: Path, other: Path) -> bool:
    a, b = load_file(one / WEIGHTS), load_file(other / WEIGHTS)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def spots(count: int) -> ImageSet:
    """Clouds and grain at 512 × 512, every third picture with a soft spot, at the preset's size."""
    chance, (y, x) = np.random.default_rng(3), np.mgrid[:512, :512]
    labels = (np.arange(count) % 3 == 0).astype(np.int64)
    pixels = []
    for label in labels:
        clouds = zoom(gaussian_filter(chance.standard_normal((64, 64)), 5), 8, order=1)
        values = 0.35 + 0.06 * clouds / clouds.std() + 0.06 * chance.standard_normal((512, 512))
        (row, column), size = chance.uniform(60, 452, 2), chance.uniform(12, 18)
        values += label * 0.2 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * size**2))
        pixels.append(fit(quantise(values.clip(0, 1) * WHITE), (128, 128)))
    names = np.array([f"P{number:03d}" for number in range(count)])
    splits = np.array([("train", "train", "train", "tuning", "test")[number % 5] for number in range(count)])
    return ImageSet(np.stack(pixels), labels, names, splits, names)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compact") / "target"
    config = replace(tiny.compact_config(80), precision="fp32")
    train_classifier(tiny.images(), config, seed=6, folder=folder, report=silent)
    return folder


def test_it_learns_to_see_a_bright_spot(target: Path) -> None:
    test, net = tiny.images(seed=9).subset("test"), load_classifier(target)
    assert isinstance(net, CompactClassifier)
    assert auc(scores(net, test.pixels), test.labels) > 0.95


def test_the_preset_finds_a_round_spot_in_large_noisy_pictures(tmp_path: Path) -> None:
    """In float32, and with a sixth of the preset's work: kinds of processors multiply bfloat16 differently."""
    images, config = spots(120), PRESETS["compact"].classifier
    config = replace(
        config, length=Length(steps=100), images_per_class=4, keep_from=Length(steps=100), precision="fp32"
    )
    train_classifier(images, config, seed=1, folder=tmp_path, report=silent)
    test = images.subset("test")
    assert auc(scores(load_classifier(tmp_path), test.pixels), test.labels) > 0.9


def test_a_killed_run_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    given = {"config": tiny.compact_config(), "seed": 3}
    train_classifier(tiny.images(), folder=tmp_path / "whole", report=silent, **given)
    with pytest.raises(Killed):
        train_classifier(tiny.images(), folder=tmp_path / "cut", report=killed_at_the_fifth, **given)
    train_classifier(tiny.images(), folder=tmp_path / "cut", report=silent, **given)
    assert same_weights(tmp_path / "whole", tmp_path / "cut")


def test_its_trunk_rests_as_long_as_the_settings_say(tmp_path: Path) -> None:
    for name, rest in (("never", 0), ("always", 99)):
        config = replace(tiny.compact_config(4), fnet_only=Length(steps=rest))
        train_classifier(tiny.images(), config, seed=3, folder=tmp_path / name, report=silent)
    never, always = (load_file(tmp_path / name / WEIGHTS) for name in ("never", "always"))
    moved = {name for name in never if not torch.equal(never[name], always[name])}
    assert "convolutions.0.weight" in moved
    with torch.random.fork_rng():
        config = replace(tiny.compact_config(1), fnet_only=Length(steps=99))
        train_classifier(tiny.images(), config, seed=3, folder=tmp_path / "start", report=silent)
    start = load_file(tmp_path / "start" / WEIGHTS)
    assert torch.equal(start["convolutions.0.weight"], always["convolutions.0.weight"])
    assert not torch.equal(start["dense.0.weight"], always["dense.0.weight"])


@pytest.mark.parametrize("direction", ["remove", "insert"])
def test_a_gan_s_discriminator_is_made_from_it(target: Path, tmp_path: Path, direction: str) -> None:
    given = {"direction": direction, "classifier": target, "config": tiny.gan_config(direction), "seed": 4}
    result = train_gan(tiny.images(), folder=tmp_path / "gan", report=silent, **given)
    assert [stage["number"] for stage in result.stages] == [1, 2, 3, 4, 5]
    assert result.refused_steps == 0
    images = to_tensor(tiny.images().pixels[:4], CPU)
    assert not torch.equal(load_generator(tmp_path / "gan")(images), images)
    with pytest.raises(Killed):
        train_gan(tiny.images(), folder=tmp_path / "cut", report=killed_at_the_fifth, **given)
    train_gan(tiny.images(), folder=tmp_path / "cut", report=silent, **given)
    assert same_weights(tmp_path / "gan", tmp_path / "cut")


def test_only_the_parts_of_a_stage_learn(target: Path) -> None:
    config = tiny.gan_config()
    networks = GanNetworks(load_classifier(target), config, 1, CPU)
    learns = {}
    for stage in config.stages:
        networks.start_stage(stage)
        net = networks.discriminator
        parts = (net.output, net.inner, net.trunk)
        learns[stage.number] = [all(p.requires_grad for p in part.parameters()) for part in parts]
    rests, first, both, every = [False] * 3, [True, False, False], [True, True, False], [True] * 3
    assert learns == {1: rests, 2: first, 3: first, 4: both, 5: every}


def test_adversarial_training_gives_other_weights(tmp_path: Path) -> None:
    plain = tiny.compact_config(6)
    attacked = replace(plain, adversarial_training=AdversarialTraining(growth_start=0, growth_end=0))
    for name, config in (("plain", plain), ("attacked", attacked)):
        train_classifier(tiny.images(), config, seed=3, folder=tmp_path / name, report=silent)
    assert not same_weights(tmp_path / "plain", tmp_path / "attacked")


def test_cross_validation_trains_and_tests_it(tmp_path: Path) -> None:
    images = tiny.images()
    gans = {direction: tiny.gan_config(direction) for direction in ("remove", "insert")}
    how = CrossValidation(tiny.compact_config(4), gans, folds=3, seed=5)
    strata = np.where(images.labels == 1, "positive", "normal")
    headers = [FileHeader(16, 12, 12)] * len(images)
    found = cross_validate(images, headers, strata, how, folder=tmp_path, report=silent)
    assert found.pooled.images == len(images)
    assert read_provenance(tmp_path / "fold-2").config["family"] == "compact"


def test_it_can_be_a_detector(tmp_path: Path) -> None:
    config = DetectorConfig(tiny.compact_config(4), ("pgd",))
    train_detector(tiny.images(), config, seed=1, folder=tmp_path / "detector", report=silent)
    detector, stored = load_detector(tmp_path / "detector")
    assert isinstance(detector, CompactClassifier)
    assert stored == config


def test_it_guides_the_inpainter_to_the_spot(target: Path, tmp_path: Path) -> None:
    net, images = load_classifier(target), tiny.images()
    positives = to_tensor(images.pixels[images.rows("test", 1)], CPU)
    places = salient_places(net, positives, radius=2.0)
    assert (np.abs(places - (13.5, 11.5)) <= 6).all()  # the spot's rows are 10…17, its columns 8…15
    small = {"radius": 0.15, "surround": 2.0, "channels": (4, 6), "images_per_class": 2, "steps": 4}
    config = inpainting_config(net, "remove", **small)
    train_inpainting(
        images, direction="remove", classifier=target, seed=2, folder=tmp_path, report=silent, config=config
    )
    assert isinstance(load_inpainter(tmp_path).classifier, CompactClassifier)
