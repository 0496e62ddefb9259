"""Chance that needs no memory: every step draws from its own seed.

A run that was killed therefore goes on exactly as if it had not been: weights, optimiser and step number
say it all.
"""

from typing import Literal

import numpy as np
import torch

Purpose = Literal["start", "order", "augment", "noise", "snapshot", "harden"]
PURPOSES: tuple[Purpose, ...] = ("start", "order", "augment", "noise", "snapshot", "harden")


def rng(seed: int, purpose: Purpose, *where: int) -> np.random.Generator:
    """A generator for one purpose at one place (epoch, or stage and step) of a run."""
    return np.random.default_rng([seed, PURPOSES.index(purpose), *where])


def seed_torch(seed: int, purpose: Purpose, *where: int) -> None:
    """The same for what torch draws: starting weights and dropout."""
    torch.manual_seed(int(rng(seed, purpose, *where).integers(2**63)))


def image_seeds(seed: int, purpose: Purpose, *where: int, count: int) -> list[int]:
    """A seed for each image of a batch: what is drawn for an image does not depend on its neighbours."""
    return [int(value) for value in rng(seed, purpose, *where).integers(2**63, size=count)]
