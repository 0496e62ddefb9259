"""A lab small enough to train in a second or two: 32 × 24 images with a bright spot in the positive ones."""

from dataclasses import replace

import numpy as np

from models_ml.config import ClassifierConfig, CompactConfig, Convolution, GanConfig, GeneratorConfig, Length, Snapshots
from models_ml.data.images import ImageSet
from models_ml.presets import PRESETS

ROWS, COLUMNS = 32, 24


def images(patients: int = 20, *, seed: int = 0) -> ImageSet:
    """Two images per patient, every third patient positive; 12 / 4 / 4 of 20 patients in the splits."""
    chance = np.random.default_rng(seed)
    pixels = chance.integers(8_000, 20_000, (2 * patients, ROWS, COLUMNS)).astype(np.uint16)
    labels = np.repeat(np.arange(patients) % 3 == 0, 2).astype(np.int64)
    pixels[labels == 1, 10:18, 8:16] += np.uint16(20_000)
    pixels[:, :, :4] = 0
    names = np.array([f"P{number:03d}" for number in range(patients)])
    splits = np.array((["train"] * 3 + ["tuning", "test"]) * (patients // 5))
    # Three in five patients train; positive patients (every third) fall into every split.
    keys = np.array([f"image-{number}" for number in range(2 * patients)])
    return ImageSet(pixels, labels, np.repeat(names, 2), np.repeat(splits, 2), keys)


def classifier_config(steps: int = 12) -> ClassifierConfig:
    return replace(
        PRESETS["demo"].classifier,
        preset="tiny",
        rows=ROWS,
        columns=COLUMNS,
        vnet_layers=3,
        fnet_convolutions=(Convolution(16, kernel=1, norm=True),),
        fnet_dense=(8,),
        norm_groups=4,
        images_per_class=2,
        length=Length(steps=steps),
        warmup_steps=2,
        keep_from=Length(),
        evaluate_every=Length(steps=4),
        save_every=Length(steps=3),
    )


def compact_config(steps: int = 12) -> ClassifierConfig:
    """Settings of the compact family at the same size, which learn the spot in about 60 steps."""
    convolutions = (Convolution(8, stride=2, norm=True), Convolution(16, stride=2, norm=True))
    layers = CompactConfig(convolutions, norm_groups=2, dense=8)
    return replace(classifier_config(steps), family="compact", compact=layers)


def gan_config(direction: str = "remove", *, form: str = "residual") -> GanConfig:
    config = PRESETS["demo"].remove if direction == "remove" else PRESETS["demo"].insert
    lengths = {1: 3, 2: 4, 3: 2, 4: 2, 5: 6}
    stages = tuple(
        replace(stage, limit=Length(steps=lengths[stage.number]), stop=_soon(stage.stop)) for stage in config.stages
    )
    generator = GeneratorConfig(form, (4, 8), (4,), "none", mean=0.2, sd=0.2)
    return replace(
        config,
        preset="tiny",
        rows=ROWS,
        columns=COLUMNS,
        stages=stages,
        generator=generator,
        images_per_class=2,
        snapshots=Snapshots(every=2, images=4, first_step=2),
        save_every=Length(steps=2),
    )


def _soon(stop):
    return None if stop is None else replace(stop, least_steps=2)
