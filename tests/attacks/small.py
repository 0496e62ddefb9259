"""A small untrained network and images whose labels are its decisions, to attack within milliseconds."""

from dataclasses import replace

import torch

from attacks.constraints.budget import AttackBatch
from models_ml.data.images import to_tensor
from models_ml.networks import build
from models_ml.networks.classifier import Classifier
from tests.models_ml import tiny

EPSILON = 2570  # 10/255


def small_classifier() -> Classifier:
    """Return a classifier with fixed weights that need no gradient, in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        # No dense layers, as in the demo preset: a norm over so few features would leave them hardly any slope.
        classifier = build(replace(tiny.classifier_config(), fnet_dense=()))
    return classifier.eval().requires_grad_(False)


def small_batch(classifier: Classifier, count: int = 6) -> AttackBatch:
    """Return tiny images of both classes, with the classifier's decisions as their labels."""
    images = to_tensor(tiny.images().pixels[:count], torch.device("cpu"))
    with torch.no_grad():
        logits = classifier(images)
        # The output's offset is moved to the middle of the scores, so that both decisions occur.
        difference = logits[:, 1] - logits[:, 0]
        classifier.output.bias[0] += difference.median() + difference.std() * 0.01
        labels = classifier(images).argmax(1)
    return AttackBatch(images, labels, tuple(range(count)))


def only(batch: AttackBatch, row: int) -> AttackBatch:
    """Return a batch of one image."""
    return AttackBatch(batch.images[row : row + 1], batch.labels[row : row + 1], batch.seeds[row : row + 1])
