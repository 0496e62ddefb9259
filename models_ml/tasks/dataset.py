"""What networks are given: a cohort's pictures, decoded once, at the network's size."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from django.conf import settings
from numpy.typing import NDArray

from models_ml.config import Ends, GanConfig
from models_ml.data.adversarial_examples import Augmenting, with_fakes
from models_ml.data.images import ImageSet
from models_ml.presets import Preset
from models_ml.runtime.progress import Report
from readerstudy import serialise
from readerstudy.cohort.models import Cohort
from readerstudy.imaging.breast_mask import breast_weight
from readerstudy.imaging.image import RESOLUTIONS, Size
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.resize import resize
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.truth.queries import RealImage, adversarial_images, real_images
from readerstudy.vocabulary import Direction


def folder_of(run: str) -> Path:
    """Where a run's weights, config and curves lie."""
    return Path(settings.RUNS_DIR) / run


def gan_config(preset: Preset, direction: Direction, parameters: Mapping[str, Any]) -> GanConfig:
    """The preset's settings for one GAN, with what a job asks for otherwise: spare_background, ends."""
    config = preset.gan(direction)
    if parameters.get("spare_background"):
        config = replace(config, keep_background=True)
    ends: Ends | Literal["preset"] = parameters.get("ends") or "preset"
    return config if ends == "preset" else replace(config, ends=ends)


def resolution_for(rows: int) -> str:
    """The stored resolution that a network of so many rows is fed from: the smallest that is large enough."""
    return "low" if rows <= RESOLUTIONS["low"][0] else "high"


def training_images(
    cohort: str, preset: Preset, report: Report, *, augmented: Mapping[str, Any] | None = None, weighed: bool = False
) -> ImageSet:
    """Every real image of the cohort at the network's size, with labels and splits; and fakes that train, if asked.

    `weighed` adds where the breast is.
    """
    config, where = preset.classifier, Cohort.named(cohort)
    resolution = resolution_for(config.rows)
    pictures = real_images(where, resolution)
    if augmented:
        how = serialise.from_dict(Augmenting, augmented)
        made = [adversarial_images(where, resolution, [name], with_excluded=True) for name in how.attacks]
        paths = [{image: adversarial.path for image, adversarial in rows.items()} for rows in made]
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


def cached_pixels(pictures: Sequence[RealImage], size: Size, report: Report) -> NDArray[np.uint16]:
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
                report(row + 1, len(pictures), Activity(ActivityKind.READING_IMAGES), {})
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
            report(row + 1, len(pixels), Activity(ActivityKind.FINDING_BREASTS), {})
        weights.flush()
        del weights
        draft.rename(path)
    mapped: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return mapped
