"""An attack in words, from the settings that are stored with it."""

import pytest
from django.utils.translation import override

from readerstudy.experiments.attack_words import attack_words

PGD = {
    "epsilon": 1028,
    "steps": 100,
    "stride": 0.25,
    "random_start": True,
    "iterate": "best",
    "epsilon_share": "4/255",
    "keep_background": True,
    "keep_grid": False,
    "weights": "f" * 64,
}


def test_an_attack_is_named_with_its_budget_and_settings():
    assert attack_words("pgd", PGD) == (
        "PGD: many small steps (budget 1028 grey levels, or 4/255 of full scale, 100 steps, stride=0.25, "
        "random_start=true, iterate=best, keep_grid=false)"
    )


@pytest.mark.parametrize(
    ("method", "stored", "words"),
    [
        ("fgsm", {"epsilon": 514}, "FGSM: one step along the gradient (budget 514 grey levels)"),
        ("fgsm", {}, "FGSM: one step along the gradient"),
        ("pgd", {"steps": 1}, "PGD: many small steps (1 step)"),
        ("by-hand", {"tool": "a brush", "layers": [1, 2], "note": ""}, "by-hand (tool=a brush)"),
    ],
)
def test_what_is_not_stored_is_not_said(method, stored, words):
    assert attack_words(method, stored) == words


def test_the_words_are_in_the_language_of_the_page():
    with override("de"):
        assert "Graustufen, 100 Schritte" not in attack_words("fgsm", {"epsilon": 514})
        assert "514 Graustufen" in attack_words("fgsm", {"epsilon": 514})
