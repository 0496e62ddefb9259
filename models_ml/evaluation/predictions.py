"""Scores of a classifier, in float32, and thresholds."""

from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray

from models_ml.data.images import to_tensor
from models_ml.errors import LabError, WrongImages
from models_ml.networks.classifier import Classifier
from models_ml.runtime.card import float32
from models_ml.runtime.device import scored_at_once

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
TOGETHER = 16  # images that are scored together if the memory has room for them


@torch.no_grad()
def scores(
    classifier: Classifier,
    pixels: NDArray[np.uint16],
    *,
    rows: NDArray[np.int64] | None = None,
    device: torch.device | None = None,
    batch: int = 0,
) -> Floats:
    """Return the positive probability (N,) of 16-bit images (N, H, W), computed in float32; of `rows` only, if given.

    `batch` images are scored together; 0: sixteen, or fewer if the memory has no room for them. Raises WrongImages if
    the classifier reads another size.
    """
    config, device = classifier.config, device or torch.device("cpu")
    if pixels.shape[1:] != (config.rows, config.columns):
        raise WrongImages(f"The classifier reads {config.rows} × {config.columns}, not {pixels.shape[1:]}.")
    rows = np.arange(len(pixels)) if rows is None else rows
    batch = batch or scored_at_once(TOGETHER, config.rows * config.columns, device)
    was_training = classifier.training
    classifier.eval()
    with float32(device):
        parts = [
            classifier(to_tensor(pixels[rows[start : start + batch]], device)).softmax(1)[:, 1].cpu().double().numpy()
            for start in range(0, len(rows), batch)
        ]
    classifier.train(was_training)
    return np.concatenate(parts) if parts else np.zeros(0)


def youden_threshold(score: Floats, labels: Labels) -> float:
    """Return the threshold with the greatest sensitivity + specificity (Youden, 1950); of tied ones the middle one.

    Candidates lie halfway between neighbouring scores; an image is called positive above the threshold. Raises
    LabError if a class is missing or all scores are equal.
    """
    values = np.unique(score)
    if len(values) < 2 or len(np.unique(labels)) < 2:
        raise LabError("A threshold needs positive and other images with different scores.")
    cuts = (values[:-1] + values[1:]) / 2
    called = score[None] > cuts[:, None]
    index = called[:, labels == 1].mean(1) - called[:, labels == 0].mean(1)
    best = np.flatnonzero(np.isclose(index, index.max(), rtol=0, atol=1e-12))
    return float(cuts[best[len(best) // 2]])


def sensitivity_threshold(score: Floats, labels: Labels, *, least: float) -> float:
    """Return the greatest threshold that calls at least the share `least` of the positive images positive.

    It lies halfway to the score below, or just below the lowest score if that one must be called too. Raises LabError
    if a class is missing or `least` is not a share.
    """
    if not 0 < least <= 1:
        raise LabError(f"A sensitivity lies above 0 and at most at 1, not at {least}.")
    positives = np.sort(score[labels == 1])[::-1]
    if not len(positives) or len(np.unique(labels)) < 2:
        raise LabError("A threshold needs positive and other images with different scores.")
    lowest_called = positives[ceil(least * len(positives) - 1e-9) - 1]
    below = score[score < lowest_called]
    return float((lowest_called + (below.max() if len(below) else lowest_called - 2e-6)) / 2)
