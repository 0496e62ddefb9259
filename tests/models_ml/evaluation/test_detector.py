"""A detector of adversarial input: what it is trained on, and how it is judged on attacks it never saw."""

import numpy as np
import pytest

from models_ml.errors import LabError, WrongCheckpoint
from models_ml.evaluation.detector import DetectorConfig, MixedImages, detector_table, load_detector
from models_ml.evaluation.predictions import scores
from models_ml.runs.checkpoint import load_classifier
from models_ml.runtime.progress import silent
from models_ml.training.classifier import train_classifier
from models_ml.training.detector import train_detector
from readerstudy.results.detector import Pool
from readerstudy.statistics.roc import auc
from tests.models_ml import tiny


def shown(seed: int = 0) -> tuple[MixedImages, np.ndarray]:
    """20 patients with an image each, altered by "gan" with a bright row and by "pgd" with a bright column."""
    images = tiny.images()
    one_each = np.arange(0, 40, 2)
    real = images.pixels[one_each]
    row, column = real.copy(), real.copy()
    row[:, 20:23] = 60_000
    column[:, :, 20:23] = 60_000
    patients, splits = images.patients[one_each], images.splits[one_each]
    return (
        MixedImages(
            image=np.tile(one_each, 3),
            attack=np.repeat(["", "gan", "pgd"], 20),
            patient=np.tile(patients, 3),
            split=np.tile(splits, 3),
            key=np.array([f"{name}-{place}" for name in ("real", "gan", "pgd") for place in one_each]),
        ),
        np.concatenate([real, row, column]),
    )


def chosen(everything: MixedImages, mask: np.ndarray) -> MixedImages:
    columns = (everything.image, everything.attack, everything.patient, everything.split, everything.key)
    return MixedImages(*(column[mask] for column in columns))


def test_the_label_is_altered_or_not_and_not_the_pathology():
    everything, pixels = shown()
    images = everything.with_pixels(pixels)
    assert images.labels.tolist() == [0] * 20 + [1] * 40
    assert set(images.patients) == set(everything.patient)


def test_a_split_without_adversarial_images_gives_a_message():
    everything, pixels = shown()
    lacking = (everything.attack == "") | (everything.split == "train")
    with pytest.raises(LabError, match="The tuning split holds no adversarial image"):
        chosen(everything, lacking).with_pixels(pixels[lacking])


def test_every_attack_is_judged_against_its_own_parents_at_the_threshold_of_the_tuning_split():
    everything, _pixels = shown()
    chance = np.random.default_rng(2)
    score = np.clip(0.4 * everything.altered + chance.random(60) * 0.6, 0, 1)
    # Of the pgd attack half of the test images are missing: their source images must not be counted against it.
    odd = (everything.attack == "pgd") & (everything.split == "test") & (everything.image % 4 == 0)
    kept = chosen(everything, ~odd)
    table = detector_table(score[~odd], kept, ["gan"], replicates=60)
    gan, pgd = table.rows
    assert (gan.attack, gan.seen, pgd.attack, pgd.seen) == ("gan", True, "pgd", False)
    test = kept.split == "test"
    twin = test & (kept.attack == "pgd")
    parent = test & (kept.attack == "") & np.isin(kept.image, kept.image[twin])
    assert pgd.images == twin.sum() == parent.sum() < gan.images
    assert pgd.auc.value == auc(score[~odd][twin | parent], kept.altered[twin | parent])
    assert pgd.adversarial_found.hits == (score[~odd][twin] > table.threshold).sum()
    assert pgd.sources_passed.hits == (score[~odd][parent] <= table.threshold).sum()
    tuned = detector_table(np.where(everything.attack == "pgd", 0.0, score), everything, ["gan"], replicates=60)
    assert tuned.threshold == table.threshold  # held-out attacks choose nothing


def test_several_attacks_of_the_training_have_a_line_together():
    everything, _pixels = shown()
    score = np.linspace(0, 1, 60)
    both = detector_table(score, everything, ["gan", "pgd"], replicates=20)
    assert [(row.attack, row.pool) for row in both.rows] == [("gan", None), ("pgd", None), ("", Pool.SEEN)]
    assert both.rows[-1].images == both.rows[0].images + both.rows[1].images
    assert {row.seen for row in detector_table(score, everything, ["gan"], replicates=20).rows} == {True, False}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    everything, pixels = shown()
    seen = everything.attack != "pgd"
    folder = tmp_path_factory.mktemp("runs") / "guard"
    config = DetectorConfig(tiny.classifier_config(steps=40), ("gan",))
    images = chosen(everything, seen).with_pixels(pixels[seen])
    result = train_detector(images, config, seed=1, folder=folder, report=silent)
    return folder, config, result, images


def test_a_trained_detector_recognises_its_training_attack(trained):
    folder, config, result, images = trained
    detector, stored = load_detector(folder)
    assert stored == config
    test = images.rows("test")
    assert auc(scores(detector, images.pixels, rows=test), images.labels[test]) > 0.9
    again = train_detector(images, config, seed=1, folder=folder, report=silent)
    assert again == result
    card = (folder / "card.md").read_text()
    assert f"train adversarial: {len(images.rows('train', 1))} images" in card
    assert "positive:" not in card


def test_a_classifier_is_no_detector(tmp_path):
    train_classifier(tiny.images(), tiny.classifier_config(steps=4), seed=1, folder=tmp_path / "target", report=silent)
    assert load_classifier(tmp_path / "target")
    with pytest.raises(WrongCheckpoint, match="target holds no detector"):
        load_detector(tmp_path / "target")
