"""Training as jobs: the classifier, the article's GANs, the inpainter."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from celery import shared_task
from django.utils.timezone import now

from models_ml.config import AdversarialTraining
from models_ml.presets import find_preset
from models_ml.runs import checkpoint
from models_ml.runs.curves import learning_curves
from models_ml.runtime.progress import Report
from models_ml.tasks.dataset import folder_of, gan_config, training_images
from models_ml.training.inpainting import train_inpainting
from models_ml.training.launcher import ClassifierSpec, GanSpec, train_in_processes
from readerstudy.experiments.models import Checkpoint, CheckpointKind
from readerstudy.experiments.parameters import (
    TrainClassifierParameters,
    TrainGanParameters,
    TrainInpaintingParameters,
)
from readerstudy.jobs.queue import perform
from readerstudy.results.runs import ClassifierMetrics, ClassifierTrained, GanMetrics, GanTrained
from readerstudy.vocabulary import Direction


@shared_task(name="train-classifier")
def train_classifier_task(job_id: int) -> None:
    """Train a classifier on a cohort, with `TrainClassifierParameters`."""
    perform(job_id, partial(_train_classifier, job_id))


@shared_task(name="train-gan")
def train_gan_task(job_id: int) -> None:
    """Train one GAN, with `TrainGanParameters`."""
    perform(job_id, partial(_train_gan, job_id))


@shared_task(name="train-inpainting")
def train_inpainting_task(job_id: int) -> None:
    """Train an inpainter, a second kind of generator, with `TrainInpaintingParameters`."""
    perform(job_id, partial(_train_inpainting, job_id))


def _train_classifier(job_id: int, parameters: TrainClassifierParameters, report: Report) -> ClassifierTrained:
    preset = find_preset(parameters["preset"])
    if asked := parameters.get("adversarial_training"):
        settings = AdversarialTraining(asked["epsilon"], asked["steps"], attacked_share=asked["share"])
        preset = replace(preset, classifier=replace(preset.classifier, adversarial_training=settings))
    images = training_images(parameters["cohort"], preset, report, augmented=parameters.get("augmentation"))
    weights = Path(parameters["vgg_weights"]) if parameters.get("vgg_weights") else None
    folder = folder_of(parameters["name"])
    spec = ClassifierSpec(preset.classifier, parameters["seed"], folder, weights)
    if (processes := processes_for(parameters, preset.classifier.images_per_class)) > 1:
        train_in_processes(images, spec, processes=processes, report=report)
    result = spec.train(images, report)
    learning_curves(result.history, folder / "curves.png")
    metrics: ClassifierMetrics = {
        "tuning_auc": result.tuning_auc,
        "steps": result.steps,
        "seconds": result.seconds,
        "refused_steps": result.refused_steps,
    }
    register(job_id, parameters, CheckpointKind.CLASSIFIER, metrics)
    return {"run": parameters["name"], **metrics, "curves": str(folder / "curves.png")}


def _train_gan(job_id: int, parameters: TrainGanParameters, report: Report) -> GanTrained:
    classifier = Checkpoint.named(parameters["classifier"], CheckpointKind.CLASSIFIER)
    preset, direction = find_preset(classifier.preset), parameters["direction"]
    config = gan_config(preset, direction, parameters)
    images = training_images(parameters["cohort"], preset, report, with_weights=config.keep_background)
    if threads := parameters.get("threads"):
        torch.set_num_threads(threads)
    folder = folder_of(parameters["name"])
    spec = GanSpec(config, parameters["seed"], folder, Direction(direction), folder_of(classifier.folder))
    if (processes := processes_for(parameters, config.images_per_class)) > 1:
        train_in_processes(images, spec, processes=processes, report=report)
    result = spec.train(images, report)
    learning_curves(result.history, folder / "curves.png")
    metrics: GanMetrics = {
        "stages": result.stages,
        "kept_step": result.kept_step,
        "seconds": result.seconds,
        "refused_steps": result.refused_steps,
    }
    register(job_id, parameters, CheckpointKind.GENERATOR, metrics, made_from=classifier)
    return {"run": parameters["name"], **metrics, "curves": str(folder / "curves.png")}


def _train_inpainting(job_id: int, parameters: TrainInpaintingParameters, report: Report) -> dict[str, Any]:
    classifier = Checkpoint.named(parameters["classifier"], CheckpointKind.CLASSIFIER)
    images = training_images(parameters["cohort"], find_preset(classifier.preset), report)
    if threads := parameters.get("threads"):
        torch.set_num_threads(threads)
    result = train_inpainting(
        images,
        direction=parameters["direction"],
        classifier=folder_of(classifier.folder),
        seed=parameters["seed"],
        folder=folder_of(parameters["name"]),
        report=report,
    )
    learning_curves(result.history, result.folder / "curves.png")
    metrics = {
        "steps": result.steps,
        "seconds": result.seconds,
        "refused_steps": result.refused_steps,
        **result.history[-1],
    }
    register(job_id, parameters, CheckpointKind.GENERATOR, metrics, made_from=classifier)
    return {"run": parameters["name"], **metrics, "curves": str(result.folder / "curves.png")}


def processes_for(parameters: Mapping[str, Any], images_per_class: int) -> int:
    """Return the number of processes: as asked for, else as many cards of the worker as divide a batch evenly."""
    if asked := parameters.get("processes"):
        return int(asked)
    cards = max(1, torch.cuda.device_count())
    return max(count for count in range(1, cards + 1) if images_per_class % count == 0)


def register(
    job_id: int,
    parameters: Mapping[str, Any],
    kind: CheckpointKind,
    metrics: Mapping[str, Any],
    *,
    made_from: Checkpoint | None = None,
) -> None:
    """Store the row of a finished run, described by its folder."""
    name = parameters["name"]
    run = checkpoint.read_provenance(folder_of(name))
    Checkpoint.objects.update_or_create(
        name=name,
        defaults={
            "kind": kind,
            "cohort": parameters["cohort"],
            "preset": run.preset,
            "direction": run.direction,
            "seed": run.seed,
            "split_hash": run.split_hash,
            "data_hash": run.data_hash,
            "code_version": run.code_version,
            "config": run.config,
            "weights": checkpoint.sha256(folder_of(name) / checkpoint.WEIGHTS),
            "metrics": metrics,
            "folder": name,
            "job_id": job_id,
            "made_from": made_from,
            "made_at": now(),
        },
    )
