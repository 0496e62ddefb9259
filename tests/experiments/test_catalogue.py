"""The catalogue tells the truth about the lab: presets, methods, tasks and settings are those that there are."""

import pytest
from celery import current_app

from readerstudy.errors import BadInput
from readerstudy.experiments.catalogue import KINDS, METHODS, PRESETS, kind_named, kind_of
from readerstudy.experiments.start import checked
from tests.lab.conftest import checkpoint
from tests.without_torch import training_module


def test_presets_methods_and_tasks_are_the_lab_s():
    presets = training_module("models_ml.presets")
    registry = training_module("attacks.registry")
    current_app.loader.import_default_modules()
    assert set(PRESETS) == set(presets.PRESETS)
    assert {key for key, _title in METHODS} == set(registry.METHODS)
    assert {kind.task for kind in KINDS} <= set(current_app.tasks)


@pytest.mark.parametrize("method", [key for key, _title in METHODS])
@pytest.mark.django_db
def test_the_defaults_of_the_attack_form_suit_every_method(method, run):
    registry = training_module("attacks.registry")
    asked = {"cohort": "films", "resolutions": ["low"], "attack": {"method": method, "name": "x", "classifier": "cad"}}
    attack = checked(kind_named("attack"), asked)["attack"]
    for name in ("name", "classifier", "seed"):
        attack.pop(name)
    assert registry.Recipe.of(attack).method == method


@pytest.mark.django_db
def test_kinds_that_share_a_task_are_told_apart_by_their_parameters(run):
    by_gan = {"cohort": "films", "gan_remove": "a", "gan_insert": "b", "resolutions": ["low"]}
    assert kind_of("attacks.generate_stimuli", by_gan) == kind_named("generate")
    assert kind_of("attacks.generate_stimuli", {"cohort": "films", "attack": {}}) == kind_named("attack")
    assert kind_of("tests.count", {}) is None


@pytest.mark.django_db
def test_a_group_that_nobody_asked_for_is_left_out():
    asked = {"cohort": "films", "preset": "demo", "name": "cad"}
    clean = checked(kind_named("train-classifier"), asked)
    assert "hardened" not in clean
    assert "augmented" not in clean
    hardened = checked(kind_named("train-classifier"), {**asked, "hardened": {"epsilon": 1028}})["hardened"]
    assert hardened == {"epsilon": 1028.0, "steps": 3, "part": 0.5}
    share = checked(kind_named("train-classifier"), {**asked, "hardened": {"epsilon": "4/255"}})["hardened"]
    assert share == hardened


@pytest.mark.django_db
def test_a_generator_of_the_other_direction_is_refused():
    checkpoint("gan-insert", "generator", direction="insert")
    with pytest.raises(BadInput, match="gan_remove: gan-insert was trained to insert, not to remove"):
        checked(kind_named("generate"), {"cohort": "films", "gan_remove": "gan-insert", "gan_insert": "gan-insert"})
