"""Which generator of a GAN's last stage is kept, judged on a few training images."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models_ml.config import GanConfig, Snapshots
from models_ml.networks.classifier import Classifier
from models_ml.networks.generator import Generator
from models_ml.networks.losses import identity_loss
from models_ml.runtime.device import autocast, drawn_at_once
from models_ml.runtime.randomness import rng
from models_ml.training.steps import drawn

Rows = NDArray[np.int64]
TOGETHER = 8  # images that are drawn and judged together if the memory has room for them


@dataclass(frozen=True)
class Kept:
    """The best snapshot of the last stage so far."""

    score: float = -float("inf")
    step: int = 0
    weights: dict[str, Tensor] | None = None

    def or_better(self, score: float, step: int, generator: Generator) -> "Kept":
        if not score > self.score:  # also if it is NaN
            return self
        return Kept(score, step, {name: v.detach().cpu().clone() for name, v in generator.state_dict().items()})


def watched_rows(sources: Rows, config: GanConfig, seed: int) -> Rows:
    """A few training images of the source class, drawn once per run."""
    if config.snapshots is None:
        return sources[:0]
    return rng(seed, "snapshot").permutation(sources)[: config.snapshots.images]


@torch.no_grad()
def snapshot_score(
    generator: Generator,
    judge: Classifier,
    images: Tensor,
    *,
    wanted: int,
    rule: Snapshots,
    config: GanConfig,
) -> float:
    """How far the malignant probability moves the wanted way (+1 up, −1 down), less the price of visible change.

    Images as `steps.drawn` takes them.
    """
    device = next(generator.parameters()).device
    generator.eval()
    moved, identities = [], []
    size = drawn_at_once(TOGETHER, config.rows * config.columns, device)
    for start in range(0, len(images), size):
        weighed = images[start : start + size].to(device)
        y = weighed[:, :1]
        with autocast(config.precision, device):
            fakes = drawn(generator, weighed)
            moved.append(judge(fakes).softmax(1)[:, 1] - judge(y).softmax(1)[:, 1])
        identity = identity_loss(judge.normalise(fakes)[:, :1], judge.normalise(y)[:, :1])
        identities.append(identity * len(weighed))
    generator.train()
    visible = torch.stack(identities).sum().item() / len(images)
    return wanted * torch.cat(moved).mean().item() - rule.price * max(0.0, visible - rule.identity_bound)
