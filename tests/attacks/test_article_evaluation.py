"""Attacks of the article's presets are evaluated without post-processing, and with it beside."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from attacks.constraints.post_processing import STEPS
from attacks.generative.gan import GanAttack
from attacks.tasks.evaluating import _attack_images
from models_ml.networks.generator import Generator
from models_ml.presets import PRESETS, Preset
from models_ml.runs import checkpoint
from readerstudy import serialise
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind
from readerstudy.imaging.png16 import decode_png
from readerstudy.truth.queries import real_images
from tests import make
from tests.models_ml import tiny

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]

NAMES = ["gan-insert", "gan-remove"]
WITHOUT = dict.fromkeys(STEPS, False)


@pytest.fixture
def cohort(settings, tmp_path, monkeypatch):
    """A cohort with adversarial images by two plain generators of a preset of the article."""
    settings.RUNS_DIR = str(tmp_path)
    cohort = make.cohort()
    make.adversarial_images_for(cohort)
    rows, columns = cohort.size_of("low")
    for name in NAMES:
        direction = name.removeprefix("gan-")
        config = replace(tiny.gan_config(direction, form="plain"), preset="article", rows=rows, columns=columns)
        settings_of_run = {"split_hash": "", "data_hash": "", "config": serialise.to_dict(config)}
        description = checkpoint.Provenance(
            kind="generator",
            preset="article",
            seed=1,
            code_version="",
            torch_version="",
            device="cpu",
            precision="fp32",
            metrics={},
            history=[],
            direction=direction,
            **settings_of_run,
        )
        checkpoint.write_run(tmp_path / name, description, Generator(config.generator))
        checkpoint.write_weights(tmp_path / name / checkpoint.CONTROL, Generator(config.generator))
        Checkpoint.objects.create(
            name=name,
            kind=CheckpointKind.GENERATOR,
            cohort=cohort.name,
            preset="article",
            direction=direction,
            seed=1,
            split_hash="",
            code_version="",
            folder=name,
            made_at=make.MONDAY,
        )
    monkeypatch.setitem(PRESETS, "article", preset(is_article=True))
    return cohort


def preset(*, is_article: bool) -> Preset:
    return Preset("article", tiny.classifier_config(), tiny.gan_config(), tiny.gan_config("insert"), is_article)


def store_attacks(cohort, **settings) -> None:
    for name in NAMES:
        run = Checkpoint.named(name, CheckpointKind.GENERATOR)
        values = {"method": "gan", "direction": run.direction, "generator": run, "cohort": cohort.name}
        Attack.objects.create(name=name, settings=settings, seed=1, code_version="", made_at=make.MONDAY, **values)


def images_of(cohort):
    return _attack_images(cohort, "low", NAMES, cohort.size_of("low"))


def test_the_article_s_presets_and_no_others_are_the_article():
    assert {name for name, preset in PRESETS.items() if preset.is_article} == {"zhou2021-low", "zhou2021-high"}


def test_what_is_drawn_beside_the_files_is_the_generator_alone(cohort, tmp_path):
    unprocessed = images_of(cohort).unprocessed
    assert set(unprocessed) == {0, 1}
    for label, name in ((0, "gan-insert"), (1, "gan-remove")):
        pixels = decode_png(next(image.path for image in real_images(cohort, "low") if image.label == label))
        own = GanAttack.load(tmp_path / name)
        assert np.array_equal(unprocessed[label](pixels), own(pixels))
        identity = images_of(cohort).identity[label]
        assert not np.array_equal(identity(pixels), own(pixels))


def test_attacks_by_one_generator_share_what_it_draws(cohort):
    load = cache(GanAttack.load)
    first, second = (_attack_images(cohort, "low", NAMES, cohort.size_of("low"), load=load) for _ in range(2))
    for label in (0, 1):
        for drawings in (first.beside, second.beside):
            assert all(drawings.values())
        assert {first.sham[label], first.identity[label]} == {second.sham[label], second.identity[label]}


@pytest.mark.parametrize(
    ("steps", "labels"),
    [
        ({}, {0, 1}),
        ({"keep_range": False}, {0, 1}),
        (WITHOUT, set()),  # the files are the article's images already
        ({**WITHOUT, "strength": "least"}, {0, 1}),
    ],
)
def test_it_is_drawn_only_where_the_files_differ(cohort, steps, labels):
    store_attacks(cohort, **steps)
    assert set(images_of(cohort).unprocessed) == labels


def test_other_presets_are_evaluated_from_their_files_alone(cohort, monkeypatch):
    monkeypatch.setitem(PRESETS, "article", preset(is_article=False))
    assert images_of(cohort).unprocessed == {}
