"""Attacks by name: what is settings for, what is stored, what comes back."""

import json
from pathlib import Path

import numpy as np
import pytest

from attacks.gradient import APGD, FGSM, PGD, CarliniWagner
from attacks.gradient.patch import PatchAttack, PatchSettings
from attacks.registry import METHODS, Recipe, default_settings, prepare, version
from models_ml.errors import LabError
from models_ml.runs import checkpoint
from models_ml.runtime.progress import silent
from tests.attacks.small import small_classifier
from tests.models_ml import tiny


@pytest.mark.parametrize("method", METHODS)
def test_stored_settings_make_the_same_attack_again(method: str) -> None:
    recipe = Recipe.from_settings({"method": method, "keep_grid": False, "threshold": 0.4})
    stored = json.loads(json.dumps(recipe.settings()))
    assert Recipe.from_settings({"method": method, **stored}) == recipe
    assert stored["keep_grid"] is False
    assert stored["threshold"] == 0.4


def test_a_budget_is_stored_in_levels_and_as_a_share() -> None:
    recipe = Recipe.from_settings({"method": "pgd", "epsilon": "4/255", "steps": 10})
    assert recipe.options == PGD(1028, steps=10)
    assert recipe.settings()["epsilon"] == 1028
    assert recipe.settings()["epsilon_share"] == "4/255"
    assert Recipe.from_settings({"method": "fgsm", "epsilon": 300}).options == FGSM(300)
    assert Recipe.from_settings({"method": "apgd", "epsilon": "300"}).options == APGD(300)


def test_empty_fields_of_a_form_mean_the_default() -> None:
    assert Recipe.from_settings({"method": "cw", "epsilon": "", "steps": None}).options == CarliniWagner()


def test_further_settings_may_come_as_text() -> None:
    recipe = Recipe.from_settings(
        {"method": "patch", "settings": "diameter=0.1; position=[0.5, 0.2]; gradient = upsampled"}
    )
    assert recipe.options == PatchSettings(diameter=0.1, position=(0.5, 0.2))
    assert recipe.gradient == "upsampled"
    assert "settings" not in recipe.settings()


@pytest.mark.parametrize(
    ("invalid", "message"),
    [
        ({"method": "magic"}, "no attack 'magic'; there are: fgsm"),
        ({}, "no attack ''"),
        ({"method": "fgsm", "steps": 3}, "fgsm has no setting steps; it has: epsilon"),
        ({"method": "cw", "epsilon": "4/255"}, "cw has no setting epsilon"),
        ({"method": "pgd", "epsilon": "lots"}, "budget"),
        ({"method": "pgd", "steps": 0}, "steps of pgd cannot be 0"),
        ({"method": "pgd", "steps": 2.5}, "steps of pgd cannot be 2.5"),
        ({"method": "pgd", "random_start": "yes"}, "random_start of pgd cannot be 'yes'"),
        ({"method": "pgd", "gradient": "around"}, "full_resolution or upsampled"),
        ({"method": "pgd", "threshold": 1.0}, "threshold"),
        ({"method": "pgd", "keep_grid": 1}, "keep_grid is true or false"),
        ({"method": "patch", "diameter": 0.9}, "less than half"),
        ({"method": "pgd", "settings": "steps"}, "NAME=VALUE"),
    ],
)
def test_invalid_settings_are_errors(invalid: dict, message: str) -> None:
    with pytest.raises(LabError, match=message):
        Recipe.from_settings(invalid)


def test_every_method_has_its_defaults_for_a_form() -> None:
    shown = default_settings()
    assert set(shown) == set(METHODS)
    assert shown["pgd"]["steps"] == PGD().steps
    assert shown["patch"]["diameter"] == PatchSettings().diameter


def test_the_version_is_of_these_sources() -> None:
    assert version() == version()
    assert version() != checkpoint.code_version()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with an untrained classifier in it."""
    images = tiny.images()
    classifier = small_classifier()
    identity = checkpoint.identity("classifier", images, classifier.config, 1, start="scratch")
    device = next(classifier.parameters()).device
    description = checkpoint.provenance(identity, images, device=device, precision="fp32", metrics={}, history=[])
    checkpoint.write_run(tmp_path / "target", description, classifier)
    return tmp_path / "target"


def prepared(run: Path, settings: dict):
    requested_labels: list[int] = []

    def training(label: int, size: tuple[int, int]) -> np.ndarray:
        assert size == (tiny.ROWS, tiny.COLUMNS)
        requested_labels.append(label)
        images = tiny.images()
        return images.pixels[images.rows("train", label)][:4]

    attack = prepare(
        Recipe.from_settings(settings),
        run,
        seed=3,
        textures=run.parent / "textures",
        training=training,
        report=silent,
    )
    return attack, requested_labels


def test_a_gradient_attack_has_both_labels_and_its_weights(run: Path) -> None:
    attack, requested_labels = prepared(run, {"method": "fgsm"})
    assert [attack.label for attack in attack.by_label.values()] == [0, 1]
    assert attack.settings["weights"] == checkpoint.sha256(run / checkpoint.WEIGHTS) == attack.by_label[0].weights
    assert requested_labels == []


def test_a_patch_is_trained_once_and_stored(run: Path) -> None:
    settings = {"method": "patch", "steps": 3, "diameter": 0.25}
    first, learnt = prepared(run, settings)
    again, learnt_again = prepared(run, settings)
    assert (learnt, learnt_again) == ([0, 1], [])
    assert first.settings == again.settings
    assert first.settings["texture_0"] != first.settings["texture_1"]
    assert isinstance(first.by_label[1], PatchAttack)
    assert np.array_equal(first.by_label[1].texture, again.by_label[1].texture)
