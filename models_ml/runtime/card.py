"""How a graphics card computes: deterministic algorithms, and the rounding of float32.

The settings come from the environment, which the processes of a training on several cards inherit. The processor needs
neither: there the same run gives the same bits.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from models_ml.errors import LabError
from readerstudy.vocabulary import CardDeterminism, CardFloats, Word

DETERMINISM, FLOATS = "CARD_DETERMINISM", "CARD_FLOATS"
# cuBLAS adds in a fixed order only with a workspace of its own; it reads this before its first multiplication.
WORKSPACE, WORKSPACE_SIZE = "CUBLAS_WORKSPACE_CONFIG", ":4096:8"


@dataclass(frozen=True)
class CardSettings:
    """`determinism` is that of all work on a card, `floats` the rounding of float32 in training steps alone."""

    determinism: CardDeterminism = CardDeterminism.OFF
    floats: CardFloats = CardFloats.FULL

    @classmethod
    def of_environment(cls) -> "CardSettings":
        """Return the settings of CARD_DETERMINISM and CARD_FLOATS. Raises LabError for another value."""
        return cls(
            _word(DETERMINISM, CardDeterminism, default=CardDeterminism.OFF),
            _word(FLOATS, CardFloats, default=CardFloats.FULL),
        )

    def apply(self) -> None:
        """Set the determinism of this process. To be called before its first computation on the card.

        "possible" warns of an operation that has no deterministic algorithm, "required" raises torch's RuntimeError,
        which names the operation.
        """
        is_on = self.determinism is not CardDeterminism.OFF
        if is_on:
            os.environ.setdefault(WORKSPACE, WORKSPACE_SIZE)
        torch.use_deterministic_algorithms(is_on, warn_only=self.determinism is CardDeterminism.POSSIBLE)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = is_on, False

    def described(self, device: torch.device) -> dict[str, Any]:
        """Return what a run records of its card; nothing on a processor."""
        if device.type != "cuda":
            return {}
        return {"determinism": self.determinism.value, "float32": self.floats.value}


def _word(name: str, words: type[Word], *, default: Word) -> Word:
    text = os.environ.get(name) or default.value
    if text not in list(words):
        raise LabError(f"{name} is {text!r}; it must be {', '.join(words)}.")
    return words(text)


@contextmanager
def float32(device: torch.device, floats: CardFloats = CardFloats.FULL) -> Iterator[None]:
    """Compute float32 on a card in full, or with the rounding of TF32. By default cuDNN rounds convolutions so."""
    if device.type != "cuda":
        yield
        return
    # torch's stubs lack this setting.
    before = torch.backends.fp32_precision  # type: ignore[attr-defined]
    _set_precision("tf32" if floats is CardFloats.TF32 else "ieee")
    try:
        yield
    finally:
        _set_precision(before)


def _set_precision(precision: str) -> None:
    # torch's stubs lack this setting.
    torch.backends.fp32_precision = precision  # type: ignore[attr-defined]
