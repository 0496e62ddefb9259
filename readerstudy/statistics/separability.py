"""Separability of two classes of images by a few features: a cross-validated classifier and a permutation test."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from readerstudy.statistics.roc import areas

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

FOLDS = 5
PERMUTATIONS = 999
RIDGE = 1.0


@dataclass(frozen=True)
class Separability:
    """AUC of held-out images, and the share of permuted labels that reach it (p)."""

    auc: float
    p: float
    permutations: int
    features: int  # number of features that vary


def separability(
    features: Floats, labels: Labels, *, rng: np.random.Generator, permutations: int = PERMUTATIONS
) -> Separability:
    """Return the AUC of a cross-validated ridge discriminant on features (images, k), labels (images,) 0 or 1.

    The AUC is that of held-out scores; p is one-sided, (1 + as good) / (1 + permutations) (Phipson & Smyth, 2010).
    Constant features are dropped; if none is left, the AUC is .5 and p is 1. Raises ValueError for fewer than two
    images of a class or fewer than ten images.
    """
    varying = _varying(features, labels)
    if varying.shape[1] == 0:
        return Separability(auc=0.5, p=1.0, permutations=permutations, features=0)
    to_scores = _cross_validation(varying, rng)
    shuffled = _shuffled(labels, rng, permutations)
    aucs = areas(to_scores @ (2.0 * shuffled - 1), shuffled)
    as_good = int((aucs[1:] >= aucs[0] - 1e-12).sum())
    return Separability(
        auc=float(aucs[0]), p=(1 + as_good) / (1 + permutations), permutations=permutations, features=varying.shape[1]
    )


def strongest_feature(
    features: Floats, labels: Labels, *, rng: np.random.Generator, permutations: int = PERMUTATIONS
) -> Separability:
    """Return the AUC of the feature that separates best, in either direction, and its p over all features.

    For many features of which one may tell: a discriminant of all of them would drown it in noise. p compares the
    largest distance of an AUC from .5 with that of permuted labels (single-step max-T; Westfall & Young, 1993).
    features (images, k), labels (images,) 0 or 1. Raises ValueError as `separability` does.
    """
    varying = _varying(features, labels)
    if varying.shape[1] == 0:
        return Separability(auc=0.5, p=1.0, permutations=permutations, features=0)
    shuffled = _shuffled(labels, rng, permutations)
    positive, images = int(labels.sum()), len(labels)
    above = rankdata(varying, axis=0).T @ shuffled - positive * (positive + 1) / 2  # pairs in the right order
    largest = np.abs(above / (positive * (images - positive)) - 0.5).max(axis=0)
    as_good = int((largest[1:] >= largest[0] - 1e-12).sum())
    p = (1 + as_good) / (1 + permutations)
    return Separability(auc=float(0.5 + largest[0]), p=p, permutations=permutations, features=varying.shape[1])


def _varying(features: Floats, labels: Labels) -> Floats:
    """Return the features that are not constant. Raises ValueError for too few images."""
    counts = np.bincount(labels, minlength=2)
    if len(counts) != 2 or counts.min() < 2 or len(labels) < 2 * FOLDS:
        raise ValueError(f"labels must have two classes of at least two images each, and at least {2 * FOLDS} images.")
    return features[:, features.std(axis=0) > 0]


def _shuffled(labels: Labels, rng: np.random.Generator, permutations: int) -> Labels:
    """Return the labels and their permutations, (images, 1 + permutations)."""
    return np.stack([labels, *(rng.permutation(labels) for _ in range(permutations))], axis=1)


def feature_auc(feature: Floats, labels: Labels) -> float:
    """Return the AUC of one feature (images,); ties count half. .5 means no separation, 0 or 1 complete separation."""
    return float(areas(feature[:, None], labels[:, None])[0])


def _cross_validation(features: Floats, rng: np.random.Generator) -> Floats:
    """Return the matrix (images, images) that maps labels to held-out scores.

    Scores of a ridge regression are linear in the labels, so all permutations cost one matrix product.
    """
    count = len(features)
    fold = rng.permutation(np.arange(count) % FOLDS)
    matrix = np.zeros((count, count))
    for number in range(FOLDS):
        train, held_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        mean, sd = features[train].mean(axis=0), features[train].std(axis=0)
        x = (features - mean) / np.where(sd > 0, sd, 1.0)
        weights = np.linalg.solve(x[train].T @ x[train] + RIDGE * np.eye(x.shape[1]), x[train].T)
        centre = np.eye(len(train)) - 1 / len(train)  # no effect of the training fold's balance
        matrix[np.ix_(held_out, train)] = x[held_out] @ weights @ centre
    return matrix
