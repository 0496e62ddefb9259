"""Determinism and TF32 of a graphics card, as far as they can be tested without one."""

import os

import pytest
import torch

from models_ml.errors import LabError
from models_ml.networks import build
from models_ml.networks.piecewise_linear import Trunk
from models_ml.runs import checkpoint
from models_ml.runs.checkpoint import provenance
from models_ml.runs.model_card import model_card
from models_ml.runtime.card import WORKSPACE, CardSettings, float32
from models_ml.runtime.device import choose_device
from readerstudy import serialise
from readerstudy.vocabulary import CardFloats
from tests.models_ml import tiny

CARD, CPU = torch.device("cuda", 0), torch.device("cpu")


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """Give torch back as it was."""
    monkeypatch.delenv("CARD_DETERMINISM", raising=False)
    monkeypatch.delenv("CARD_FLOATS", raising=False)
    monkeypatch.setenv(WORKSPACE, "")
    monkeypatch.delenv(WORKSPACE)
    for module, name in (
        (torch.backends.cudnn, "deterministic"),
        (torch.backends.cudnn, "benchmark"),
        (torch.backends, "fp32_precision"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    ("word", "is_on", "only_warns"), [("", False, False), ("possible", True, True), ("required", True, False)]
)
def test_a_card_is_as_deterministic_as_the_setting_says(monkeypatch, word, is_on, only_warns):
    monkeypatch.setenv("CARD_DETERMINISM", word)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    choose_device()
    assert torch.are_deterministic_algorithms_enabled() is is_on
    assert torch.is_deterministic_algorithms_warn_only_enabled() is only_warns
    assert torch.backends.cudnn.deterministic is is_on
    assert (os.environ.get(WORKSPACE) == ":4096:8") is is_on


def test_a_processor_is_left_as_it_is(monkeypatch):
    monkeypatch.setenv("CARD_DETERMINISM", "required")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    choose_device()
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize(("name", "value"), [("CARD_DETERMINISM", "always"), ("CARD_FLOATS", "yes")])
def test_another_word_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(LabError, match=f"{name} is '{value}'"):
        CardSettings.of_environment()


def test_float32_is_full_but_where_tf32_is_asked_for():
    torch.backends.fp32_precision = "ieee"
    with float32(CARD, CardFloats.TF32):
        assert torch.backends.cudnn.conv.fp32_precision == "tf32"
        with float32(CARD):  # the scores of the tuning images, in the middle of a training
            assert torch.backends.cudnn.conv.fp32_precision == "ieee"
            assert torch.backends.cuda.matmul.fp32_precision == "ieee"
        assert torch.backends.cuda.matmul.fp32_precision == "tf32"
    assert torch.backends.fp32_precision == "ieee"
    with float32(CPU, CardFloats.TF32):
        assert torch.backends.fp32_precision == "ieee"


def test_a_run_and_its_card_say_how_the_card_computed(monkeypatch):
    images, config = tiny.images(), tiny.classifier_config()
    identity = checkpoint.identity("classifier", images, config, 1)
    monkeypatch.setenv("CARD_DETERMINISM", "possible")
    monkeypatch.setenv("CARD_FLOATS", "tf32")
    described = {"precision": "fp32", "metrics": {}, "history": []}
    run = provenance(identity, images, device=CARD, **described)
    assert (run.determinism, run.float32) == ("possible", "tf32")
    card = model_card("run", serialise.to_dict(run))
    assert "float32 on the card: tf32" in card
    assert "deterministic algorithms on the card: possible" in card
    assert provenance(identity, images, device=CPU, **described).determinism == ""


def test_deterministic_pools_spread_the_same_gradient():
    torch.manual_seed(3)
    network = build(tiny.classifier_config())
    trunk = Trunk(network, torch.float64)
    images = torch.rand(2, 1, 32, 24, dtype=torch.float64)
    passed = trunk.up(images)
    signal = torch.randn_like(passed.maps)
    usual = trunk.down(passed, signal)
    torch.use_deterministic_algorithms(True)
    assert torch.equal(trunk.down(passed, signal), usual)
    assert any(pixels is not None for pixels in passed.picked)
