"""What limits on a generator's change do: quality, fooled classifiers and detectors, and a contact sheet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import process_time
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Picture

from attacks.base import ImageAttack
from attacks.constraints.post_processing import PostProcessing
from attacks.generative.strength import THRESHOLD, LimitedAttack, StrengthSettings
from attacks.parallel import parallel_map
from attacks.registry import load_attack
from models_ml.evaluation.predictions import scores
from models_ml.networks.classifier import Classifier
from models_ml.runs.checkpoint import load_classifier
from readerstudy.imaging.image import WHITE, Grey16
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.quality import HUNDREDTH, changed_regions, changed_share, greatest_change, psnr, rms_change
from readerstudy.modalities.mammography.geometry import GEOMETRY
from readerstudy.statistics.roc import auc
from tests.bench.pixel_detectors import detect

LIMITS: Final = {
    "full": StrengthSettings(),
    "least": StrengthSettings("least", "fewest"),
    "matched": StrengthSettings("least", "fewest", "matched"),
}
DIRECTIONS: Final = {1: "removal", 0: "insertion"}  # by the label of the source image
MEASURES: Final = ("psnr_db", "linf_levels", "rms_in_region_share", "changed_regions", "changed_by_a_hundredth_share")
UNITS: Final = {"psnr_db": "dB", "linf_levels": "levels", "changed_regions": "regions"}
Row = tuple[str, float, str]


@dataclass(frozen=True)
class Runs:
    """The folders of a classifier, its two generators, and of a classifier of another family, if there is one."""

    classifier: Path
    remove: Path
    insert: Path
    other: Path | None = None

    def generator(self, label: int) -> Path:
        return self.remove if label else self.insert


@dataclass(frozen=True)
class Altered:
    """One adversarial image with its quality, its scores by classifier and its detectors' numbers."""

    pixels: Grey16
    quality: Mapping[str, float]
    score: Mapping[str, float]
    detected: Mapping[str, float]


@dataclass(frozen=True)
class Measured:
    """One real image with its adversarial images by the name of their limits."""

    label: int
    pixels: Grey16
    score: Mapping[str, float]
    detected: Mapping[str, float]
    altered: dict[str, Altered] = field(default_factory=dict)

    def is_right(self, classifier: str) -> bool:
        return _called(self.score[classifier]) == self.label

    def is_fooled(self, classifier: str, limits: str) -> bool:
        return _called(self.altered[limits].score[classifier]) != self.label


@dataclass(frozen=True)
class Study:
    """The networks of one cohort."""

    classifiers: Mapping[str, Classifier]
    attacks: Mapping[tuple[str, int], ImageAttack]

    @classmethod
    def load(cls, runs: Runs) -> "Study":
        steps = PostProcessing(GEOMETRY)
        classifiers = {"target": load_classifier(runs.classifier)}
        if runs.other:
            classifiers["other"] = load_classifier(runs.other)
        attacks: dict[tuple[str, int], ImageAttack] = {}
        for label in DIRECTIONS:
            drawing = load_attack(runs.generator(label), post_processing=steps)
            for name, limits in LIMITS.items():
                limited = LimitedAttack(drawing, classifiers["target"], is_removal=bool(label), limits=limits)
                attacks[name, label] = drawing if limits.is_whole else limited
        return cls(classifiers, attacks)

    def measure(self, path: Path, label: int) -> Measured:
        real = decode_png(path)
        weight = GEOMETRY.region(real)
        measured = Measured(label, real, self._scores(real), detect(real, weight))
        for name in LIMITS:
            adversarial = self.attacks[name, label](real)
            quality = _quality(real, adversarial, weight > 0)
            measured.altered[name] = Altered(
                adversarial, quality, self._scores(adversarial), detect(adversarial, weight)
            )
        return measured

    def _scores(self, image: Grey16) -> dict[str, float]:
        return {
            name: float(scores(each, GEOMETRY.resize(image, (each.config.rows, each.config.columns))[None])[0])
            for name, each in self.classifiers.items()
        }


def measure_all(runs: Runs, images: Sequence[tuple[Path, int]]) -> list[Measured]:
    """Return every image, given by its path and label, with its adversarial images."""
    study = Study.load(runs)
    return list(parallel_map(lambda image: study.measure(*image), images))


def rows(name: str, images: Sequence[Measured]) -> Iterator[Row]:
    """Yield the figures of one cohort: shares fooled, medians of quality, and the detectors' areas."""
    for classifier in images[0].score:
        for limits in LIMITS:
            for label, direction in {**DIRECTIONS, None: "all"}.items():
                right = [image for image in images if image.is_right(classifier) and label in (image.label, None)]
                if right:
                    fooled = sum(image.is_fooled(classifier, limits) for image in right) / len(right)
                    yield f"{name}, {limits}, {direction}: {classifier} fooled", fooled, f"of {len(right)} right"
    for limits in LIMITS:
        for label, direction in DIRECTIONS.items():
            altered = [image.altered[limits] for image in images if image.label == label]
            for measure in MEASURES:
                values = [each.quality[measure] for each in altered]
                yield (
                    f"{name}, {limits}, {direction}: {measure}, median",
                    float(np.median(values)),
                    UNITS.get(measure, ""),
                )
    for limits in LIMITS:
        yield from _detector_rows(name, limits, images)


def _detector_rows(name: str, limits: str, images: Sequence[Measured]) -> Iterator[Row]:
    """Yield the area of each detector, real images against all adversarial ones; .5 is chance."""
    labels = np.array([0] * len(images) + [1] * len(images))
    for detector in images[0].detected:
        values = [image.detected[detector] for image in images]
        values += [image.altered[limits].detected[detector] for image in images]
        yield f"{name}, {limits}: {detector}", auc(np.array(values), labels), "AUC"


def contact_sheet(images: Sequence[Measured], *, each: int = 3, rows: int = 384) -> Picture.Image:
    """Return the source, its changes and their differences, of `each` fooled images of both directions."""
    chosen = [
        image
        for label in DIRECTIONS
        for image in [
            one for one in images if one.label == label and one.is_right("target") and one.is_fooled("target", "least")
        ][:each]
    ]
    return Picture.fromarray(np.hstack([np.vstack(list(_panels(image, rows))) for image in chosen]))


def _panels(image: Measured, rows: int) -> Iterator[np.ndarray]:
    weight = GEOMETRY.region(image.pixels) > 0
    low, high = (float(np.percentile(image.pixels[weight], share)) for share in (0.5, 99.9))
    show = partial(_shrink, rows=rows)
    for pixels in (image.pixels, *(image.altered[name].pixels for name in LIMITS)):
        yield show(np.clip((pixels.astype(float) - low) / (high - low), 0, 1))
    for name in LIMITS:  # white and black: a quarter of full scale
        yield show(np.clip(0.5 + 2 * (image.altered[name].pixels.astype(float) - image.pixels) / WHITE, 0, 1))


def _shrink(shares: np.ndarray, *, rows: int) -> np.ndarray:
    picture = Picture.fromarray((255 * shares).astype(np.uint8))
    size = (round(picture.width * rows / picture.height), rows)
    return np.asarray(picture.resize(size, Picture.Resampling.LANCZOS))


def seconds_per_image(runs: Runs, images: Sequence[tuple[Path, int]]) -> Iterator[Row]:
    """Yield the processor time that one image takes, by limits."""
    torch.set_num_threads(1)  # threads that wait for each other count as busy
    study = Study.load(runs)
    loaded = [(decode_png(path), label) for path, label in images]
    for name in LIMITS:
        began = process_time()
        for pixels, label in loaded:
            study.attacks[name, label](pixels)
        yield f"{name}: processor time", (process_time() - began) / len(loaded), "s an image"


def _quality(real: Grey16, adversarial: Grey16, region: NDArray[np.bool_]) -> dict[str, float]:
    figures = (
        psnr(real, adversarial),
        greatest_change(real, adversarial),
        rms_change(real, adversarial, region),
        changed_regions(real, adversarial),
        changed_share(real, adversarial, above=HUNDREDTH),
    )
    return dict(zip(MEASURES, map(float, figures), strict=True))


def _called(score: float) -> int:
    return int(score > THRESHOLD)
