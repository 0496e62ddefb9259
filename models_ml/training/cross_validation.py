"""Cross-validation by patient, for cohorts too small for a large test split.

Every fold trains its own classifier (and both GANs, if asked) and is evaluated on patients that it was not trained on:
one fold in k is tested, the next one chooses checkpoint and threshold, the others train.
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
from models_ml.evaluation.trivial_controls import (
    ControlImage,
    FileHeader,
    GreyLevels,
    control_scores,
    pooled_controls,
)
from models_ml.runs.checkpoint import load_classifier, load_generator
from models_ml.runtime.device import choose_device, drawn_at_once
from models_ml.runtime.progress import Report
from models_ml.training.classifier import train_classifier
from models_ml.training.gan import train_gan
from models_ml.training.steps import generate
from readerstudy.imaging.image import WHITE, quantise
from readerstudy.results.cross_validation import CrossValidated, FoldResult
from readerstudy.results.evaluation import ThresholdRule, TrivialControl
from readerstudy.results.progress import Activity
from readerstudy.statistics.roc import auc_by_patient
from readerstudy.vocabulary import Direction, Split

LEAST_FOLDS = 3
BOOTSTRAP_SEED = 20210013
TOGETHER = 8  # images that a generator draws together if the memory has room for them
PART = 1000  # of one training, in the units of progress


@dataclass(frozen=True)
class CrossValidation:
    """What is trained in every fold. Without GANs only the classifier is evaluated."""

    classifier: ClassifierConfig
    gans: Mapping[Direction, GanConfig] | None = None
    folds: int = 5
    seed: int = 1


@dataclass(frozen=True)
class FoldScores:
    """The scores of one fold's test images, aligned with their `rows`; `adversarial` if GANs were trained."""

    number: int
    rows: Rows
    threshold: float
    score: Floats
    adversarial: Floats | None


def assign_folds(patients: Texts, strata: Texts, *, folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of every image, from 0; all images of a patient are in one, and strata are spread evenly.

    `patients` and `strata`, each patient's worst pathology, are (N,). Raises LabError if there are fewer patients than
    folds, or fewer than three folds.
    """
    if folds < LEAST_FOLDS:
        raise LabError(f"Cross-validation needs at least {LEAST_FOLDS} folds: to train, to choose and to test.")
    names, first = np.unique(patients, return_index=True)
    if len(names) < folds:
        raise LabError(f"Cannot split {len(names)} patients into {folds} folds.")
    chance = np.random.default_rng([seed, folds])
    fold_of_patient: dict[str, int] = {}
    for stratum in np.unique(strata[first]):
        # Each stratum starts at the fold after the previous one's last, so that no fold collects the remainders.
        for name in chance.permutation(names[strata[first] == stratum]):
            fold_of_patient[str(name)] = len(fold_of_patient) % folds
    return np.array([fold_of_patient[str(name)] for name in patients], dtype=np.int64)


def fold_splits(fold: NDArray[np.int64], number: int, folds: int) -> Texts:
    """Return the split of every image if fold `number` is tested: the next fold tunes, the others train."""
    splits = np.where(fold == number, Split.TEST, np.where(fold == (number + 1) % folds, Split.TUNING, Split.TRAIN))
    return splits.astype(str)


def cross_validate(
    images: ImageSet,
    headers: Sequence[FileHeader],
    strata: Texts,
    settings: CrossValidation,
    *,
    folder: Path,
    report: Report,
) -> CrossValidated:
    """Train and evaluate one fold after the other below `folder`; return their results and the pooled ones.

    `headers` are those of the images' source files, `strata` (N,) is the worst pathology of each image's patient. The
    splits of `images` are ignored. An interrupted run is resumed; folds that are finished are not trained again. Raises
    LabError and WrongImages before the first training if the images do not suffice.
    """
    fold = assign_folds(images.patients, strata, folds=settings.folds, seed=settings.seed)
    sets = [replace(images, splits=fold_splits(fold, number, settings.folds)) for number in range(settings.folds)]
    for image_set in sets:
        image_set.require(settings.classifier.rows, settings.classifier.columns)
    result = pooled(
        images, [_run_fold(image_set, number, settings, folder, report) for number, image_set in enumerate(sets)]
    )
    return replace(result, controls=controls_over_folds(sets, headers))


def controls_over_folds(
    sets: Sequence[ImageSet], headers: Sequence[FileHeader], *, replicates: int = REPLICATES
) -> tuple[TrivialControl, ...]:
    """Return the trivial controls, learnt on each fold's training images and pooled over the test images.

    `sets` are the same images with the splits of each fold. Grey levels are those at the network's size.
    """
    images = sets[0]
    facts = [
        ControlImage(int(label), str(patient), header, GreyLevels.of(np.asarray(pixels)))
        for label, patient, header, pixels in zip(images.labels, images.patients, headers, images.pixels, strict=True)
    ]
    parts = [
        control_scores(
            [facts[row] for row in image_set.rows(Split.TRAIN)], [facts[row] for row in image_set.rows(Split.TEST)]
        )
        for image_set in sets
    ]
    known = [part for part in parts if part is not None]
    return pooled_controls(known, seed=BOOTSTRAP_SEED, replicates=replicates) if len(known) == len(parts) else ()


def pooled(images: ImageSet, folds: Sequence[FoldScores], *, replicates: int = REPLICATES) -> CrossValidated:
    """Return the results of each fold and of all test images together. Raises LabError if no fold has an AUC."""
    order = np.concatenate([fold.rows for fold in folds])
    labels, patients = images.labels[order], images.patients[order]
    score = np.concatenate([fold.score for fold in folds])
    table = None
    if all(fold.adversarial is not None for fold in folds):
        adversarial = np.concatenate([fold.adversarial for fold in folds if fold.adversarial is not None])
        thresholds = np.concatenate([np.full(len(fold.rows), fold.threshold) for fold in folds])
        table = replace(
            attack_table(
                score_real=score,
                score_adversarial=adversarial,
                labels=labels,
                patients=patients,
                thresholds={},
                rng=_bootstrap_rng(),
                replicates=replicates,
            ),
            # Each score minus its fold's threshold: above 0, that fold calls the image positive.
            decisions=(
                decide(
                    score - thresholds,
                    adversarial - thresholds,
                    labels,
                    patients,
                    rule=ThresholdRule.FOLD,
                    threshold=0,
                ),
            ),
        )
    rows = tuple(_fold_auc(images, fold, replicates) for fold in folds)
    areas = [row.auc.value for row in rows if row.auc]
    if not areas:
        raise LabError("No fold tested positive and other images; use fewer folds.")
    return CrossValidated(
        rows,
        float(np.mean(areas)),
        table,
        auc_by_patient(score, labels, patients, _bootstrap_rng(), replicates=replicates),
    )


def _run_fold(images: ImageSet, number: int, settings: CrossValidation, folder: Path, report: Report) -> FoldScores:
    """Train the networks of a fold and score its test images."""
    seed, classifier_folder = settings.seed + number, folder / f"fold-{number + 1}"
    trainings = 1 if settings.gans is None else 1 + len(DIRECTIONS)
    reports = [
        _part_report(report, number * trainings + index, settings.folds * trainings, fold=number + 1)
        for index in range(trainings)
    ]
    train_classifier(images, settings.classifier, seed=seed, folder=classifier_folder, report=reports[0])
    device = choose_device()
    classifier = load_classifier(classifier_folder).to(device)
    tuning, rows = images.rows(Split.TUNING), images.rows(Split.TEST)
    tuning_score = scores(classifier, images.pixels, rows=tuning, device=device)
    threshold = youden_threshold(tuning_score, images.labels[tuning])
    score = scores(classifier, images.pixels, rows=rows, device=device)
    if settings.gans is None:
        return FoldScores(number, rows, threshold, score, None)
    adversarial = np.zeros(len(rows))
    for direction, gan_report in zip(DIRECTIONS, reports[1:], strict=True):
        gan, config = folder / f"fold-{number + 1}-{direction}", settings.gans[direction]
        train_gan(
            images,
            direction=direction,
            classifier=classifier_folder,
            config=config,
            seed=seed,
            folder=gan,
            report=gan_report,
        )
        is_source = images.labels[rows] == int(direction == Direction.REMOVE)
        sources = rows[is_source]
        weights = None if images.weights is None or not config.keep_background else images.weights[sources]
        pixels = adversarial_pixels(gan, np.asarray(images.pixels[sources]), weights)
        adversarial[is_source] = scores(classifier, pixels, device=device)
    return FoldScores(number, rows, threshold, score, adversarial)


@torch.no_grad()
def adversarial_pixels(
    folder: Path, pixels: NDArray[np.uint16], weights: NDArray[np.uint8] | None = None, *, batch: int = 0
) -> NDArray[np.uint16]:
    """Return the output of a run's generator for 16-bit pixels (N, H, W) of its own size, as 16-bit pixels.

    `weights`, 0…255 for each pixel, limit the change of each pixel; without them all may change. `batch` images are
    drawn together; 0: eight, or fewer if the memory has no room for them.
    """
    generator = load_generator(folder)
    batch = batch or drawn_at_once(TOGETHER, pixels[0].size if len(pixels) else 1, torch.device("cpu"))
    parts = []
    for start in range(0, len(pixels), batch):
        rows = slice(start, start + batch)
        images = to_tensor(pixels[rows], torch.device("cpu"))
        if weights is not None:
            images = torch.cat([images, torch.from_numpy(weights[rows].astype(np.float32) / 255)[:, None]], dim=1)
        parts.append(generate(generator, images)[:, 0].clamp(0, 1).double().numpy())
    adversarial = quantise(np.concatenate([np.zeros((0, *pixels.shape[1:])), *parts]) * WHITE)
    return np.where(pixels == 0, np.uint16(0), adversarial)


def _fold_auc(images: ImageSet, fold: FoldScores, replicates: int) -> FoldResult:
    labels, patients = images.labels[fold.rows], images.patients[fold.rows]
    auc = auc_by_patient(fold.score, labels, patients, _bootstrap_rng(), replicates=replicates)
    return FoldResult(fold.number, len(labels), int(labels.sum()), fold.threshold, auc)


def _bootstrap_rng() -> np.random.Generator:
    return np.random.default_rng(BOOTSTRAP_SEED)


def _part_report(report: Report, index: int, parts: int, *, fold: int) -> Report:
    """Return a report of one part of a fold as progress over all parts of all folds, each of the same weight."""

    def report_part(done: int, total: int, activity: Activity, values: dict[str, float], /) -> None:
        report(round(PART * (index + done / max(1, total))), PART * parts, activity.in_fold(fold), values)

    return report_part
