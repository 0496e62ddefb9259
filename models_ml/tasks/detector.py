"""Training and judging a detector of adversarial input, as a job."""

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
from readerstudy.jobs.queue import perform
from readerstudy.results.detector import FORMAT
from readerstudy.truth.actions import store_scores
from readerstudy.truth.queries import RealImage, adversarial_images, attacks_with_images, real_images


@shared_task(name="train-detector")
def train_detector_task(job_id: int) -> None:
    """Train a detector of adversarial input, and judge it on attacks that it never saw.

    Parameters: cohort, attacks (names; their twins train), held_out (names; where nothing is said every other attack
    with twins at this resolution), resolution, preset, seed, name.
    """
    perform(job_id, partial(_train_detector, job_id))


def _train_detector(job_id: int, parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    preset, cohort, seen = find_preset(parameters["preset"]), parameters["cohort"], parameters["attacks"]
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
    table = detector_table(values, learnt.columns.select(kept).append(spared.columns), seen)
    by_stimulus = {picture.stimulus_id: float(value) for picture, value in zip(judged, values, strict=True)}
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


def _held_out(parameters: dict[str, Any], resolution: str) -> list[str]:
    named = parameters.get("held_out")
    if named is not None:
        return list(named)
    attacks = attacks_with_images(parameters["cohort"], resolution)
    return [attack for attack in attacks if attack not in parameters["attacks"]]


@dataclass(frozen=True)
class _ShownPictures:
    """What a detector is shown, as files and as columns, aligned."""

    pictures: list[RealImage]
    columns: MixedImages


def _shown(cohort: str, resolution: str, attacks: Sequence[str], *, for_training: bool = True) -> _ShownPictures:
    """Real images and these attacks' twins; for judging alone the twins of the tuning and test splits only."""
    where = Cohort.named(cohort)
    reals = real_images(where, resolution)
    found = [("", picture) for picture in reals] if for_training else []
    for name in attacks:
        made = adversarial_images(where, resolution, [name], with_excluded=True)
        if not made:
            raise LabError(f"There is no image of {cohort} by the attack {name} at {resolution} resolution.")
        found += [
            (name, replace(one, stimulus_id=made[one.image_id].stimulus_id, path=made[one.image_id].path))
            for one in reals
            if one.image_id in made and (for_training or one.split != "train")
        ]
    return _ShownPictures([picture for _name, picture in found], MixedImages.from_files(found))
