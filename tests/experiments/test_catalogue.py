"""The catalogue agrees with the learning packages: presets, methods, settings, tasks."""

import pytest
from celery import current_app

from readerstudy.experiments.catalogue import ATTACK, KINDS
from readerstudy.experiments.check import check_parameters
from readerstudy.experiments.fields import METHODS, PRESETS, SHARED_SETTINGS
from readerstudy.modalities import MODALITIES
from tests.without_torch import training_module


def test_presets_agree_with_the_learning_packages():
    presets = training_module("models_ml.presets").PRESETS
    assert set(PRESETS) == set(presets)
    for modality in MODALITIES.values():
        for name, layout in modality.presets.items():
            rows = presets[name].classifier.rows
            large_enough = [each.name for each in modality.layouts.values() if rows <= each.rows]
            assert layout == large_enough[-1]


def test_every_kind_has_a_task_of_its_name():
    training_module("models_ml.tasks")
    current_app.loader.import_default_modules()
    assert {kind.key for kind in KINDS} <= set(current_app.tasks)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.key)
def test_methods_agree_with_the_learning_packages(method):
    registry = training_module("attacks.registry")
    assert {method.key for method in METHODS} == set(registry.METHODS)
    settings = set(registry.default_settings()[method.key]) - {"epsilon_share", *registry.STEPS}
    assert {*method.settings, *SHARED_SETTINGS} == settings


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.key)
@pytest.mark.django_db
def test_the_defaults_of_the_catalogue_suit_every_method(method, cohort, run):
    registry = training_module("attacks.registry")
    parameters = {"cohort": "films", "attack": {"method": method.key, "classifier": "cad"}}
    attack = check_parameters(ATTACK, parameters)["attack"]
    for name in ("name", "classifier", "seed"):
        attack.pop(name)
    assert registry.Recipe.from_settings(attack).method == method.key


def test_keys_and_field_names_are_unique():
    assert len({kind.key for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        names = [field.name for field in kind.fields]
        assert len(set(names)) == len(names)
        assert all(field.needs in names for field in kind.fields if field.needs)
