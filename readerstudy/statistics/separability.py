"""Can two kinds be told apart by a few numbers? A small cross-validated classifier and a permutation test."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

FOLDS = 5
PERMUTATIONS = 999
RIDGE = 1.0


@dataclass(frozen=True)
class Separability:
    """How well held-out images were told apart: AUC, and the share of shuffled labels that did as well."""

    auc: float
    p: float
    permutations: int
    features: int  # that varied at all


def separability(
    features: Floats, labels: Labels, *, rng: np.random.Generator, permutations: int = PERMUTATIONS
) -> Separability:
    """Cross-validated ridge discriminant on features (images, k) for labels (images,) of 0 and 1.

    The AUC is that of held-out scores; p is one-sided, (1 + as good) / (1 + permutations) (Phipson & Smyth, 2010).
    Features that do not vary tell nothing: without any, the AUC is .5 and p is 1. Raises ValueError where there
    are fewer than two images of a kind in a fold's worth of images.
    """
    counts = np.bincount(labels, minlength=2)
    if len(counts) != 2 or counts.min() < 2 or len(labels) < 2 * FOLDS:
        raise ValueError("Telling apart needs two kinds, and at least ten images with two of each kind.")
    varying = features[:, features.std(axis=0) > 0]
    if varying.shape[1] == 0:
        return Separability(auc=0.5, p=1.0, permutations=permutations, features=0)
    to_scores = _cross_validation(varying, rng)
    shuffled = np.stack([labels, *(rng.permutation(labels) for _ in range(permutations))], axis=1)
    aucs = _areas(to_scores @ (2.0 * shuffled - 1), shuffled)
    as_good = int((aucs[1:] >= aucs[0] - 1e-12).sum())
    return Separability(
        auc=float(aucs[0]), p=(1 + as_good) / (1 + permutations), permutations=permutations, features=varying.shape[1]
    )


def area(feature: Floats, labels: Labels) -> float:
    """AUC of one feature, ties half: .5 says nothing, 0 and 1 everything."""
    return float(_areas(feature[:, None], labels[:, None])[0])


def _cross_validation(features: Floats, rng: np.random.Generator) -> Floats:
    """The matrix that turns labels into held-out scores, (images, images).

    The scores of a ridge regression are linear in the labels, so a thousand shuffles cost one product.
    """
    count = len(features)
    fold = rng.permutation(np.arange(count) % FOLDS)
    matrix = np.zeros((count, count))
    for number in range(FOLDS):
        train, held_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        mean, sd = features[train].mean(axis=0), features[train].std(axis=0)
        x = (features - mean) / np.where(sd > 0, sd, 1.0)
        weights = np.linalg.solve(x[train].T @ x[train] + RIDGE * np.eye(x.shape[1]), x[train].T)
        centre = np.eye(len(train)) - 1 / len(train)  # the intercept must not carry the training fold's balance
        matrix[np.ix_(held_out, train)] = x[held_out] @ weights @ centre
    return matrix


def _areas(scores: Floats, labels: Labels) -> Floats:
    """AUC of each column of scores (images, columns) for the same column of labels."""
    ranks = rankdata(scores, axis=0)
    positives = labels.sum(axis=0)
    negatives = len(labels) - positives
    won = (ranks * labels).sum(axis=0) - positives * (positives + 1) / 2
    areas: Floats = won / (positives * negatives)
    return areas
