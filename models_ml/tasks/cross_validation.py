"""Cross-validation as a job."""

from typing import Any

import numpy as np
from celery import shared_task
from numpy.typing import NDArray

from models_ml.config import DIRECTIONS
from models_ml.data.images import ImageSet
from models_ml.presets import find_preset
from models_ml.runtime.progress import Report
from models_ml.tasks.dataset import folder_of, gan_config, source_headers, training_images
from models_ml.training.cross_validation import CrossValidation, cross_validate
from readerstudy import serialise
from readerstudy.experiments.parameters import CrossValidateParameters
from readerstudy.jobs.queue import perform
from readerstudy.results.cross_validation import FORMAT
from readerstudy.truth.queries import worst_pathology_by_patient


@shared_task(name="cross-validate")
def cross_validate_task(job_id: int) -> None:
    """Cross-validate by patient, with `CrossValidateParameters`."""
    perform(job_id, _cross_validate)


def _cross_validate(parameters: CrossValidateParameters, report: Report) -> dict[str, Any]:
    preset = find_preset(parameters["preset"])
    directions = DIRECTIONS if parameters.get("gans") else ()
    gans = {direction: gan_config(preset, direction, parameters) for direction in directions}
    with_weights = any(gan.keep_background for gan in gans.values())
    images = training_images(parameters["cohort"], preset, report, with_weights=with_weights)
    settings = CrossValidation(preset.classifier, gans or None, parameters["folds"], parameters["seed"])
    folder = folder_of(parameters["name"])
    strata = _worst_pathology(parameters["cohort"], images)
    headers = source_headers(parameters["cohort"], preset, images)
    result = cross_validate(images, headers, strata, settings, folder=folder, report=report)
    return {
        "format": FORMAT,
        "run": parameters["name"],
        "cohort": parameters["cohort"],
        **serialise.to_dict(result),
    }


def _worst_pathology(cohort: str, images: ImageSet) -> NDArray[np.str_]:
    """Return the worst pathology of each image's patient, (N,), over which folds are balanced."""
    worst = worst_pathology_by_patient(cohort)
    return np.array([worst[patient] for patient in images.patients.tolist()])
