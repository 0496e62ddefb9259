"""What a run leaves behind: frozen settings, hashes, a card, samples; and how stages end."""

import json
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
import torch
from PIL import Image

from models_ml.config import IMAGENET_MEAN, IMAGENET_SD, Length
from models_ml.data.prefetch import prefetched
from models_ml.errors import WrongImages
from models_ml.presets import PRESETS
from models_ml.runs import checkpoint
from models_ml.runtime.device import images_at_once
from models_ml.runtime.progress import silent
from models_ml.training.classifier import train_classifier
from models_ml.training.gan import train_gan
from readerstudy.results.progress import ActivityKind
from tests.models_ml import tiny


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A classifier, and a GAN by the rules and by epochs, whose first criterion holds from the first step."""
    folder = tmp_path_factory.mktemp("runs")
    images = tiny.images()
    train_classifier(images, tiny.classifier_config(steps=4), seed=1, folder=folder / "classifier", report=silent)
    for ends in ("rules", "epochs"):
        config = replace(tiny.gan_config(), ends=ends, sample_every=Length(steps=5))
        train_gan(
            images,
            direction="insert",
            classifier=folder / "classifier",
            config=config,
            seed=2,
            folder=folder / ends,
            report=silent,
        )
    return folder


def test_the_settings_are_frozen_with_the_hashes_of_split_and_images(runs):
    run = json.loads((runs / "rules" / "config.json").read_text())
    images = tiny.images()
    assert run["config"]["stages"][4]["stop"]["bound"] == 0.01
    assert (run["split_hash"], run["data_hash"]) == (images.split_hash(), images.data_hash())
    assert run["classifier"] == checkpoint.sha256(runs / "classifier" / checkpoint.WEIGHTS)
    assert run["images"] == {
        f"{split} {name}": len(images.rows(split, label))
        for split in ("train", "tuning", "test")
        for label, name in ((1, "positive"), (0, "other"))
    }


def test_one_changed_pixel_is_another_data_hash_and_the_order_is_not():
    images = tiny.images()
    turned = np.arange(len(images))[::-1]
    columns = (images.labels, images.patients, images.splits, images.keys)
    assert type(images)(images.pixels[turned], *(c[turned] for c in columns)).data_hash() == images.data_hash()
    pixels = images.pixels.copy()
    pixels[3, 5, 7] += 1
    assert type(images)(pixels, *columns).data_hash() != images.data_hash()


def test_the_card_says_what_it_is_for_and_what_it_is_not_for(runs):
    card = (runs / "rules" / "card.md").read_text()
    assert card.startswith("# rules\n\nGenerator of adversarial images, insert, preset tiny, seed 2.")
    assert "Not for diagnosis" in card
    assert "Stage 1: 2 steps, criterion met: identity below 0.002" in card
    assert f"- images (SHA-256): {tiny.images().data_hash()}" in card


def test_samples_show_real_adversarial_and_difference_side_by_side(runs):
    samples = sorted((runs / "epochs" / "samples").iterdir())
    assert [path.name for path in samples] == [
        "step-000003-stage-1.png",  # a stage's end
        "step-000005-stage-2.png",  # every fifth step
        "step-000007-stage-2.png",
        "step-000009-stage-3.png",
        "step-000010-stage-4.png",
        "step-000011-stage-4.png",
        "step-000015-stage-5.png",
        "step-000017-stage-5.png",
    ]
    with Image.open(samples[0]) as picture:
        assert (picture.width, picture.height) == (3 * tiny.COLUMNS + 8, 2 * (tiny.ROWS + 4))
        picture = np.asarray(picture)
    real, fake = picture[: tiny.ROWS, : tiny.COLUMNS], picture[: tiny.ROWS, tiny.COLUMNS + 4 : 2 * tiny.COLUMNS + 4]
    assert np.abs(real.astype(int) - fake).max() <= 1  # the identity was all that stage 1 learnt


def test_a_stage_ends_by_its_rule_or_by_its_epochs_and_both_are_recorded(runs):
    by_rules, by_epochs = (checkpoint.read_provenance(runs / ends).stages for ends in ("rules", "epochs"))
    assert (by_rules[0]["steps"], by_rules[0]["met"], by_rules[0]["criterion_first_met"]) == (2, True, 2)
    assert [stage["steps"] for stage in by_epochs] == [3, 4, 2, 2, 6]
    assert by_epochs[0]["criterion_first_met"] == 2
    assert by_epochs[0]["reason"] == {"kind": "by-epochs", "criterion": None}


def test_a_gan_that_spares_the_background_wants_to_know_where_it_is(runs, tmp_path):
    config = replace(tiny.gan_config(), keep_background=True)
    given = {"direction": "insert", "classifier": runs / "classifier", "config": config, "seed": 2, "report": silent}
    with pytest.raises(WrongImages, match="come without weights"):
        train_gan(tiny.images(), folder=tmp_path / "without", **given)
    images = tiny.images()
    weights = np.zeros(images.pixels.shape, np.uint8)
    train_gan(replace(images, weights=weights), folder=tmp_path / "shut", **given)
    with Image.open(sorted((tmp_path / "shut" / "samples").iterdir())[-1]) as picture:
        strip = np.asarray(picture)[: tiny.ROWS]
    assert (strip[:, : tiny.COLUMNS] == strip[:, tiny.COLUMNS + 4 : 2 * tiny.COLUMNS + 4]).all()


def test_training_from_scratch_at_the_article_s_rates_says_what_to_expect(tmp_path):
    config = replace(tiny.classifier_config(steps=1), mean=IMAGENET_MEAN, sd=IMAGENET_SD, width=1.0)
    told = []
    train_classifier(tiny.images(), config, seed=1, folder=tmp_path, report=lambda *said: told.append(said[2].kind))
    assert told == [ActivityKind.STARTING_FROM_SCRATCH, ActivityKind.TRAINING_CLASSIFIER]


@pytest.mark.parametrize("name", ["zhou2021-low", "zhou2021-high"])
def test_the_article_s_presets_walk_the_whole_schedule(name):
    preset = PRESETS[name]
    assert (preset.classifier.fnet_only.epochs, preset.classifier.length.epochs) == (41, 301)
    for gan in (preset.remove, preset.insert):
        assert [stage.limit.epochs for stage in gan.stages] == [11, 10, 10, 300, 270]
        assert [stage.discriminator for stage in gan.stages] == ["none", "output", "output", "fnet", "all"]
        assert gan.ends == "rules"


def test_what_is_made_ready_ahead_comes_in_order_with_its_number():
    made = {number: Event() for number in (5, 6, 7)}
    walk = iter(prefetched(lambda number, thing: made[number].set() or thing * 10, enumerate([1, 2, 3], start=5)))
    assert next(walk) == (5, 10)
    assert made[6].wait(timeout=120)  # nobody asked for it yet
    assert not made[7].is_set()
    assert list(walk) == [(6, 20), (7, 30)]
    assert list(prefetched(lambda number, thing: thing, enumerate([]))) == []


def test_a_batch_is_cut_by_what_the_memory_holds():
    cpu = torch.device("cpu")
    assert images_at_once(3, 10**9, 850, torch.bfloat16, cpu) == 3  # as wanted
    assert images_at_once(0, 1728 * 1408, 850, torch.bfloat16, cpu) == 1
    assert images_at_once(0, 1024 * 832, 850, torch.bfloat16, cpu) == 2
    assert images_at_once(0, 1024 * 832, 850, torch.float32, cpu) == 1
