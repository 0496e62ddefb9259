"""Two processes on the processor (gloo) train what one trains: each has half of every batch."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from models_ml.config import Convolution
from models_ml.errors import LabError
from models_ml.runs.checkpoint import WEIGHTS, read_provenance
from models_ml.runtime import distributed
from models_ml.runtime.progress import silent
from models_ml.training.classifier import train_classifier
from models_ml.training.gan import train_gan
from models_ml.training.launcher import ClassifierSpec, GanSpec, _error_message, train_in_processes
from readerstudy.vocabulary import Direction
from tests.models_ml import tiny

ALONE = {"seed": 3, "report": silent}


def assert_same_weights(one, two):
    expected, found = load_file(one / WEIGHTS), load_file(two / WEIGHTS)
    assert expected.keys() == found.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=2e-4, atol=2e-6, err_msg=name)


def test_two_processes_train_the_classifier_and_the_gan_that_one_trains(tmp_path):
    images = tiny.images()
    # No norm: a bias before one has no gradient but rounding, which Adam makes as large as any other.
    plain = {"fnet_convolutions": (Convolution(16, kernel=1),), "fnet_dense": ()}
    config = replace(tiny.classifier_config(steps=6), precision="fp32", **plain)
    train_classifier(images, config, folder=tmp_path / "alone", **ALONE)
    told = []
    train_in_processes(
        images,
        ClassifierSpec(config, seed=3, folder=tmp_path / "together"),
        processes=2,
        report=lambda done, total, text, values: told.append((done, total)),
    )
    assert told == [(step, 6) for step in range(1, 7)]
    assert_same_weights(tmp_path / "alone", tmp_path / "together")
    assert read_provenance(tmp_path / "together").processes == 2
    assert sorted(path.name for path in (tmp_path / "together").iterdir()) == [
        ".lock",  # empty; it stays, because another process may be waiting for it
        "card.md",
        "config.json",
        WEIGHTS,
    ]

    gan = replace(tiny.gan_config(), precision="fp32")
    train_gan(images, direction="remove", classifier=tmp_path / "alone", config=gan, folder=tmp_path / "g1", **ALONE)
    spec = GanSpec(gan, 3, tmp_path / "g2", Direction.REMOVE, tmp_path / "alone")
    train_in_processes(images, spec, processes=2, report=silent)
    assert_same_weights(tmp_path / "g1", tmp_path / "g2")
    for one, two in zip(read_provenance(tmp_path / "g1").stages, read_provenance(tmp_path / "g2").stages, strict=True):
        assert (one["steps"], one["reason"]) == (two["steps"], two["reason"])
        assert two["gap"] == pytest.approx(one["gap"], rel=1e-3, abs=1e-6)


def test_two_processes_refuse_the_same_steps_and_end_with_the_reason(tmp_path, caplog):
    config = replace(tiny.classifier_config(steps=30), penalty_weight=float("inf"), penalty_every=1)
    spec = ClassifierSpec(config, seed=3, folder=tmp_path / "run")
    with pytest.raises(
        LabError, match=r"The 2 processes stopped: Epoch \d, step 20: the classifier's loss or gradient"
    ):
        train_in_processes(tiny.images(), spec, processes=2, report=silent)
    first = [record for record in caplog.records if record.message.startswith("Epoch 1, step 1: the classifier")]
    assert len(first) == 1


def test_a_batch_that_cannot_be_shared_evenly_is_refused_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(distributed, "size", lambda: 2)
    config = replace(tiny.classifier_config(steps=2), images_per_class=3)
    with pytest.raises(LabError, match="3 images of a class in a batch cannot be shared evenly by 2 processes"):
        train_classifier(tiny.images(), config, folder=tmp_path, **ALONE)


def test_what_a_process_says_as_it_fails_is_the_reason():
    said = "W1122 torchrun\nTraceback\nLabError: The images are 32 × 24.\nLabError: The images are 32 × 24.\n"
    assert _error_message(said) == "The images are 32 × 24."
