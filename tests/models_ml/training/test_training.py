"""Both training loops at tiny size: they learn, they are reproducible, and a kill costs nothing."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models_ml.config import Length
from models_ml.errors import WrongCheckpoint
from models_ml.evaluation.predictions import scores
from models_ml.runs.checkpoint import CONFIG, CONTROL, RESUME, WEIGHTS, load_classifier, load_generator
from models_ml.runs.curves import learning_curves
from models_ml.runtime.progress import silent
from models_ml.training.classifier import rate_factor, train_classifier
from models_ml.training.gan import train_gan
from models_ml.training.gan_networks import GanNetworks
from readerstudy.results.progress import Activity
from readerstudy.statistics.roc import auc
from readerstudy.vocabulary import Direction
from tests.models_ml import tiny


class Killed(Exception):
    """Stands for the power cut."""


def killer(after: int):
    calls = []

    def report(done: int, total: int, activity: Activity, values: dict[str, float], /) -> None:
        calls.append(done)
        if len(calls) == after:
            raise Killed

    return report


def classify(folder: Path, *, seed: int = 3, steps: int = 12, report=silent):
    config = tiny.classifier_config(steps)
    return train_classifier(tiny.images(), config, seed=seed, folder=folder, report=report)


def train_small_gan(folder: Path, target: Path, *, direction="remove", seed=4, report=silent, **changes):
    config = replace(tiny.gan_config(direction), **changes)
    images = tiny.images()
    return train_gan(
        images, direction=direction, classifier=target, config=config, seed=seed, folder=folder, report=report
    )


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("target")
    classify(folder, steps=60)
    return folder


def same_weights(one: Path, other: Path) -> bool:
    a, b = load_file(one), load_file(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_the_classifier_learns_to_see_a_bright_spot(tmp_path: Path) -> None:
    """In float32: kinds of processors multiply bfloat16 differently, and on some this network learns nothing."""
    config = replace(tiny.classifier_config(120), precision="fp32")
    train_classifier(tiny.images(), config, seed=6, folder=tmp_path, report=silent)
    test = tiny.images(seed=9).subset("test")
    assert auc(scores(load_classifier(tmp_path), test.pixels), test.labels) > 0.95


def test_the_kept_checkpoint_is_the_one_with_the_best_tuning_auc(target: Path) -> None:
    run = json.loads((target / CONFIG).read_text())
    values = [entry["tuning_auc"] for entry in run["history"]]
    tuning = tiny.images().subset("tuning")
    assert run["metrics"]["tuning_auc"] == max(values)
    assert auc(scores(load_classifier(target), tuning.pixels), tuning.labels) == pytest.approx(max(values))


def test_the_same_seed_gives_the_same_classifier_and_another_gives_another(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        classify(tmp_path / name, seed=seed)
    assert same_weights(tmp_path / "one" / WEIGHTS, tmp_path / "again" / WEIGHTS)
    assert not same_weights(tmp_path / "one" / WEIGHTS, tmp_path / "other" / WEIGHTS)


def test_training_leaves_the_callers_chance_alone(tmp_path: Path) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    classify(tmp_path / "run")
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("after", [1, 5, 11])
def test_a_killed_classifier_ends_as_if_it_had_not_been(tmp_path: Path, after: int) -> None:
    whole = classify(tmp_path / "whole")
    with pytest.raises(Killed):
        classify(tmp_path / "cut", report=killer(after))
    cut = classify(tmp_path / "cut")
    assert same_weights(tmp_path / "whole" / WEIGHTS, tmp_path / "cut" / WEIGHTS)
    assert cut.history == whole.history
    assert not (tmp_path / "cut" / RESUME).exists()


@pytest.mark.parametrize("after", [2, 5, 9, 16])
def test_a_killed_gan_ends_as_if_it_had_not_been(tmp_path: Path, target: Path, after: int) -> None:
    whole = train_small_gan(tmp_path / "whole", target)
    with pytest.raises(Killed):
        train_small_gan(tmp_path / "cut", target, report=killer(after if after < steps_of(whole) else 1))
    cut = train_small_gan(tmp_path / "cut", target)
    assert same_weights(tmp_path / "whole" / WEIGHTS, tmp_path / "cut" / WEIGHTS)
    assert same_weights(tmp_path / "whole" / CONTROL, tmp_path / "cut" / CONTROL)
    assert (cut.stages, cut.history) == (whole.stages, whole.history)


def test_a_gan_killed_after_its_last_step_is_only_written(tmp_path: Path, target: Path) -> None:
    whole = train_small_gan(tmp_path / "whole", target)
    start = partial(train_small_gan, tmp_path / "cut", target, direction=Direction.REMOVE)
    with pytest.raises(Killed):
        start(report=killer(steps_of(whole)))
    reports = []
    assert start(report=lambda *progress: reports.append(progress)).stages == whole.stages
    assert same_weights(tmp_path / "whole" / WEIGHTS, tmp_path / "cut" / WEIGHTS)
    assert not reports


def steps_of(result) -> int:
    return sum(stage["steps"] for stage in result.stages)


def test_a_finished_run_is_returned_not_repeated(tmp_path: Path) -> None:
    first = classify(tmp_path / "run")
    before = (tmp_path / "run" / WEIGHTS).stat().st_mtime_ns
    assert classify(tmp_path / "run", report=killer(1)) == first
    assert (tmp_path / "run" / WEIGHTS).stat().st_mtime_ns == before


def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    classify(tmp_path / "done")
    with pytest.raises(WrongCheckpoint, match="finished run with another seed"):
        classify(tmp_path / "done", seed=5)
    with pytest.raises(Killed):
        classify(tmp_path / "open", report=killer(7))
    with pytest.raises(WrongCheckpoint, match="unfinished run with other settings"):
        classify(tmp_path / "open", seed=5)


def test_test_images_play_no_part_in_training(tmp_path: Path) -> None:
    images = tiny.images()
    blank = images.pixels.copy()
    blank[images.rows("test")] = 0
    config = tiny.classifier_config()
    for name, pixels in (("seen", images.pixels), ("blank", blank)):
        changed = replace(images, pixels=pixels)
        train_classifier(changed, config, seed=1, folder=tmp_path / name, report=silent)
        forge_on = tmp_path / f"{name}-gan"
        train_gan(
            changed,
            direction="insert",
            classifier=tmp_path / name,
            config=tiny.gan_config(),
            seed=1,
            folder=forge_on,
            report=silent,
        )
    assert same_weights(tmp_path / "seen" / WEIGHTS, tmp_path / "blank" / WEIGHTS)
    assert same_weights(tmp_path / "seen-gan" / WEIGHTS, tmp_path / "blank-gan" / WEIGHTS)


def test_every_stage_says_why_it_ended(tmp_path: Path, target: Path) -> None:
    result = train_small_gan(tmp_path / "gan", target)
    assert [stage["number"] for stage in result.stages] == [1, 2, 3, 4, 5]
    assert result.stages[0]["reason"] == {
        "kind": "criterion-met",
        "criterion": {"quantity": "identity", "sense": "below", "bound": 0.002},
    }
    assert result.stages[2]["reason"] == {"kind": "no-criterion", "criterion": None}


def test_the_last_stop_does_not_count_unless_stage_two_reached_its_gap(tmp_path: Path, target: Path) -> None:
    stages = list(tiny.gan_config().stages)
    stages[1] = replace(stages[1], stop=replace(stages[1].stop, bound=1e9))  # out of reach
    stages[4] = replace(stages[4], stop=replace(stages[4].stop, bound=1e9))  # always true
    stuck = train_small_gan(tmp_path / "stuck", target, stages=tuple(stages))
    assert stuck.stages[4]["steps"] == 6
    assert stuck.stages[4]["reason"]["kind"] == "not-counted"
    stages[1] = replace(stages[1], stop=replace(stages[1].stop, bound=-1e9))  # at once
    free = train_small_gan(tmp_path / "free", target, stages=tuple(stages))
    assert (free.stages[4]["met"], free.stages[4]["steps"]) == (True, 2)


def test_the_control_is_the_generator_as_stage_one_left_it(tmp_path: Path, target: Path) -> None:
    train_small_gan(tmp_path / "gan", target)
    images = torch.rand(1, 1, tiny.ROWS, tiny.COLUMNS)
    control = load_generator(tmp_path / "gan", control=True)(images)
    attack = load_generator(tmp_path / "gan")(images)
    assert (control - images).abs().max() < 0.02 < (attack - images).abs().max() + 0.02
    assert not torch.equal(control, attack)


def test_only_the_parts_of_a_stage_learn(target: Path) -> None:
    config = tiny.gan_config()
    networks = GanNetworks(load_classifier(target), config, 1, torch.device("cpu"))
    learns = {}
    for stage in config.stages:
        networks.start_stage(stage)
        parts = (networks.discriminator.output, networks.discriminator.fnet, networks.discriminator.vnet)
        learns[stage.number] = [all(p.requires_grad for p in part.parameters()) for part in parts]
    assert learns == {
        1: [False, False, False],
        2: [True, False, False],
        3: [True, False, False],
        4: [True, True, False],
        5: [True, True, True],
    }


@pytest.mark.parametrize("moments", ["fresh", "kept"])
def test_a_stage_starts_with_the_moments_of_the_last_one_or_with_none(target: Path, moments: str) -> None:
    config = replace(tiny.gan_config(), moments=moments)
    networks = GanNetworks(load_classifier(target), config, 1, torch.device("cpu"))
    networks.start_stage(config.stages[0])
    weight = networks.generator.last.weight
    weight.grad = torch.ones_like(weight)
    networks.optimizers["generator"].step()
    networks.start_stage(config.stages[1])
    optimizer = networks.optimizers["generator"]
    assert (weight in optimizer.state) == (moments == "kept")
    assert optimizer.param_groups[0]["lr"] == config.stages[1].generator_rate


def test_the_plain_generator_trains_by_the_same_code(tmp_path: Path, target: Path) -> None:
    config = tiny.gan_config(form="plain")
    result = train_small_gan(tmp_path / "gan", target, generator=config.generator, snapshots=None)
    assert result.stages[0]["reason"]["kind"] == "criterion-not-met"
    assert result.kept_step == steps_of(result)


def test_progress_never_runs_backwards_and_ends_at_its_total(tmp_path: Path, target: Path) -> None:
    seen: list[tuple[int, int]] = []
    train_small_gan(tmp_path / "gan", target, report=lambda done, total, text, values: seen.append((done, total)))
    done = [d for d, _ in seen]
    assert done == sorted(done)
    assert len({total for _, total in seen}) == 1
    assert done[-1] <= seen[0][1]


def test_loading_refuses_what_does_not_fit(tmp_path: Path, target: Path) -> None:
    with pytest.raises(WrongCheckpoint, match="holds a classifier, not a generator"):
        load_generator(target)
    with pytest.raises(WrongCheckpoint, match="trained at preset tiny, not demo"):
        load_classifier(target, preset="demo")
    with pytest.raises(WrongCheckpoint, match="holds no finished run"):
        load_classifier(tmp_path)


def test_a_classifier_of_another_size_cannot_judge_the_gan(tmp_path: Path, target: Path) -> None:
    images = replace(tiny.images(), pixels=np.zeros((40, 64, 48), np.uint16))
    start = partial(train_gan, images, direction="remove", classifier=target, seed=1, folder=tmp_path / "x")
    with pytest.raises(WrongCheckpoint, match=r"reads 32 × 24, but preset tiny makes 64 × 48"):
        start(config=replace(tiny.gan_config(), rows=64, columns=48), report=silent)


def test_rates_warm_up_and_then_fall_along_a_cosine() -> None:
    config = replace(tiny.classifier_config(), warmup_steps=10, final_rate=0.02, length=Length(steps=100))
    factors = [rate_factor(step, 100, config) for step in range(101)]
    assert factors[0] == pytest.approx(0.1, abs=0.001)
    assert factors[50] == pytest.approx(0.51)
    assert factors[100] == pytest.approx(0.02)
    constant = replace(config, warmup_steps=0, final_rate=1.0)
    assert {rate_factor(step, 100, constant) for step in range(101)} == {1.0}


def test_vnet_rests_during_the_first_epochs(tmp_path: Path) -> None:
    config = replace(tiny.classifier_config(), fnet_only=Length(steps=99))
    train_classifier(tiny.images(), config, seed=3, folder=tmp_path / "frozen", report=silent)
    classify(tmp_path / "free", seed=3)
    frozen, free = load_file(tmp_path / "frozen" / WEIGHTS), load_file(tmp_path / "free" / WEIGHTS)
    assert not torch.equal(frozen["vnet.0.weight"], free["vnet.0.weight"])
    config = replace(config, length=Length(steps=4))
    train_classifier(tiny.images(), config, seed=3, folder=tmp_path / "early", report=silent)
    early = load_file(tmp_path / "early" / WEIGHTS)
    assert torch.equal(early["vnet.0.weight"], frozen["vnet.0.weight"])
    assert not torch.equal(early["output.weight"], frozen["output.weight"])


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_learning_curves_are_a_picture(tmp_path: Path, target: Path, suffix: str) -> None:
    result = train_small_gan(tmp_path / "gan", target)
    learning_curves(result.history, tmp_path / f"curves.{suffix}")
    start = (tmp_path / f"curves.{suffix}").read_bytes()[:8]
    assert start == b"\x89PNG\r\n\x1a\n" if suffix == "png" else start.startswith(b"<?xml")
