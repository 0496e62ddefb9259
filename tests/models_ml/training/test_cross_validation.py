"""Cross-validation by patient: assignment to folds, and pooled results."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models_ml.errors import LabError
from models_ml.evaluation.predictions import scores, youden_threshold
from models_ml.evaluation.trivial_controls import FileHeader
from models_ml.runs.checkpoint import load_classifier, read_provenance
from models_ml.runtime.progress import silent
from models_ml.training import cross_validation as module
from models_ml.training.classifier import train_classifier
from models_ml.training.cross_validation import (
    CrossValidation,
    FoldScores,
    adversarial_pixels,
    assign_folds,
    controls_over_folds,
    cross_validate,
    fold_splits,
    pooled,
)
from models_ml.training.gan import train_gan
from readerstudy.results.evaluation import ControlName
from readerstudy.serialise import to_dict
from readerstudy.statistics.roc import auc
from tests.models_ml import tiny

NAMES = np.array([f"P{number:02d}" for number in range(23)]).repeat(2)
WORST = np.array(["positive"] * 7 + ["other"] * 6 + ["normal"] * 10).repeat(2)


def test_a_patient_is_in_one_fold_and_every_pathology_is_spread_evenly():
    fold = assign_folds(NAMES, WORST, folds=5, seed=3)
    assert all(len(set(fold[name == NAMES])) == 1 for name in NAMES)
    for stratum in ("positive", "other", "normal"):
        counts = np.bincount(fold[stratum == WORST], minlength=5) / 2
        assert counts.max() - counts.min() <= 1
    sizes = np.bincount(fold, minlength=5) / 2
    assert sizes.max() - sizes.min() <= 1


def test_folds_depend_on_the_seed_alone():
    fold = assign_folds(NAMES, WORST, folds=5, seed=3)
    turned = assign_folds(NAMES[::-1], WORST[::-1], folds=5, seed=3)
    np.testing.assert_array_equal(fold, turned[::-1])
    assert (fold != assign_folds(NAMES, WORST, folds=5, seed=4)).any()


def test_every_patient_is_tested_once_and_never_trained_or_tuned_on_then():
    fold = assign_folds(NAMES, WORST, folds=4, seed=1)
    splits = np.stack([fold_splits(fold, number, 4) for number in range(4)])
    assert ((splits == "test").sum(axis=0) == 1).all()
    assert ((splits == "tuning").sum(axis=0) == 1).all()
    assert ((splits == "train").sum(axis=0) == 2).all()


def test_too_few_folds_or_patients_are_refused():
    with pytest.raises(LabError, match="at least 3 folds"):
        assign_folds(NAMES, WORST, folds=2, seed=1)
    with pytest.raises(LabError, match="Cannot split 2 patients into 3"):
        assign_folds(NAMES[:4], WORST[:4], folds=3, seed=1)


def by_hand():
    images = tiny.images()
    first, second = np.arange(0, 20), np.arange(20, 40)
    chance = np.random.default_rng(0)
    made = [
        FoldScores(0, first, 0.3, chance.random(20), chance.random(20)),
        FoldScores(1, second, 0.6, chance.random(20), chance.random(20)),
    ]
    return images, made


def test_pooled_figures_use_each_folds_own_threshold():
    images, made = by_hand()
    found = pooled(images, made, replicates=50)
    score, fake = (np.concatenate([getattr(fold, name) for fold in made]) for name in ("score", "adversarial"))
    assert found.pooled_auc.value == auc(score, images.labels)
    assert found.mean_auc == pytest.approx(np.mean([auc(fold.score, images.labels[fold.rows]) for fold in made]))
    assert found.pooled.auc_flipped.value == auc(fake, 1 - images.labels)
    (decisions,) = found.pooled.decisions
    own = np.repeat([0.3, 0.6], 20)
    called, called_fake, positive = score > own, fake > own, images.labels == 1
    assert decisions.fooled.trials == (called == positive).sum()
    assert decisions.fooled.hits == ((called == positive) & (called_fake != positive)).sum()


def test_a_fold_that_tests_one_class_only_has_no_auc():
    images, made = by_hand()
    benign = np.flatnonzero(images.labels == 0)[:4]
    rest = np.setdiff1d(np.arange(40), benign)
    uneven = [
        replace(made[0], rows=benign, score=np.full(4, 0.1), adversarial=None),
        replace(made[1], rows=rest, score=np.linspace(0, 1, 36), adversarial=None),
    ]
    found = pooled(images, uneven, replicates=50)
    assert found.folds[0].auc is None
    assert found.mean_auc == found.folds[1].auc.value
    assert found.pooled is None


def telling_headers(images, share=1.0):
    """Positive images come from 12-bit files, and this share of the others from 16-bit files."""
    chance = np.random.default_rng(1).random(len(images))
    return [
        FileHeader(16, 12, 12 if label or late > share else 16)
        for label, late in zip(images.labels, chance, strict=True)
    ]


def split_folds(images, folds=4):
    strata = np.where(images.labels == 1, "positive", "normal")
    fold = assign_folds(images.patients, strata, folds=folds, seed=2)
    return [replace(images, splits=fold_splits(fold, number, folds)) for number in range(folds)]


def controls_of(images, headers):
    return {control.name: control for control in controls_over_folds(split_folds(images), headers, replicates=200)}


def test_a_planted_header_that_tells_is_seen_over_all_folds():
    images = tiny.images()
    told = controls_of(images, telling_headers(images))[ControlName.HEADER]
    assert (told.auc.value, told.values, told.is_above_chance) == (1.0, 2, True)
    partly = controls_of(images, telling_headers(images, share=0.5))[ControlName.HEADER]
    assert 0.5 < partly.auc.value < 1


def test_one_header_for_all_images_is_exactly_chance_over_folds():
    """The folds differ in their share of positive images, which must not become a score."""
    images = tiny.images()
    uneven = replace(images, labels=np.arange(len(images)) % 10 < 4)
    uneven = replace(uneven, labels=uneven.labels.astype(np.int64), patients=np.arange(len(images)).astype(str))
    for chosen in (images, uneven):
        header = controls_of(chosen, [FileHeader(16, 12, 12)] * len(images))[ControlName.HEADER]
        assert (header.auc.value, header.auc.low, header.auc.high) == (0.5, 0.5, 0.5)


def test_a_brightness_that_tells_is_seen_whatever_its_direction():
    images = tiny.images()
    for change in (np.uint16(9000) * images.labels, np.uint16(9000) * (1 - images.labels)):
        flat = np.random.default_rng(4).integers(9_000, 11_000, images.pixels.shape)
        changed = replace(images, pixels=(flat + change[:, None, None]).astype(np.uint16))
        controls = controls_of(changed, [FileHeader(16, 12, 12)] * len(images))
        assert controls[ControlName.MEAN].auc.value == 1
        assert controls[ControlName.BRIGHTEST_PIXEL].auc.value == 1


def test_facts_that_tell_nothing_stay_near_chance_over_folds():
    areas = []
    for seed in range(30):
        chance = np.random.default_rng(seed)
        images = tiny.images()
        pixels = chance.integers(1, 60_000, (len(images), 1, 1)) + np.zeros(images.pixels.shape, int)
        headers = [FileHeader(int(rows), 12, 12) for rows in chance.integers(10, 14, len(images))]
        controls = controls_of(replace(images, pixels=pixels.astype(np.uint16)), headers)
        areas.append([controls[name].auc.value for name in (ControlName.HEADER, ControlName.MEAN)])
    np.testing.assert_allclose(np.mean(areas, axis=0), 0.5, atol=0.06)


@pytest.fixture(scope="module")
def validated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folds")
    images = tiny.images()
    how = CrossValidation(
        tiny.classifier_config(steps=4),
        {direction: tiny.gan_config(direction) for direction in ("remove", "insert")},
        folds=3,
        seed=5,
    )
    strata = np.where(images.labels == 1, "positive", "normal")
    told = []
    headers = telling_headers(images)
    found = cross_validate(images, headers, strata, how, folder=folder, report=lambda *said: told.append(said))
    return images, strata, how, folder, found, told


def test_every_fold_is_evaluated_on_unseen_patients(validated):
    images, strata, _how, folder, found, told = validated
    fold = assign_folds(images.patients, strata, folds=3, seed=5)
    assert [one.images for one in found.folds] == np.bincount(fold).tolist()
    last = found.folds[-1]
    classifier = load_classifier(folder / "fold-3")
    test, tuning = np.flatnonzero(fold == 2), np.flatnonzero(fold == 0)
    assert last.auc.value == auc(scores(classifier, images.pixels[test]), images.labels[test])
    assert last.threshold == youden_threshold(scores(classifier, images.pixels[tuning]), images.labels[tuning])
    assert found.pooled.images == len(images)
    assert [control.name for control in found.controls] == list(ControlName)
    assert found.controls[0].auc.value == 1
    assert [done for done, *_rest in told] == sorted(done for done, *_rest in told)
    assert told[-1][:2] == (9000, 9000)
    assert json.loads(json.dumps(to_dict(found)))["pooled"]["images"] == len(images)


def test_an_interrupted_run_keeps_its_finished_folds(validated, monkeypatch):
    images, strata, how, folder, found, _told = validated
    before = read_provenance(folder / "fold-1")
    (folder / "fold-3" / "config.json").unlink()  # as if killed before the last fold was written
    trained = []
    real = module.train_classifier
    monkeypatch.setattr(module, "train_classifier", lambda *a, **k: trained.append(k["folder"].name) or real(*a, **k))
    again = cross_validate(images, telling_headers(images), strata, how, folder=folder, report=silent)
    assert trained == ["fold-1", "fold-2", "fold-3"]
    assert read_provenance(folder / "fold-1") == before
    assert again == found


def test_adversarial_images_are_16_bit_and_keep_the_background(validated):
    images, _strata, _how, folder, _found, _told = validated
    made = adversarial_pixels(folder / "fold-1-remove", images.pixels[:3])
    assert made.dtype == np.uint16
    assert (made[images.pixels[:3] == 0] == 0).all()
    assert (made != images.pixels[:3]).any()


def test_weights_of_zero_keep_the_background(tmp_path: Path) -> None:
    target = tmp_path / "target"
    images = tiny.images()
    train_classifier(images, tiny.classifier_config(steps=2), seed=1, folder=target, report=silent)
    folder = tmp_path / "gan"
    train_gan(
        images, direction="remove", classifier=target, config=tiny.gan_config(), seed=1, folder=folder, report=silent
    )
    pixels = np.asarray(images.pixels[:3])
    weights = np.zeros(pixels.shape, np.uint8)
    weights[:, 4:12, 4:12] = 255
    free, spared = adversarial_pixels(folder, pixels), adversarial_pixels(folder, pixels, weights)
    assert (free != pixels)[weights == 0].any()
    np.testing.assert_array_equal(spared, np.where(weights > 0, free, pixels))
