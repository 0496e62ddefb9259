"""Training as jobs: the only part of the lab that knows Django, Celery and the study's database."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from celery import shared_task
from django.conf import settings
from django.utils.timezone import now
from numpy.typing import NDArray

from models_ml import checkpoint
from models_ml.config import PRESETS, Preset
from models_ml.curves import learning_curves
from models_ml.data import ImageSet
from models_ml.errors import LabError
from models_ml.train_classifier import train_classifier
from models_ml.train_gan import train_gan
from readerstudy.cohort.models import Cohort
from readerstudy.cohort.pixels import RESOLUTIONS, decode_png, resize
from readerstudy.jobs.models import Checkpoint, CheckpointKind
from readerstudy.jobs.queue import Report, perform
from readerstudy.truth.dataset import Picture, real_pictures

Size = tuple[int, int]


@shared_task(name="models_ml.train_classifier")
def train_classifier_task(job_id: int) -> None:
    """Train a classifier on a cohort; parameters: cohort, preset, seed, name."""
    perform(job_id, _train_classifier)


@shared_task(name="models_ml.train_gan")
def train_gan_task(job_id: int) -> None:
    """Train one GAN; parameters: cohort, direction, classifier (run name), seed, name."""
    perform(job_id, _train_gan)


def _train_classifier(parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    preset = preset_named(parameters["preset"])
    images = training_images(parameters["cohort"], preset, report)
    weights = parameters.get("vgg_weights")
    result = train_classifier(
        images,
        preset.classifier,
        seed=parameters["seed"],
        folder=folder_of(parameters["name"]),
        report=report,
        vgg_weights=Path(weights) if weights else None,
    )
    learning_curves(result.history, result.folder / "curves.png")
    metrics = {"tuning_auc": result.tuning_auc, "steps": result.steps, "seconds": result.seconds}
    _register(parameters, CheckpointKind.CLASSIFIER, preset, images, metrics)
    return {"run": parameters["name"], **metrics, "curves": str(result.folder / "curves.png")}


def _train_gan(parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    classifier = Checkpoint.named(parameters["classifier"], CheckpointKind.CLASSIFIER)
    preset = preset_named(classifier.preset)
    images = training_images(parameters["cohort"], preset, report)
    if threads := parameters.get("threads"):
        torch.set_num_threads(threads)
    result = train_gan(
        images,
        direction=parameters["direction"],
        classifier=folder_of(classifier.name),
        config=preset.gan(parameters["direction"]),
        seed=parameters["seed"],
        folder=folder_of(parameters["name"]),
        report=report,
    )
    learning_curves(result.history, result.folder / "curves.png")
    metrics = {"stages": result.stages, "kept_step": result.kept_step, "seconds": result.seconds}
    _register(parameters, CheckpointKind.GENERATOR, preset, images, metrics)
    return {"run": parameters["name"], **metrics, "curves": str(result.folder / "curves.png")}


def preset_named(name: str) -> Preset:
    """The preset of that name, or a sentence that lists them."""
    if name not in PRESETS:
        raise LabError(f"There is no preset {name!r}; there are: {', '.join(PRESETS)}.")
    return PRESETS[name]


def folder_of(run: str) -> Path:
    """Where a run's weights, config and curves lie."""
    return Path(settings.RUNS_DIR) / run


def resolution_for(rows: int) -> str:
    """The stored resolution that a network of so many rows is fed from: the smallest that is large enough."""
    return "low" if rows <= RESOLUTIONS["low"][0] else "high"


def training_images(cohort: str, preset: Preset, report: Report) -> ImageSet:
    """Every real image of the cohort at the network's size, with labels and splits."""
    config = preset.classifier
    pictures = real_pictures(Cohort.named(cohort), resolution_for(config.rows))
    return ImageSet(
        pixels=cached_pixels(pictures, (config.rows, config.columns), report),
        labels=np.array([picture.label for picture in pictures], dtype=np.int64),
        patients=np.array([picture.patient for picture in pictures]),
        splits=np.array([picture.split for picture in pictures]),
        keys=np.array([picture.path.name for picture in pictures]),
    )


def cached_pixels(pictures: Sequence[Picture], size: Size, report: Report) -> NDArray[np.uint16]:
    """The pictures at the network's size, (N, rows, columns), decoded once into a memory-mapped file."""
    names = "\n".join(picture.path.name for picture in pictures)
    key = hashlib.sha256(f"{size}\n{names}".encode()).hexdigest()[:32]
    path = Path(settings.CACHE_DIR) / f"{key}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{id(pictures)}.part")
        pixels = np.lib.format.open_memmap(draft, "w+", np.uint16, (len(pictures), *size))
        # Pillow decodes and resizes without holding the interpreter: threads are enough.
        with ThreadPoolExecutor(max_workers=torch.get_num_threads()) as pool:
            for row, values in enumerate(pool.map(lambda p: resize(decode_png(p.path), size), pictures)):
                pixels[row] = values
                report(row + 1, len(pictures), "reading images", {})
        pixels.flush()
        del pixels
        draft.rename(path)
    mapped: NDArray[np.uint16] = np.load(path, mmap_mode="r")
    return mapped


def _register(
    parameters: dict[str, Any],
    kind: CheckpointKind,
    preset: Preset,
    images: ImageSet,
    metrics: dict[str, Any],
) -> None:
    Checkpoint.objects.update_or_create(
        name=parameters["name"],
        defaults={
            "kind": kind,
            "cohort": parameters["cohort"],
            "preset": preset.name,
            "direction": parameters.get("direction", ""),
            "seed": parameters["seed"],
            "split_hash": images.split_hash(),
            "code_version": checkpoint.code_version(),
            "metrics": metrics,
            "folder": parameters["name"],
            "made_at": now(),
        },
    )
