"""Stateless random numbers: every step derives its own seed.

An interrupted run therefore needs only weights, optimisers and the number of the step to end as an uninterrupted one.
"""

from typing import Literal

import numpy as np
import torch

Purpose = Literal["start", "order", "augment", "noise", "snapshot", "attack"]
# The index of a purpose enters its seeds: append new ones at the end.
PURPOSES: tuple[Purpose, ...] = ("start", "order", "augment", "noise", "snapshot", "attack")


def rng(seed: int, purpose: Purpose, *point: int) -> np.random.Generator:
    """Return the random number generator for one purpose at one point (epoch or step) of a run."""
    return np.random.default_rng([seed, PURPOSES.index(purpose), *point])


def seed_torch(seed: int, purpose: Purpose, *point: int) -> None:
    """Seed torch's random numbers (initial weights, dropout) for one purpose at one point of a run."""
    torch.manual_seed(int(rng(seed, purpose, *point).integers(2**63)))


def image_seeds(seed: int, purpose: Purpose, *point: int, count: int) -> list[int]:
    """Return a seed for each image of a batch, so that its random numbers do not depend on the other images."""
    return [int(value) for value in rng(seed, purpose, *point).integers(2**63, size=count)]
