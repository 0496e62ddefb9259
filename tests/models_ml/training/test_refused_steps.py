"""A loss, gradient or score that is not finite changes no weights, is counted, and never becomes the best."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models_ml.config import Length
from models_ml.data.gan_batches import GanBatch
from models_ml.errors import LabError
from models_ml.networks import build
from models_ml.networks.generator import Generator
from models_ml.runs import checkpoint, refused_steps
from models_ml.runtime.progress import silent
from models_ml.training import classifier, inpainting, steps
from models_ml.training.detector import DetectorConfig, train_detector
from models_ml.training.gan import train_gan
from models_ml.training.gan_networks import GanNetworks
from models_ml.training.loop import BestWeights
from tests.models_ml import tiny

NAN = float("nan")


def poisoned(calls: set[int], *, where: str, number: list[int] | None = None):
    """`steps.measured` with a NaN put into the quantity, the loss or a gradient of these calls, counted from 1."""
    original, number = steps.measured, [0] if number is None else number

    def measured(quantity, loss, gradients):
        number[0] += 1
        gradients = list(gradients)
        if number[0] in calls:
            if where == "gradient":
                gradients[0].view(-1)[0] = NAN
            else:
                quantity, loss = (quantity * NAN, loss) if where == "quantity" else (quantity, loss * torch.inf)
        return original(quantity, loss, gradients)

    return measured


def train(folder: Path, *, length: int = 12, report=silent):
    config = tiny.classifier_config(length)
    return classifier.train_classifier(tiny.images(), config, seed=3, folder=folder, report=report)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refused") / "target"
    train(folder, length=20)
    return folder


def train_small_gan(folder: Path, target: Path, *, report=silent, **changes):
    config = replace(tiny.gan_config(), ends="epochs", **changes)
    return train_gan(
        tiny.images(), direction="remove", classifier=target, config=config, seed=4, folder=folder, report=report
    )


@pytest.mark.parametrize("area", [NAN, 0.5])
def test_a_nan_epoch_is_never_the_best(area: float) -> None:
    classifier = build(tiny.classifier_config())
    best = BestWeights().updated(0.93, 100, classifier, replace_equal=True)
    assert best.updated(area, 200, classifier, replace_equal=True) is best
    assert BestWeights().updated(NAN, 100, classifier, replace_equal=True).weights is None


def test_a_nan_score_never_replaces_the_kept_generator() -> None:
    generator = Generator(tiny.gan_config().generator)
    kept = BestWeights().updated(0.3, 10, generator)
    assert kept.updated(NAN, 20, generator) is kept
    assert BestWeights().updated(NAN, 20, generator).weights is None


def test_scores_that_are_not_finite_leave_a_gap_in_the_history(tmp_path, monkeypatch, caplog) -> None:
    original, calls = classifier.scores, []

    def scores(*args, **named):
        calls.append(1)
        return original(*args, **named) * (NAN if len(calls) == 3 else 1)

    monkeypatch.setattr(classifier, "scores", scores)
    reported = []
    result = train(tmp_path, report=lambda done, total, text, values: reported.append(values))
    assert [entry["step"] for entry in result.history if "tuning_auc" not in entry] == [12]
    assert np.isfinite(result.tuning_auc)
    assert result.best_step <= 8
    assert reported[-1]["tuning_auc"] == result.history[1]["tuning_auc"]
    assert "Step 12: the scores of the tuning images are not finite." in caplog.text
    assert "NaN" not in (tmp_path / checkpoint.CONFIG).read_text()


def test_scores_that_are_never_finite_end_the_run(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(classifier, "scores", lambda *_, rows, **__: np.full(len(rows), NAN))
    with pytest.raises(LabError, match="never finite, so no checkpoint can be chosen"):
        train(tmp_path)


@pytest.mark.parametrize("where", ["quantity", "loss", "gradient"])
def test_a_refused_step_of_the_classifier_changes_nothing_and_is_recorded(tmp_path, monkeypatch, where, caplog) -> None:
    monkeypatch.setattr(steps, "measured", poisoned({5}, where=where))
    seen: list[dict[str, torch.Tensor]] = []
    original = classifier._ClassifierTraining.learn

    def learn(training, *batch):
        steps = original(training, *batch)
        seen.append({name: value.clone() for name, value in training.network.state_dict().items()})
        return steps

    monkeypatch.setattr(classifier._ClassifierTraining, "learn", learn)
    result = train(tmp_path)
    assert all(torch.equal(seen[4][name], seen[3][name]) for name in seen[4])
    assert not all(torch.equal(seen[5][name], seen[4][name]) for name in seen[5])
    run = json.loads((tmp_path / checkpoint.CONFIG).read_text())
    per_epoch = -(-len(tiny.images().rows("train", 0)) // 2)
    place = {"network": "classifier", "epoch": 1 + 4 // per_epoch, "step": 5, "stage": 0}
    assert (result.refused_steps, run["metrics"]["refused_steps"], run["refused"]) == (1, 1, [place])
    assert f"Epoch {place['epoch']}, step 5: the classifier's step is refused" in caplog.text
    assert f"- classifier: epoch {place['epoch']}, step 5" in (tmp_path / checkpoint.CARD).read_text()
    assert np.isfinite([entry["loss"] for entry in result.history]).all()


def test_a_run_that_refused_steps_goes_on_after_a_kill_as_if_it_had_not_been(tmp_path, monkeypatch) -> None:
    class Killed(Exception):
        pass

    def kill(done: int, *_) -> None:
        if done == 8:
            raise Killed

    monkeypatch.setattr(steps, "measured", poisoned({2, 5, 9}, where="gradient"))
    whole = train(tmp_path / "whole")
    monkeypatch.undo()
    number = [0]
    monkeypatch.setattr(steps, "measured", poisoned({2, 5, 9}, where="gradient", number=number))
    with pytest.raises(Killed):
        train(tmp_path / "cut", report=kill)
    number[0] = 6  # goes on from the state that was saved after step 6
    cut = train(tmp_path / "cut")
    assert (cut.history, cut.refused_steps) == (whole.history, 3)
    files = [load_file(tmp_path / name / checkpoint.WEIGHTS) for name in ("whole", "cut")]
    assert all(torch.equal(files[0][name], files[1][name]) for name in files[0])


def train_as_detector(folder: Path):
    config = DetectorConfig(tiny.classifier_config(), ("pgd",))
    return train_detector(tiny.images(), config, seed=3, folder=folder, report=silent)


@pytest.mark.parametrize("start", [train, train_as_detector], ids=["classifier", "detector"])
def test_too_many_refused_steps_in_a_row_end_the_run(tmp_path, monkeypatch, start) -> None:
    monkeypatch.setattr(refused_steps, "MOST_IN_A_ROW", 3)
    monkeypatch.setattr(steps, "measured", poisoned({2, 4, 5, 7, 8, 9}, where="loss"))
    with pytest.raises(LabError, match=r"Epoch \d, step 9: .* not finite in 3 steps in a row, so the run was ended"):
        start(tmp_path)
    assert not (tmp_path / checkpoint.CONFIG).exists()


def test_both_gan_networks_refuse_and_the_record_names_the_stage(tmp_path, target, monkeypatch, caplog) -> None:
    """Stage 1 has the generator's steps alone, stage 2 the discriminator's: calls 2 and 5 are one of each."""
    monkeypatch.setattr(steps, "measured", poisoned({2, 5}, where="loss"))
    result = train_small_gan(tmp_path, target)
    run = checkpoint.read_provenance(tmp_path)
    assert [(step["network"], step["stage"], step["step"]) for step in run.refused] == [
        ("generator", 1, 2),
        ("discriminator", 2, 5),
    ]
    assert result.refused_steps == 2
    assert np.isfinite([[entry["gap"], entry["identity"]] for entry in result.history]).all()
    assert "Stage 2, epoch 1, step 5: the discriminator's step is refused" in caplog.text


@pytest.mark.parametrize("stage", [0, 1, 4])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_a_refused_gan_step_leaves_both_networks_as_they_were(target, stage, norm) -> None:
    config = tiny.gan_config()
    config = replace(config, generator=replace(config.generator, norm=norm))
    networks = GanNetworks(checkpoint.load_classifier(target), config, 1, torch.device("cpu"))
    networks.start_stage(config.stages[stage])
    blank = torch.full((2, 1, tiny.ROWS, tiny.COLUMNS), NAN)
    batch = GanBatch(blank, blank, [blank, blank], [[1, 2]] * 4)
    both = (networks.generator, networks.discriminator)
    before = [{name: value.clone() for name, value in network.state_dict().items()} for network in both]
    result = networks.learn(config.stages[stage], batch, 0)
    assert (result.gap, result.identity) == (None, None)
    assert result.steps
    assert not any(step.is_taken for step in result.steps)
    for network, state in zip(both, before, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_a_gan_whose_steps_are_all_refused_ends_with_the_stage(tmp_path, target, monkeypatch) -> None:
    monkeypatch.setattr(refused_steps, "MOST_IN_A_ROW", 3)
    monkeypatch.setattr(steps, "measured", poisoned(set(range(1, 99)), where="loss"))
    with pytest.raises(LabError, match=r"Stage 1, epoch 1, step 3: the generator's loss or gradient was not finite"):
        train_small_gan(tmp_path, target)


def test_the_inpainter_refuses_and_ends_alike(tmp_path, target, monkeypatch, caplog) -> None:
    original, calls = inpainting.get_total_norm, []

    def norm(gradients):
        calls.append(1)
        return original(gradients) * (NAN if len(calls) in (2, 6, 7, 8) else 1)

    monkeypatch.setattr(inpainting, "get_total_norm", norm)
    monkeypatch.setattr(refused_steps, "MOST_IN_A_ROW", 3)
    small = {"radius": 0.15, "surround": 2.0, "channels": (4, 6), "images_per_class": 2}

    def train(folder: Path, length: int):
        config = inpainting.inpainting_config(checkpoint.load_classifier(target), "remove", steps=length, **small)
        return inpainting.train_inpainting(
            tiny.images(), direction="remove", classifier=target, seed=2, folder=folder, report=silent, config=config
        )

    result = train(tmp_path / "short", 4)
    assert (result.refused_steps, [entry["step"] for entry in result.history]) == (1, [1, 2, 3, 4])
    assert result.history[1] == {**result.history[0], "step": 2}
    assert "step 2: the inpainter's step is refused" in caplog.text
    with pytest.raises(LabError, match=r"step 4: the inpainter's loss or gradient was not finite in 3 steps in a row"):
        train(tmp_path / "long", 9)


def test_a_refused_step_costs_no_second_wait_for_the_device(target, monkeypatch) -> None:
    """Values leave the device once a step: `tolist` in `measured`, and nowhere else."""
    counted = []
    for name in ("tolist", "item", "__float__", "__bool__"):
        original = getattr(torch.Tensor, name)
        monkeypatch.setattr(
            torch.Tensor, name, lambda tensor, _of=original, _name=name: counted.append(_name) or _of(tensor)
        )
    config = replace(tiny.classifier_config(), penalty_every=1)
    net = build(config).train()
    step = steps.ClassifierStep(net, config, torch.float32)
    images, labels = torch.rand(4, 1, tiny.ROWS, tiny.COLUMNS), torch.tensor([1, 1, 0, 0])
    torch.autograd.backward(step(images, labels, [1, 2, 3, 4], True))
    assert counted == ["tolist"]


def test_only_the_first_hundred_refused_steps_are_listed_and_all_are_counted(caplog) -> None:
    caplog.set_level(logging.WARNING)
    refused = refused_steps.RefusedSteps()
    for number in range(1, 151):
        refused.refuse(refused_steps.RefusedStep("generator", 1, number, 3))
        refused.accept("generator")
    assert (refused.count, len(refused.listed), len(caplog.records)) == (150, 100, 100)
    assert refused_steps.RefusedSteps.from_state(json.loads(json.dumps(refused.state()))) == refused


def test_lengths_are_not_touched(tmp_path, target, monkeypatch) -> None:
    """A refused step counts as a step: schedules and the order of images stay as they are."""
    monkeypatch.setattr(steps, "measured", poisoned({1, 4}, where="gradient"))
    result = train_small_gan(tmp_path, target, save_every=Length(steps=3))
    assert [stage["steps"] for stage in result.stages] == [3, 4, 2, 2, 6]
