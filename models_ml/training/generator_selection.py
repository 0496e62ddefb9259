"""Scores for the choice of the generator in a GAN's last stage, on a few training images."""

import torch
from torch import Tensor

from models_ml.config import GanConfig, Snapshots
from models_ml.data.images import Rows
from models_ml.networks.classifier import Classifier
from models_ml.networks.generator import Generator
from models_ml.networks.losses import identity_loss
from models_ml.runtime.device import autocast, drawn_at_once
from models_ml.runtime.randomness import rng
from models_ml.training.steps import generate

TOGETHER = 8  # images that are drawn and scored together if the memory has room for them


def watched_rows(sources: Rows, config: GanConfig, seed: int) -> Rows:
    """Return the rows of a few training images of the source class, drawn once per run."""
    if config.snapshots is None:
        return sources[:0]
    return rng(seed, "snapshot").permutation(sources)[: config.snapshots.images]


@torch.no_grad()
def snapshot_score(
    generator: Generator,
    classifier: Classifier,
    images: Tensor,
    *,
    wanted: int,
    rule: Snapshots,
    config: GanConfig,
) -> float:
    """Return the mean change of the positive probability in the wanted direction minus the price of visible change.

    `wanted` is +1 for an increase, −1 for a decrease. `images` are as `steps.generate` takes them.
    """
    device = next(generator.parameters()).device
    generator.eval()
    moved, identities = [], []
    size = drawn_at_once(TOGETHER, config.rows * config.columns, device)
    for start in range(0, len(images), size):
        part = images[start : start + size].to(device)
        y = part[:, :1]
        with autocast(config.precision, device):
            adversarial = generate(generator, part)
            moved.append(classifier(adversarial).softmax(1)[:, 1] - classifier(y).softmax(1)[:, 1])
        identity = identity_loss(classifier.normalise(adversarial)[:, :1], classifier.normalise(y)[:, :1])
        identities.append(identity * len(part))
    generator.train()
    visible = torch.stack(identities).sum().item() / len(images)
    return wanted * torch.cat(moved).mean().item() - rule.price * max(0.0, visible - rule.identity_bound)
