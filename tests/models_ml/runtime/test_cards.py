"""Graphics cards, as far as they can be tested without one."""

import pytest
import torch

from models_ml.runtime.device import choose_device
from models_ml.tasks.training import processes_for


@pytest.mark.parametrize(
    ("cards", "images", "processes"), [(0, 4, 1), (1, 4, 1), (2, 4, 2), (3, 4, 2), (8, 4, 4), (3, 2, 2), (8, 2, 2)]
)
def test_as_many_cards_train_as_divide_a_batch(monkeypatch, cards, images, processes):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
    assert processes_for({}, images) == processes
    assert processes_for({"processes": 3}, images) == 3  # refused later, by name


def test_a_process_makes_its_card_the_current_one_and_computes_float32_in_full(monkeypatch):
    current = []
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    monkeypatch.setattr(torch.backends, "fp32_precision", "none", raising=False)
    assert choose_device() == torch.device("cuda", 2)
    assert current == [torch.device("cuda", 2)]
    assert torch.backends.fp32_precision == "ieee"


def test_without_a_card_the_processor_computes(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == torch.device("cpu")
