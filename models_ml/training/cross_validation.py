"""Cross-validation by patient, for cohorts too small to hold many women back.

Every fold trains a classifier of its own (and, where asked, both GANs) and judges the women whom it has never seen:
one part in k is tested, the next one chooses checkpoint and threshold, the rest trains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models_ml.config import DIRECTIONS, ClassifierConfig, GanConfig
from models_ml.data.images import ImageSet, Rows, to_tensor
from models_ml.errors import LabError
from models_ml.evaluation.attack_table import REPLICATES, Texts, attack_table, decide
from models_ml.evaluation.predictions import Floats, scores, youden_threshold
from models_ml.runs.checkpoint import load_classifier, load_generator
from models_ml.runtime.device import choose_device, drawn_at_once
from models_ml.runtime.progress import Report
from models_ml.training.classifier import train_classifier
from models_ml.training.gan import train_gan
from models_ml.training.steps import drawn
from readerstudy.imaging.image import WHITE, quantise
from readerstudy.results.cross_validation import CrossValidated, FoldResult
from readerstudy.results.evaluation import ThresholdRule
from readerstudy.results.progress import Activity
from readerstudy.statistics.roc import auc_by_patient
from readerstudy.vocabulary import Direction, Split

LEAST_FOLDS = 3
BOOTSTRAP_SEED = 20210013
TOGETHER = 8  # images that a generator draws together if the memory has room for them
PART = 1000  # what one training counts in the progress


@dataclass(frozen=True)
class CrossValidation:
    """What is trained in every fold; without GANs only the classifier is judged."""

    classifier: ClassifierConfig
    gans: Mapping[Direction, GanConfig] | None = None
    folds: int = 5
    seed: int = 1


@dataclass(frozen=True)
class Fold:
    """What one fold's networks made of the women whom they had not seen; arrays aligned with `rows`."""

    number: int
    rows: Rows
    threshold: float
    score: Floats
    adversarial: Floats | None


def deal(patients: Texts, strata: Texts, *, folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of every image: all images of a woman in one, her strata (her worst pathology) spread evenly.

    Raises LabError where there are fewer women than folds, or fewer than three folds.
    """
    if folds < LEAST_FOLDS:
        raise LabError(f"Cross-validation needs at least {LEAST_FOLDS} folds: to train, to choose and to test.")
    names, first = np.unique(patients, return_index=True)
    if len(names) < folds:
        raise LabError(f"{len(names)} patients cannot be dealt into {folds} folds.")
    chance = np.random.default_rng([seed, folds])
    of_patient: dict[str, int] = {}
    for stratum in np.unique(strata[first]):
        # The next stratum goes on where this one stopped, so that no fold collects the leftovers.
        for name in chance.permutation(names[strata[first] == stratum]):
            of_patient[str(name)] = len(of_patient) % folds
    return np.array([of_patient[str(name)] for name in patients], dtype=np.int64)


def splits_of(fold: NDArray[np.int64], number: int, folds: int) -> Texts:
    """Test this fold, tune on the next, train on the rest."""
    named = np.where(fold == number, "test", np.where(fold == (number + 1) % folds, "tuning", "train"))
    return named.astype(str)


def cross_validate(
    images: ImageSet, strata: Texts, how: CrossValidation, *, folder: Path, report: Report
) -> CrossValidated:
    """Train and judge fold after fold below `folder`; a killed run goes on where it was, a finished fold stands.

    `strata` is each image's patient's worst pathology. The splits that `images` came with play no part.
    """
    fold = deal(images.patients, strata, folds=how.folds, seed=how.seed)
    for number in range(how.folds):
        _dealt(images, fold, number, how).require(how.classifier.rows, how.classifier.columns)
    found = [_run_fold(_dealt(images, fold, number, how), number, how, folder, report) for number in range(how.folds)]
    return pooled(images, found)


def pooled(images: ImageSet, folds: Sequence[Fold], *, replicates: int = REPLICATES) -> CrossValidated:
    """The folds' judgements put together."""
    order = np.concatenate([fold.rows for fold in folds])
    labels, patients = images.labels[order], images.patients[order]
    score = np.concatenate([fold.score for fold in folds])
    table = None
    if all(fold.adversarial is not None for fold in folds):
        adversarial = np.concatenate([fold.adversarial for fold in folds if fold.adversarial is not None])
        own = np.concatenate([np.full(len(fold.rows), fold.threshold) for fold in folds])
        table = replace(
            attack_table(
                score_real=score,
                score_adversarial=adversarial,
                labels=labels,
                patients=patients,
                thresholds={},
                rng=_chance(),
                replicates=replicates,
            ),
            # Each score less its fold's threshold: above 0 is what that fold calls malignant.
            decisions=(decide(score - own, adversarial - own, labels, rule=ThresholdRule.FOLD, threshold=0),),
        )
    rows = tuple(_fold_auc(images, fold, replicates) for fold in folds)
    areas = [row.auc.value for row in rows if row.auc]
    if not areas:
        raise LabError("No fold tested malignant and other images; use fewer folds.")
    return CrossValidated(
        rows,
        float(np.mean(areas)),
        table,
        auc_by_patient(score, labels, patients, _chance(), replicates=replicates),
    )


def _dealt(images: ImageSet, fold: NDArray[np.int64], number: int, how: CrossValidation) -> ImageSet:
    return replace(images, splits=splits_of(fold, number, how.folds))


def _run_fold(images: ImageSet, number: int, how: CrossValidation, folder: Path, report: Report) -> Fold:
    seed = how.seed + number
    judge = folder / f"fold-{number + 1}"
    parts = 1 if how.gans is None else 1 + len(DIRECTIONS)
    steps = [_part(report, number * parts + part, how.folds * parts, fold=number + 1) for part in range(parts)]
    train_classifier(images, how.classifier, seed=seed, folder=judge, report=steps[0])
    device = choose_device()
    classifier = load_classifier(judge).to(device)
    tuning, rows = images.rows(Split.TUNING), images.rows(Split.TEST)
    of_tuning = scores(classifier, images.pixels, rows=tuning, device=device)
    threshold = youden_threshold(of_tuning, images.labels[tuning])
    score = scores(classifier, images.pixels, rows=rows, device=device)
    if how.gans is None:
        return Fold(number, rows, threshold, score, None)
    adversarial = np.zeros(len(rows))
    for direction, step in zip(DIRECTIONS, steps[1:], strict=True):
        gan = folder / f"fold-{number + 1}-{direction}"
        config = how.gans[direction]
        train_gan(images, direction=direction, classifier=judge, config=config, seed=seed, folder=gan, report=step)
        own = images.labels[rows] == int(direction == Direction.REMOVE)
        weights = None if images.weights is None or not config.keep_background else images.weights[rows[own]]
        made = fakes(gan, np.asarray(images.pixels[rows[own]]), weights)
        adversarial[own] = scores(classifier, made, device=device)
    return Fold(number, rows, threshold, score, adversarial)


@torch.no_grad()
def fakes(
    folder: Path, pixels: NDArray[np.uint16], weights: NDArray[np.uint8] | None = None, *, batch: int = 0
) -> NDArray[np.uint16]:
    """Return what the generator makes of 16-bit pixels (N, H, W) at its own size, as 16-bit pixels.

    `weights`, 0…255 for each pixel, say how far it may be changed; without them all may. `batch` images are drawn
    together; 0: eight, or fewer if the memory has no room for them.
    """
    generator = load_generator(folder)
    batch = batch or drawn_at_once(TOGETHER, pixels[0].size if len(pixels) else 1, torch.device("cpu"))
    parts = []
    for start in range(0, len(pixels), batch):
        rows = slice(start, start + batch)
        images = to_tensor(pixels[rows], torch.device("cpu"))
        if weights is not None:
            images = torch.cat([images, torch.from_numpy(weights[rows].astype(np.float32) / 255)[:, None]], dim=1)
        parts.append(drawn(generator, images)[:, 0].clamp(0, 1).double().numpy())
    made = quantise(np.concatenate([np.zeros((0, *pixels.shape[1:])), *parts]) * WHITE)
    return np.where(pixels == 0, np.uint16(0), made)


def _fold_auc(images: ImageSet, fold: Fold, replicates: int) -> FoldResult:
    labels, patients = images.labels[fold.rows], images.patients[fold.rows]
    auc = auc_by_patient(fold.score, labels, patients, _chance(), replicates=replicates)
    return FoldResult(fold.number, len(labels), int(labels.sum()), fold.threshold, auc)


def _chance() -> np.random.Generator:
    return np.random.default_rng(BOOTSTRAP_SEED)


def _part(report: Report, index: int, parts: int, *, fold: int) -> Report:
    """Return a report of one part of a fold as progress over all parts of all folds, each of the same weight."""

    def report_part(done: int, total: int, activity: Activity, values: dict[str, float], /) -> None:
        report(round(PART * (index + done / max(1, total))), PART * parts, activity.in_fold(fold), values)

    return report_part
