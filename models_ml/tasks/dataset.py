"""Training images: a cohort's images at the network's size, decoded once."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import numpy as np
import torch
from django.conf import settings
from numpy.typing import NDArray

from models_ml.config import Ends, GanConfig
from models_ml.data.adversarial_examples import AdversarialExamples, with_adversarial_images
from models_ml.data.images import ImageSet
from models_ml.evaluation.trivial_controls import FileHeader
from models_ml.presets import Preset
from models_ml.runtime.progress import Report
from readerstudy import serialise
from readerstudy.cohort.models import Cohort
from readerstudy.imaging.geometry import FindRegion, Geometry
from readerstudy.imaging.image import Size
from readerstudy.imaging.png16 import decode_png
from readerstudy.modalities.modality import Modality
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.truth.queries import RealImage, adversarial_images, real_images
from readerstudy.vocabulary import Direction


def folder_of(run: str) -> Path:
    """Return the folder of a run: weights, configuration and curves."""
    return Path(settings.RUNS_DIR) / run


def gan_config(preset: Preset, direction: Direction, parameters: Mapping[str, Any]) -> GanConfig:
    """Return the preset's settings for one GAN, changed by the job's `spare_background` and `ends`."""
    config = preset.gan(direction)
    if parameters.get("spare_background"):
        config = replace(config, keep_background=True)
    ends: Ends | Literal["preset"] = parameters.get("ends") or "preset"
    return config if ends == "preset" else replace(config, ends=ends)


def resolution_for(modality: Modality, rows: int) -> str:
    """Return the modality's smallest layout that is large enough for a network with this number of rows."""
    names = list(modality.layouts)
    return next((name for name in reversed(names) if rows <= modality.layouts[name].rows), names[0])


def training_images(
    cohort: str,
    preset: Preset,
    report: Report,
    *,
    augmented: Mapping[str, Any] | None = None,
    with_weights: bool = False,
) -> ImageSet:
    """Return every real image of the cohort at the network's size, with labels and splits.

    `augmented` adds adversarial images to the training split, see `AdversarialExamples`. `with_weights` adds the
    weights that limit an attack to the region.
    """
    config, cohort_row = preset.classifier, Cohort.named(cohort)
    resolution = resolution_for(cohort_row.modality, config.rows)
    images = real_images(cohort_row, resolution)
    if augmented:
        examples = serialise.from_dict(AdversarialExamples, augmented)
        by_attack = [
            adversarial_images(cohort_row, resolution, [attack], with_excluded=True) for attack in examples.attacks
        ]
        paths = [{image: adversarial.path for image, adversarial in rows.items()} for rows in by_attack]
        images = with_adversarial_images(images, paths, examples)
    geometry = cohort_row.modality.geometry
    pixels = cached_pixels(images, (config.rows, config.columns), geometry, report)
    return ImageSet(
        pixels=pixels,
        weights=_weights(pixels, geometry.region, report) if with_weights else None,
        labels=np.array([image.label for image in images], dtype=np.int64),
        patients=np.array([image.patient for image in images]),
        splits=np.array([image.split for image in images]),
        keys=np.array([image.path.name for image in images]),
    )


def source_headers(cohort: str, preset: Preset, images: ImageSet) -> list[FileHeader]:
    """Return the headers of the source files of `training_images` without augmentation, aligned with them."""
    cohort_row = Cohort.named(cohort)
    resolution = resolution_for(cohort_row.modality, preset.classifier.rows)
    headers = {
        image.path.name: FileHeader(image.source_rows, image.source_columns, image.source_bits)
        for image in real_images(cohort_row, resolution)
    }
    return [headers[key] for key in images.keys.tolist()]


def cached_pixels(images: Sequence[RealImage], size: Size, geometry: Geometry, report: Report) -> NDArray[np.uint16]:
    """Return the images at the network's size, (N, rows, columns), decoded once into a memory-mapped file."""
    names = "\n".join(image.path.name for image in images)
    key = hashlib.sha256(f"{size}\n{names}".encode()).hexdigest()[:32]
    path = Path(settings.CACHE_DIR) / f"{key}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{uuid4().hex}.part")
        pixels = np.lib.format.open_memmap(draft, "w+", np.uint16, (len(images), *size))
        # Pillow decodes and resizes without holding the interpreter: threads are enough.
        with ThreadPoolExecutor(max_workers=torch.get_num_threads()) as pool:
            for row, values in enumerate(pool.map(lambda p: geometry.resize(decode_png(p.path), size), images)):
                pixels[row] = values
                report(row + 1, len(images), Activity(ActivityKind.READING_IMAGES), {})
        pixels.flush()
        del pixels
        draft.rename(path)
    mapped: NDArray[np.uint16] = np.load(path, mmap_mode="r")
    return mapped


def _weights(pixels: NDArray[np.uint16], region: FindRegion, report: Report) -> NDArray[np.uint8]:
    """Return how far an attack may change each pixel, 0…255, computed once into a file beside that of the pixels."""
    path = Path(str(getattr(pixels, "filename", ""))).with_suffix(".region.npy")
    if not path.exists():
        draft = path.with_suffix(f".{uuid4().hex}.part")
        weights = np.lib.format.open_memmap(draft, "w+", np.uint8, pixels.shape)
        for row, values in enumerate(pixels):
            weights[row] = np.rint(255 * region(values))
            report(row + 1, len(pixels), Activity(ActivityKind.FINDING_REGIONS), {})
        weights.flush()
        del weights
        draft.rename(path)
    mapped: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return mapped
