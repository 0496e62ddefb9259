"""When a stage of a GAN ends: by a running mean, or by the mean over a whole epoch as in the article's presets."""

import json
from dataclasses import asdict, replace

import pytest

from models_ml.config import Length, Stop
from models_ml.presets import ARTICLE_STAGES, PRESETS
from models_ml.runs import checkpoint
from models_ml.runtime.progress import silent
from models_ml.training.classifier import train_classifier
from models_ml.training.gan import train_gan
from models_ml.training.gan_schedule import StageMeans
from tests.models_ml import tiny

PER_EPOCH = 8  # 16 negative training images of `tiny`, two at a time


class Killed(Exception):
    """Stands for the power cut."""


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stages") / "target"
    train_classifier(tiny.images(), tiny.classifier_config(4), seed=1, folder=folder, report=silent)
    return folder


def train_small_gan(folder, target, *, report=silent, **bounds):
    """A GAN by the article's stages at tiny size, each of two epochs at most, with other bounds by stage number."""
    stages = [
        replace(
            stage, limit=Length(epochs=2), stop=stage.stop and replace(stage.stop, **bounds.get(f"s{stage.number}", {}))
        )
        for stage in ARTICLE_STAGES
    ]
    config = replace(tiny.gan_config(), stages=tuple(stages), snapshots=None, save_every=Length(steps=3))
    return train_gan(
        tiny.images(), direction="remove", classifier=target, config=config, seed=4, folder=folder, report=report
    )


def watched(values, stop: Stop, *, per_epoch: int) -> list[bool]:
    """Whether the criterion holds after each of these gaps."""
    means, met = StageMeans.start(PRESETS["zhou2021-high"].remove), []
    for step, gap in enumerate(values, start=1):
        means = means.after(identity=None, gap=gap, ends_epoch=step % per_epoch == 0)
        met.append(means.meets(stop))
    return met


def test_one_batch_never_meets_an_article_s_criterion():
    stop = ARTICLE_STAGES[4].stop
    noisy = [-0.5, 0.6, 0.6, 0.6, 0.6, 0.6]
    assert watched(noisy, replace(stop, mean_over="steps"), per_epoch=6)[0]
    assert not any(watched(noisy, stop, per_epoch=6))


def test_the_mean_of_each_whole_epoch_is_compared_and_the_next_starts_afresh():
    stop = Stop("gap", "below", 0.01, mean_over="epoch")
    assert watched([0.5, 0.5, 0.5, -0.4, 0.0, 0.4], stop, per_epoch=3) == [False] * 5 + [True]


def test_an_epoch_without_a_value_meets_nothing():
    stop = Stop("gap", "below", 0.01, mean_over="epoch")
    assert watched([-1.0, None, None, None], stop, per_epoch=2) == [False, True, True, False]


def test_a_stage_by_the_article_s_rules_lasts_for_one_epoch_at_least(tmp_path, target):
    result = train_small_gan(tmp_path, target, s1={"bound": 1e9}, s2={"bound": -1e9}, s5={"bound": 1e9})
    assert [stage["steps"] for stage in result.stages] == [PER_EPOCH, PER_EPOCH, 16, 16, PER_EPOCH]
    assert [stage["met"] for stage in result.stages] == [True, True, False, False, True]
    assert [stage["criterion_first_met"] for stage in result.stages] == [8, 8, 0, 0, 8]
    assert [stage["criterion_mean"] is None for stage in result.stages] == [False, False, True, True, False]


@pytest.mark.parametrize("after", [5, 21])
def test_a_killed_run_ends_its_stages_where_it_would_have(tmp_path, target, after):
    """Stage 2's bound lies just below a mean that one of its epochs reaches: one batch left out would show."""
    reached = train_small_gan(tmp_path / "first", target, s1={"bound": 1e9}).stages[1]["criterion_mean"]
    bounds = {"s1": {"bound": 1e9}, "s2": {"bound": reached - 1e-6}}
    whole = train_small_gan(tmp_path / "whole", target, **bounds)

    def kill(done, *_):
        if done == after:
            raise Killed

    with pytest.raises(Killed):
        train_small_gan(tmp_path / "cut", target, report=kill, **bounds)
    assert (tmp_path / "cut" / checkpoint.RESUME).exists()
    assert train_small_gan(tmp_path / "cut", target, **bounds).stages == whole.stages


def test_means_survive_being_saved():
    means = StageMeans.start(PRESETS["demo"].remove).after(identity=0.1, gap=0.3, ends_epoch=True)
    means = means.after(identity=0.2, gap=None, ends_epoch=False)
    assert StageMeans.from_state(json.loads(json.dumps(asdict(means)))) == means


def test_the_demo_s_stages_are_judged_by_a_running_mean():
    stops = [
        stage.stop for gan in (PRESETS["demo"].remove, PRESETS["demo"].insert) for stage in gan.stages if stage.stop
    ]
    assert {stop.mean_over for stop in stops} == {"steps"}
