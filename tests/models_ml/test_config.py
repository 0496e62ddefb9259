"""The presets against the article's numbers, and configurations as plain data."""

import json
from dataclasses import replace

import pytest

from models_ml.config import ClassifierConfig, CompactConfig, GanConfig, Length, penalty_weight
from models_ml.errors import LabError
from models_ml.presets import PRESETS, find_preset
from readerstudy.errors import BadInput
from readerstudy.serialise import from_dict, to_dict

ARTICLE = [PRESETS["zhou2021-high"], PRESETS["zhou2021-low"]]


def test_the_penalty_keeps_its_meaning_at_other_resolutions() -> None:
    assert penalty_weight(1728, 1408) == 10
    assert penalty_weight(1024, 832) == pytest.approx(10 * (1024 * 832 / 2_433_024) ** 2)
    assert penalty_weight(1024, 832) == pytest.approx(1.2, abs=0.05)
    assert penalty_weight(256, 208) == pytest.approx(0.0048, abs=0.0001)


def test_presets_have_the_articles_resolutions() -> None:
    sizes = {name: (p.classifier.rows, p.classifier.columns) for name, p in PRESETS.items()}
    assert sizes == {
        "demo": (256, 208),
        "zhou2021-low": (1024, 832),
        "zhou2021-high": (1728, 1408),
        "compact": (128, 128),
    }


@pytest.mark.parametrize("preset", ARTICLE, ids=lambda preset: preset.name)
def test_the_classifier_trains_as_the_article_says(preset) -> None:
    config = preset.classifier
    assert (config.fnet_rate, config.vnet_rate, config.betas) == (1e-4, 1e-5, (0.5, 0.9))
    assert (config.fnet_only.epochs, config.length.epochs, config.images_per_class) == (41, 301, 4)
    assert (config.focal_gamma, config.class_weight, config.penalty_order) == (2, 0.5, 4)
    assert (config.norm_groups, config.dropout, config.leak) == (32, 0.2, 0.2)
    assert config.penalty_weight == 10
    turn = config.augmentation
    assert (turn.vertical_flip, turn.rotation, turn.shear) == (0.5, 45, 45)
    assert (turn.least_scale, turn.greatest_scale, turn.scale) == (0.5, 2, "uniform")


@pytest.mark.parametrize("preset", ARTICLE, ids=lambda preset: preset.name)
def test_the_gans_have_the_articles_five_stages(preset) -> None:
    config = preset.remove
    assert preset.insert == config
    assert [stage.limit.epochs for stage in config.stages] == [11, 10, 10, 300, 270]
    assert [stage.discriminator for stage in config.stages] == ["none", "output", "output", "fnet", "all"]
    identity, gap, _, _, last = (stage.stop for stage in config.stages)
    assert (identity.quantity, identity.sense, identity.bound) == ("identity", "below", 0.002)
    assert (gap.quantity, gap.sense, gap.bound) == ("gap", "above", 0.2)
    assert (last.quantity, last.sense, last.bound, last.after_gap) == ("gap", "below", 0.01, True)
    assert {stop.mean_over for stop in (identity, gap, last)} == {"epoch"}
    assert [stage.generator_rate for stage in config.stages if stage.generator == "adversarial"] == [1e-5] * 3
    assert config.stages[0].generator_rate == config.stages[1].output_rate == 1e-4
    assert (config.stages[3].fnet_rate, config.stages[4].vnet_rate) == (1e-4, 1e-5)
    assert {stage.generator_every for stage in config.stages[2:]} == {5}
    assert (config.images_per_class, config.identity_weight, config.snapshots) == (2, 1, None)
    assert (config.penalty_weight, config.moments, config.generator.align_corners) == (10, "kept", True)
    assert (config.generator.form, config.generator.norm, config.generator.padding) == ("plain", "group", "zeros")
    assert config.augmentation.least_scale == config.augmentation.greatest_scale == 1


def test_a_length_counts_steps_or_walks() -> None:
    assert Length(steps=7).in_steps(100) == 7
    assert Length(epochs=3).in_steps(100) == 300


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_a_configuration_survives_json(preset) -> None:
    for kind, config in ((ClassifierConfig, preset.classifier), (GanConfig, preset.insert)):
        assert from_dict(kind, json.loads(json.dumps(to_dict(config)))) == config


def test_settings_without_a_family_are_those_of_earlier_runs() -> None:
    config = PRESETS["demo"].classifier
    assert not {"family", "compact"} & set(to_dict(config))
    assert from_dict(ClassifierConfig, to_dict(config)).family == "vgg"
    compact = replace(config, family="compact", compact=CompactConfig())
    data = json.loads(json.dumps(to_dict(compact)))
    assert (data["family"], data["compact"]["dense"]) == ("compact", 64)
    assert from_dict(ClassifierConfig, data) == compact


def test_a_setting_nobody_knows_is_refused_by_name() -> None:
    data = to_dict(PRESETS["demo"].classifier) | {"learning": 3}
    with pytest.raises(BadInput, match="ClassifierConfig has no setting named learning"):
        from_dict(ClassifierConfig, data)


def test_a_missing_setting_is_refused() -> None:
    data = to_dict(PRESETS["demo"].classifier)
    del data["rows"]
    with pytest.raises(BadInput, match=r"incomplete.*rows"):
        from_dict(ClassifierConfig, data)


def test_an_unknown_preset_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LabError, match="choose one of demo, zhou2021-low, zhou2021-high, compact"):
        find_preset("zhou")
