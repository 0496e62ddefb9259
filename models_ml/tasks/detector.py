"""Training and evaluation of a detector of adversarial images, as a job."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from celery import shared_task

from models_ml.errors import LabError
from models_ml.evaluation.detector import DetectorConfig, MixedImages, detector_table, load_detector
from models_ml.evaluation.predictions import scores
from models_ml.presets import find_preset
from models_ml.runs.curves import learning_curves
from models_ml.runtime.device import choose_device
from models_ml.runtime.progress import Report
from models_ml.tasks.dataset import cached_pixels, folder_of, resolution_for
from models_ml.tasks.training import register
from models_ml.training.detector import train_detector
from readerstudy import serialise
from readerstudy.cohort.models import Cohort
from readerstudy.experiments.models import CheckpointKind
from readerstudy.experiments.parameters import TrainDetectorParameters
from readerstudy.jobs.queue import perform
from readerstudy.results.detector import FORMAT
from readerstudy.truth.actions import store_scores
from readerstudy.truth.queries import RealImage, adversarial_images, attacks_with_images, real_images, synthetic_images
from readerstudy.vocabulary import Split


@shared_task(name="train-detector")
def train_detector_task(job_id: int) -> None:
    """Train a detector of adversarial images, with `TrainDetectorParameters`.

    It is also evaluated on attacks that it was not trained on: those of `held_out`, or every other attack with images
    at this resolution.
    """
    perform(job_id, partial(_train_detector, job_id))


def _train_detector(job_id: int, parameters: TrainDetectorParameters, report: Report) -> dict[str, Any]:
    preset, cohort, seen = find_preset(parameters["preset"]), parameters["cohort"], parameters["attacks"]
    config, name, modality = preset.classifier, parameters["name"], Cohort.named(cohort).modality
    resolution = parameters.get("resolution") or resolution_for(modality, config.rows)
    held_out = _held_out(parameters, resolution)
    seen_files = _labelled_files(cohort, resolution, seen)
    held_out_files = _labelled_files(cohort, resolution, held_out, for_training=False)
    size = (config.rows, config.columns)
    images = seen_files.columns.with_pixels(cached_pixels(seen_files.images, size, modality.geometry, report))
    result = train_detector(
        images,
        DetectorConfig(config, tuple(seen)),
        seed=parameters["seed"],
        folder=folder_of(name),
        report=report,
    )
    detector, _config = load_detector(folder_of(name))
    device = choose_device()
    detector.to(device)
    evaluated = np.flatnonzero(seen_files.columns.split != Split.TRAIN)
    score = [scores(detector, images.pixels, rows=evaluated, device=device)]
    if held_out_files.images:
        score.append(
            scores(detector, cached_pixels(held_out_files.images, size, modality.geometry, report), device=device)
        )
    files = [seen_files.images[row] for row in evaluated] + held_out_files.images
    values = np.concatenate(score)
    table = detector_table(values, seen_files.columns.select(evaluated).append(held_out_files.columns), seen)
    by_stimulus = {image.stimulus_id: float(value) for image, value in zip(files, values, strict=True)}
    store_scores(by_stimulus, classifier=name, size=size)
    learning_curves(result.history, result.folder / "curves.png")
    metrics = {
        "tuning_auc": result.tuning_auc,
        "steps": result.steps,
        "seconds": result.seconds,
        "refused_steps": result.refused_steps,
        "attacks": seen,
        "held_out": held_out,
        "resolution": resolution,
        **serialise.to_dict(table),
    }
    register(job_id, parameters, CheckpointKind.DETECTOR, metrics)
    return {"format": FORMAT, "run": name, **metrics}


def _held_out(parameters: TrainDetectorParameters, resolution: str) -> list[str]:
    named = parameters.get("held_out")
    if named is not None:
        return list(named)
    attacks = attacks_with_images(parameters["cohort"], resolution)
    return [attack for attack in attacks if attack not in parameters["attacks"]]


@dataclass(frozen=True)
class _LabelledFiles:
    """Real and adversarial images, as files and as columns, aligned."""

    images: list[RealImage]
    columns: MixedImages


def _labelled_files(
    cohort: str, resolution: str, attacks: Sequence[str], *, for_training: bool = True
) -> _LabelledFiles:
    """Return the real images and those of these attacks.

    Without `for_training`: only the adversarial images of the tuning and test splits, so that nothing of a held-out
    attack can be trained on. Raises LabError if an attack has no images.
    """
    cohort_row = Cohort.named(cohort)
    real = real_images(cohort_row, resolution)
    files = [("", image) for image in real] if for_training else []
    for attack in attacks:
        adversarial = adversarial_images(cohort_row, resolution, [attack], with_excluded=True)
        if not adversarial:
            raise LabError(f"There is no image of {cohort} by the attack {attack} at {resolution} resolution.")
        versions = [
            replace(
                image,
                stimulus_id=adversarial[image.image_id].stimulus_id,
                path=adversarial[image.image_id].path,
            )
            for image in real
            if image.image_id in adversarial
        ]
        made = versions or synthetic_images(cohort_row, resolution, [attack])
        files += [(attack, image) for image in made if for_training or image.split != Split.TRAIN]
    return _LabelledFiles([image for _attack, image in files], MixedImages.from_files(files))
