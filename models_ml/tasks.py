"""Training as jobs: the only part of the lab that knows Django, Celery and the study's database."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from celery import shared_task
from django.conf import settings
from django.utils.timezone import now
from numpy.typing import NDArray

from models_ml import checkpoint, plain
from models_ml.attack_text import as_text
from models_ml.augmented import Augmenting, with_fakes
from models_ml.config import DIRECTIONS, PRESETS, Preset
from models_ml.curves import learning_curves
from models_ml.data import ImageSet
from models_ml.detector import DetectorConfig, Shown, detector_table, detector_text, load_detector
from models_ml.device import choose_device
from models_ml.errors import LabError
from models_ml.evaluate import scores
from models_ml.folds import CrossValidation, cross_validate, cross_validated_text
from models_ml.hardening import Hardening
from models_ml.ranks import Together, train_together
from models_ml.train_classifier import train_classifier
from models_ml.train_detector import train_detector
from models_ml.train_gan import train_gan
from models_ml.train_inpainting import train_inpainting
from readerstudy.cohort.models import Cohort
from readerstudy.cohort.pixels import RESOLUTIONS, decode_png, resize
from readerstudy.cohort.tissue import breast_weight
from readerstudy.jobs.models import Checkpoint, CheckpointKind
from readerstudy.jobs.queue import Report, perform
from readerstudy.truth.actions import keep_scores
from readerstudy.truth.dataset import Picture, real_pictures, twins
from readerstudy.truth.models import Authenticity, ImageTruth, Pathology, Truth

Size = tuple[int, int]


@shared_task(name="models_ml.train_classifier")
def train_classifier_task(job_id: int) -> None:
    """Train a classifier on a cohort; parameters: cohort, preset, seed, name, vgg_weights.

    Two defences: hardened (epsilon in grey levels, steps, part …: part of every batch is attacked), and augmented
    (attacks, labels "own" or "flipped": their twins of training images join the training split).
    """
    perform(job_id, partial(_train_classifier, job_id))


@shared_task(name="models_ml.train_gan")
def train_gan_task(job_id: int) -> None:
    """Train one GAN.

    Parameters: cohort, direction, classifier (run name), seed, name; ends (preset, rules or epochs), threads,
    processes where wanted.
    """
    perform(job_id, partial(_train_gan, job_id))


@shared_task(name="models_ml.train_inpainting")
def train_inpainting_task(job_id: int) -> None:
    """Train an inpainter, a second kind of generator.

    Parameters: cohort, direction, classifier (run name), seed, name; threads where wanted.
    """
    perform(job_id, partial(_train_inpainting, job_id))


@shared_task(name="models_ml.train_detector")
def train_detector_task(job_id: int) -> None:
    """Train a detector of adversarial input, and judge it on attacks that it never saw.

    Parameters: cohort, attacks (names; their twins train), held_out (names; where nothing is said every other attack
    with twins at this resolution), resolution, preset, seed, name.
    """
    perform(job_id, partial(_train_detector, job_id))


@shared_task(name="models_ml.cross_validate")
def cross_validate_task(job_id: int) -> None:
    """Cross-validation by patient; parameters: cohort, preset, folds, seed, name, gans (true trains both per fold)."""
    perform(job_id, _cross_validate)


def _train_classifier(job_id: int, parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    preset = preset_named(parameters["preset"])
    if hardened := parameters.get("hardened"):
        hardening = plain.from_dict(Hardening, hardened)
        preset = replace(preset, classifier=replace(preset.classifier, hardening=hardening))
    images = training_images(parameters["cohort"], preset, report, augmented=parameters.get("augmented"))
    weights = Path(parameters["vgg_weights"]) if parameters.get("vgg_weights") else None
    folder, seed = folder_of(parameters["name"]), parameters["seed"]
    if (processes := _processes(parameters)) > 1:
        together = Together(preset.classifier, seed, folder, vgg_weights=weights)
        train_together(images, together, processes=processes, report=report)
    result = train_classifier(images, preset.classifier, seed=seed, folder=folder, report=report, vgg_weights=weights)
    learning_curves(result.history, folder / "curves.png")
    metrics = {"tuning_auc": result.tuning_auc, "steps": result.steps, "seconds": result.seconds}
    _register(job_id, parameters, CheckpointKind.CLASSIFIER, metrics)
    return {"run": parameters["name"], **metrics, "curves": str(folder / "curves.png")}


def _train_gan(job_id: int, parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    classifier = Checkpoint.named(parameters["classifier"], CheckpointKind.CLASSIFIER)
    preset, direction = preset_named(classifier.preset), parameters["direction"]
    config = preset.gan(direction)
    images = training_images(parameters["cohort"], preset, report, weighed=config.keep_background)
    if threads := parameters.get("threads"):
        torch.set_num_threads(threads)
    if (ends := parameters.get("ends", "preset")) != "preset":
        config = replace(config, ends=ends)
    folder, seed, judge = folder_of(parameters["name"]), parameters["seed"], folder_of(classifier.folder)
    if (processes := _processes(parameters)) > 1:
        together = Together(config, seed, folder, direction=direction, classifier=judge)
        train_together(images, together, processes=processes, report=report)
    result = train_gan(
        images, direction=direction, classifier=judge, config=config, seed=seed, folder=folder, report=report
    )
    learning_curves(result.history, folder / "curves.png")
    metrics = {"stages": result.stages, "kept_step": result.kept_step, "seconds": result.seconds}
    _register(job_id, parameters, CheckpointKind.GENERATOR, metrics, made_from=classifier)
    return {"run": parameters["name"], **metrics, "curves": str(folder / "curves.png")}


def _train_inpainting(job_id: int, parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    classifier = Checkpoint.named(parameters["classifier"], CheckpointKind.CLASSIFIER)
    images = training_images(parameters["cohort"], preset_named(classifier.preset), report)
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
    metrics = {"steps": result.steps, "seconds": result.seconds, **result.history[-1]}
    _register(job_id, parameters, CheckpointKind.GENERATOR, metrics, made_from=classifier)
    return {"run": parameters["name"], **metrics, "curves": str(result.folder / "curves.png")}


def _processes(parameters: dict[str, Any]) -> int:
    """How many processes train together: as asked for, else one for each graphics card that this worker sees."""
    return int(parameters.get("processes") or max(1, torch.cuda.device_count()))


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


def training_images(
    cohort: str, preset: Preset, report: Report, *, augmented: dict[str, Any] | None = None, weighed: bool = False
) -> ImageSet:
    """Every real image of the cohort at the network's size, with labels and splits; and fakes that train, if asked.

    `weighed` adds where the breast is.
    """
    config, where = preset.classifier, Cohort.named(cohort)
    resolution = resolution_for(config.rows)
    pictures = real_pictures(where, resolution)
    if augmented:
        how = plain.from_dict(Augmenting, augmented)
        made = [twins(where, resolution, [name], with_excluded=True) for name in how.attacks]
        paths = [{image: truth.stimulus.path for image, truth in rows.items()} for rows in made]
        pictures = with_fakes(pictures, paths, how)
    pixels = cached_pixels(pictures, (config.rows, config.columns), report)
    return ImageSet(
        pixels=pixels,
        weights=_weights(pixels, report) if weighed else None,
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


def _weights(pixels: NDArray[np.uint16], report: Report) -> NDArray[np.uint8]:
    """How far an attack may change each pixel, 0…255: where the breast is; worked out once, beside the pixels' file."""
    path = Path(str(getattr(pixels, "filename", ""))).with_suffix(".breast.npy")
    if not path.exists():
        draft = path.with_suffix(f".{id(pixels)}.part")
        weights = np.lib.format.open_memmap(draft, "w+", np.uint8, pixels.shape)
        for row, values in enumerate(pixels):
            weights[row] = np.rint(255 * breast_weight(values))
            report(row + 1, len(pixels), "finding the breast", {})
        weights.flush()
        del weights
        draft.rename(path)
    mapped: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return mapped


def _register(
    job_id: int,
    parameters: dict[str, Any],
    kind: CheckpointKind,
    metrics: dict[str, Any],
    *,
    made_from: Checkpoint | None = None,
) -> None:
    """The row of a finished run; what it says of itself comes from its own folder."""
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


def _train_detector(job_id: int, parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    preset, cohort, seen = preset_named(parameters["preset"]), parameters["cohort"], parameters["attacks"]
    config, name = preset.classifier, parameters["name"]
    resolution = parameters.get("resolution") or resolution_for(config.rows)
    held_out = _held_out(parameters, resolution)
    # Of held-out attacks nothing is trained on: their twins of training images are not even read.
    learnt, spared = _shown(cohort, resolution, seen), _shown(cohort, resolution, held_out, for_training=False)
    size = (config.rows, config.columns)
    images = learnt.columns.with_pixels(cached_pixels(learnt.pictures, size, report))
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
    kept = np.flatnonzero(learnt.columns.split != "train")
    score = [scores(detector, images.pixels, rows=kept, device=device)]
    if spared.pictures:
        score.append(scores(detector, cached_pixels(spared.pictures, size, report), device=device))
    judged = [learnt.pictures[row] for row in kept] + spared.pictures
    values = np.concatenate(score)
    table = detector_table(values, learnt.columns.chosen(kept).beside(spared.columns), seen)
    by_stimulus = {picture.stimulus_id: float(value) for picture, value in zip(judged, values, strict=True)}
    keep_scores(by_stimulus, classifier=name, size=size)
    learning_curves(result.history, result.folder / "curves.png")
    metrics = {
        "tuning_auc": result.tuning_auc,
        "steps": result.steps,
        "seconds": result.seconds,
        "attacks": seen,
        "held_out": held_out,
        "resolution": resolution,
        **plain.to_dict(table),
    }
    _register(job_id, parameters, CheckpointKind.DETECTOR, metrics)
    return {"run": name, **metrics, "text": as_text(detector_text(name, table))}


def _held_out(parameters: dict[str, Any], resolution: str) -> list[str]:
    named = parameters.get("held_out")
    if named is not None:
        return list(named)
    altered = Truth.objects.filter(
        authenticity=Authenticity.ADVERSARIAL,
        stimulus__resolution=resolution,
        stimulus__image__exam__patient__cohort__name=parameters["cohort"],
    )
    names = altered.exclude(generator__in=parameters["attacks"]).values_list("generator", flat=True).distinct()
    return sorted(names)


@dataclass(frozen=True)
class _ShownPictures:
    """What a detector is shown, as files and as columns, aligned."""

    pictures: list[Picture]
    columns: Shown


def _shown(cohort: str, resolution: str, attacks: Sequence[str], *, for_training: bool = True) -> _ShownPictures:
    """Real images and these attacks' twins; for judging alone the twins of the tuning and test splits only."""
    where = Cohort.named(cohort)
    reals = real_pictures(where, resolution)
    found = [("", picture) for picture in reals] if for_training else []
    for name in attacks:
        made = twins(where, resolution, [name], with_excluded=True)
        if not made:
            raise LabError(f"There is no image of {cohort} by the attack {name} at {resolution} resolution.")
        found += [
            (name, replace(one, stimulus_id=made[one.image_id].stimulus_id, path=made[one.image_id].stimulus.path))
            for one in reals
            if one.image_id in made and (for_training or one.split != "train")
        ]
    return _ShownPictures([picture for _name, picture in found], Shown.of(found))


def _cross_validate(parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    preset = preset_named(parameters["preset"])
    images = training_images(parameters["cohort"], preset, report, weighed=preset.remove.keep_background)
    gans = {direction: preset.gan(direction) for direction in DIRECTIONS} if parameters.get("gans") else None
    how = CrossValidation(preset.classifier, gans, parameters["folds"], parameters["seed"])
    folder = folder_of(parameters["name"])
    found = cross_validate(images, _worst(parameters["cohort"], images), how, folder=folder, report=report)
    text = "\n\n".join(as_text(table) for table in cross_validated_text(found))
    return {"run": parameters["name"], **plain.to_dict(found), "text": text}


def _worst(cohort: str, images: ImageSet) -> NDArray[np.str_]:
    """The worst pathology of each image's patient, by which folds are dealt."""
    rows = ImageTruth.objects.filter(image__exam__patient__cohort__name=cohort)
    worst: dict[str, str] = {}
    for patient, pathology in rows.values_list("image__exam__patient__pseudonym", "pathology"):
        before = worst.get(patient, pathology)
        worst[patient] = min(before, pathology, key=Pathology.values.index)  # malignant, benign, normal
    return np.array([worst[patient] for patient in images.patients.tolist()])
