"""Values of settings and measurements as text: labels, units, significant digits."""

import numpy as np
import pytest
from django.utils import translation

from readerstudy.experiments.catalogue import get_kind
from readerstudy.imaging.quality import measure_quality
from readerstudy.lab.key_values import duration, facts, parameter_facts
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.serialise import to_dict
from tests.without_torch import training_module

REASON = {"kind": "criterion-met", "criterion": {"quantity": "gap", "sense": "above", "bound": 0.2}}
STAGE = {"number": 1, "steps": 8, "met": True, "reason": REASON, "gap": 0.2064512}


def texts(**values) -> dict[str, str]:
    return {str(fact.label or fact.name): fact.text for fact in facts(values)}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("seconds", 79.0486, ("Time taken", "1 min 19 s")),
        ("kept_step", 101, ("Kept from step", "101")),
        ("tuning_auc", 0.75862, ("AUC on the tuning images", "0.7586")),
        ("gap", -0.6455501, ("Gap of the discriminator", "−0.6456")),
        ("epsilon", 1028, ("Budget", "1028 grey levels")),
        ("linf_levels", 12345.0, ("Greatest change of a pixel", "12345 grey levels")),
        ("seed", 2**62 - 1, ("seed", "4611686018427387903")),
        ("fnet_rate", 1e-05, ("Learning rate of Fnet", "1e−05")),
        ("psnr_db", 34.0412, ("Signal to noise (PSNR)", "34.0 dB")),
        ("changed_share", 0.123456, ("Pixels changed", "12.3 %")),
        ("keep_background", True, ("Background kept", "yes")),
        ("position", "deepest", ("Location of the patch", "at the deepest point of the region")),
        ("save_every", {"steps": 0, "epochs": 1}, ("Saved every", "1 epoch")),
        ("attacks", ["a", "b"], ("Attacks trained on", "a, b")),
        ("vgg_weights", "", ("vgg_weights", "–")),
        ("something_new", 0.1234567, ("something_new", "0.1235")),
    ],
)
def test_values_have_labels_and_units(name, value, words):
    assert texts(**{name: value}) == dict([words])


def test_values_of_one_modality_have_its_words():
    words = MAMMOGRAPHY.words.lab
    values = {"position": "random", "changed_outside_share": 0.5, "lesion_enrichment": 2, "gap": 0.5}
    assert {str(fact.label): fact.text for fact in facts(values, words=words)} == {
        "Gap of the discriminator": "0.5",
        "Location of the patch": "anywhere in the breast",
        "Changed pixels outside the breast": "50 %",
        "Change in the lesion relative to the breast": "2",
    }


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(7.26, "7.3 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (7260, "2 h 1 min")],
)
def test_durations_are_in_minutes_and_seconds(seconds, words):
    assert duration(seconds) == words


def test_numbers_have_the_decimal_sign_of_the_language():
    with translation.override("de"):
        assert facts({"gap": 0.5})[0].text == "0,5"


def test_stages_are_shown_as_a_table():
    (fact,) = facts({"stages": [STAGE, {**STAGE, "number": 2, "criterion_first_met": 0}]})
    assert [column.title for column in fact.table.columns][:2] == ["Stage", "Steps"]
    assert fact.table.rows[0][:3] == ("1", "8", "0.2065")
    assert {column.title for column in fact.table.columns if not column.is_number} >= {
        "Reason for its end",
        "Criterion met",
    }
    assert fact.table.rows[1][-1] == "–", "never met"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("criterion-met", "criterion met: gap above 0.2"),
        ("no-criterion", "length reached (the stage has no criterion)"),
        ("by-epochs", "length reached (stages end by their epochs in this run)"),
        ("not-counted", "length reached (gap above 0.2 did not count: the discriminator never reached its gap)"),
        ("criterion-not-met", "length reached without the criterion: gap above 0.2"),
    ],
)
def test_the_reason_for_the_end_of_a_stage_has_words(kind, text):
    assert texts(reason={**REASON, "kind": kind}) == {"Reason for its end": text}


def test_the_reason_is_in_the_language_of_the_page():
    with translation.override("de"):
        assert facts({"reason": REASON})[0].text == "Kriterium erfüllt: Abstand über 0,2"


def test_deeply_nested_values_are_shown_as_json():
    (fact,) = facts({"augmentation": {"rotation": 45.0, "shear": {"least": 1}}})
    assert '"rotation": 45.0' in fact.block


def test_parameters_have_the_titles_and_order_of_the_form():
    parameters = {"attack": {"method": "pgd", "epsilon": 1028, "new": 1}, "cohort": "films", "resolutions": ["low"]}
    pairs = [(str(fact.label or fact.name), fact.text) for fact in parameter_facts(parameters, get_kind("attack"))]
    assert pairs == [
        ("Cohort", "films"),
        ("Method", "PGD: many small steps"),
        ("Budget", "1028 grey levels"),
        ("Resolutions", "Low (1024 × 832)"),
        ("attack.new", "1"),
    ]


def test_parameters_of_an_unknown_kind_are_shown():
    assert [fact.text for fact in parameter_facts({"cohort": "films"}, None)] == ["films"]


def test_all_attack_settings_and_quality_measures_have_labels():
    registry = training_module("attacks.registry")
    real = np.arange(192 * 192, dtype=np.uint16).reshape(192, 192)
    box = [{"top": 0.1, "left": 0.1, "bottom": 0.5, "right": 0.5}]
    figures = measure_quality(real, real[::-1].copy(), lesions=box, region=real > 9)
    for values in (*registry.default_settings().values(), figures):
        assert [fact.name for fact in facts(values) if not fact.label] == []


def test_all_settings_of_networks_have_labels():
    presets = training_module("models_ml.presets").PRESETS
    for preset in presets.values():
        for values in (to_dict(preset.classifier), to_dict(preset.remove), to_dict(preset.insert)):
            assert [fact.name for fact in facts(values) if not fact.label] == []
