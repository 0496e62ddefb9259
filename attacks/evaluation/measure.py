"""Scores of real images and their adversarial images by one or several classifiers.

Everything is scored in float32 from the written files, so that scoring a file again gives the same figures. A few
images are in memory at a time: a whole cohort at full size would not fit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from attacks.base import Attack, pixels_drawn
from attacks.parallel import parallel_map
from attacks.quality import psnr, ssim
from models_ml.errors import LabError
from models_ml.evaluation.predictions import Floats, Labels, scores
from models_ml.networks.classifier import Classifier
from models_ml.runtime.progress import Report
from readerstudy.imaging.image import Grey16, Size
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.resize import resize
from readerstudy.results.evaluation import Variant
from readerstudy.results.progress import Activity, ActivityKind

CPU = torch.device("cpu")
AT_ONCE = 16  # images that are scored together


@dataclass(frozen=True)
class SourceImage:
    """One real image and what is known about it; `stimulus` and `image` are the keys of its rows.

    `groups` has its subgroup by column, "" if unknown.
    """

    stimulus: int
    image: int
    path: Path
    label: int
    patient: str
    split: str
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AdversarialFile:
    """The written adversarial image of a source image."""

    stimulus: int
    path: Path


@dataclass(frozen=True)
class TargetClassifier:
    """A classifier with its run's name."""

    name: str
    classifier: Classifier
    device: torch.device = CPU

    @property
    def size(self) -> Size:
        """Rows and columns of its input."""
        return self.classifier.config.rows, self.classifier.config.columns


@dataclass(frozen=True)
class AttackImages:
    """The adversarial images of one attack, or of an insertion and a removal together, by source image.

    `runs` are the names that they were written under, `against` the classifier that they were made for. `identity`
    are the generators as stage 1 left them and `sham` the same steps with an invisible change, both by label. Images
    that were excluded from studies count too: leaving bad ones out would bias the figures.
    """

    name: str
    runs: tuple[str, ...]
    files: Mapping[int, AdversarialFile]
    against: str = ""
    labels: tuple[int, ...] = (0, 1)
    identity: Mapping[int, Attack] = field(default_factory=dict)
    sham: Mapping[int, Attack] = field(default_factory=dict)


@dataclass(frozen=True)
class AttackScores:
    """Scores and similarity of one attack's images, aligned with `ClassifierScores.test`; NaN if there is no image.

    `changed` counts the test images that differ from their source image.
    """

    adversarial: Floats
    identity: Floats
    sham: Floats
    psnr: Floats
    ssim: Floats
    changed: Mapping[Variant, int]

    def of(self, variant: Variant) -> Floats:
        """Return the scores of the adversarial images or of a baseline."""
        scores: Floats = getattr(self, variant.value)
        return scores

    @property
    def attacked(self) -> NDArray[np.bool_]:
        """Mask of the test images that have an adversarial image."""
        attacked: NDArray[np.bool_] = ~np.isnan(self.adversarial)
        return attacked


@dataclass(frozen=True)
class ClassifierScores:
    """Everything that one classifier scored; `by_stimulus` is what is stored."""

    classifier: str
    size: Size
    tuning: Sequence[SourceImage]
    tuning_scores: Floats
    test: Sequence[SourceImage]
    test_scores: Floats
    attacks: Mapping[str, AttackScores]
    by_stimulus: dict[int, float]

    @property
    def tuning_labels(self) -> Labels:
        return np.array([image.label for image in self.tuning], dtype=np.int64)

    @property
    def labels(self) -> Labels:
        return np.array([image.label for image in self.test], dtype=np.int64)

    @property
    def patients(self) -> NDArray[np.str_]:
        return np.array([image.patient for image in self.test])


def score_all(
    classifiers: Sequence[TargetClassifier],
    images: Sequence[SourceImage],
    attacks: Sequence[AttackImages],
    report: Report,
) -> list[ClassifierScores]:
    """Return each classifier's scores of the tuning and test images and of their adversarial images.

    Raises LabError if a test image lacks its adversarial image, or without classifiers or attacks.
    """
    if not classifiers or not attacks:
        raise LabError("An evaluation needs a classifier and an attack.")
    for attack in attacks:
        _require_files(images, attack)
    held_out = [image for image in images if image.split in ("tuning", "test")]
    reader = _Reader(classifiers, attacks)
    scorers = [_Scorer(classifier) for classifier in classifiers]
    for start in range(0, len(held_out), AT_ONCE):
        batch = list(parallel_map(reader.read, held_out[start : start + AT_ONCE], pixels_drawn=reader.pixels_drawn))
        for scorer in scorers:
            scorer.score(batch)
        report(start + len(batch), len(held_out), Activity(ActivityKind.SCORING_IMAGES), {})
    return [scorer.scores(held_out, attacks) for scorer in scorers]


def _require_files(images: Sequence[SourceImage], attack: AttackImages) -> None:
    needed = [image for image in images if image.split == "test" and image.label in attack.labels]
    if missing := [image for image in needed if image.image not in attack.files]:
        raise LabError(
            f"{len(missing)} of {len(needed)} test images have no adversarial image by {', '.join(attack.runs)}; "
            "generate them first."
        )


@dataclass(frozen=True)
class _ReadImage:
    """One source image with its adversarial images and their baselines, at every size that a classifier reads.

    `small` is by kind of image (`_REAL` or see `_kind`) and size; `similarity` (PSNR in dB, SSIM) is by attack.
    `changed` are the kinds that differ from the source image.
    """

    source: SourceImage
    small: dict[tuple[str, Size], Grey16] = field(default_factory=dict)
    similarity: dict[str, tuple[float, float]] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)


_REAL = "real"


def _kind(variant: Variant, attack: str) -> str:
    return f"{variant} {attack}"


@dataclass(frozen=True)
class _Reader:
    """Reads source images with everything that is scored beside them."""

    classifiers: Sequence[TargetClassifier]
    attacks: Sequence[AttackImages]

    @property
    def pixels_drawn(self) -> int:
        """Return how many pixels an identity generator draws for an image, 0 without generators."""
        generators = (generator for attack in self.attacks for generator in attack.identity.values())
        return max(map(pixels_drawn, generators), default=0)

    def read(self, source: SourceImage) -> _ReadImage:
        """Read the image and its adversarial images. Similarity and baselines are needed for test images only."""
        real = decode_png(source.path)
        read = _ReadImage(source)
        self._add(read, _REAL, real, real)
        for attack in self.attacks:
            if file := attack.files.get(source.image):
                adversarial = decode_png(file.path)
                self._add(read, _kind(Variant.ADVERSARIAL, attack.name), adversarial, real)
                if source.split == "test":
                    read.similarity[attack.name] = (psnr(real, adversarial), ssim(real, adversarial))
                    for variant, by_label in ((Variant.IDENTITY, attack.identity), (Variant.SHAM, attack.sham)):
                        if baseline := by_label.get(source.label):
                            self._add(read, _kind(variant, attack.name), baseline(real), real)
        return read

    def _add(self, read: _ReadImage, kind: str, pixels: Grey16, real: Grey16) -> None:
        if not np.array_equal(pixels, real):
            read.changed.add(kind)
        for size in {classifier.size for classifier in self.classifiers}:
            read.small[kind, size] = resize(pixels, size)


class _Scorer:
    """Collects the scores of one classifier: by source image, then by kind of image."""

    def __init__(self, target: TargetClassifier) -> None:
        self.target = target
        self.by_image: dict[int, dict[str, float]] = {}
        self.similarity: dict[int, dict[str, tuple[float, float]]] = {}
        self.changed: dict[int, set[str]] = {}

    def score(self, batch: Sequence[_ReadImage]) -> None:
        size = self.target.size
        keys = [(read.source.image, kind) for read in batch for kind, its in read.small if its == size]
        pixels = [read.small[kind, its] for read in batch for kind, its in read.small if its == size]
        values = scores(self.target.classifier, np.stack(pixels), device=self.target.device)
        for (image, kind), value in zip(keys, values, strict=True):
            self.by_image.setdefault(image, {})[kind] = float(value)
        self.similarity |= {read.source.image: read.similarity for read in batch}
        self.changed |= {read.source.image: read.changed for read in batch}

    def scores(self, images: Sequence[SourceImage], attacks: Sequence[AttackImages]) -> ClassifierScores:
        tuning = [image for image in images if image.split == "tuning"]
        test = [image for image in images if image.split == "test"]
        return ClassifierScores(
            classifier=self.target.name,
            size=self.target.size,
            tuning=tuning,
            tuning_scores=self._column(tuning, _REAL),
            test=test,
            test_scores=self._column(test, _REAL),
            attacks={attack.name: self._attack_scores(test, attack.name) for attack in attacks},
            by_stimulus=dict(chain(self._real_scores(images), self._adversarial_scores(images, attacks))),
        )

    def _column(self, images: Sequence[SourceImage], kind: str) -> Floats:
        return np.array([self.by_image[image.image].get(kind, np.nan) for image in images])

    def _attack_scores(self, test: Sequence[SourceImage], attack: str) -> AttackScores:
        similarity = [self.similarity[image.image].get(attack, (np.nan, np.nan)) for image in test]
        columns = np.array(similarity, dtype=float).reshape(-1, 2)
        return AttackScores(
            adversarial=self._column(test, _kind(Variant.ADVERSARIAL, attack)),
            identity=self._column(test, _kind(Variant.IDENTITY, attack)),
            sham=self._column(test, _kind(Variant.SHAM, attack)),
            psnr=columns[:, 0],
            ssim=columns[:, 1],
            changed={
                variant: sum(_kind(variant, attack) in self.changed[image.image] for image in test)
                for variant in Variant
            },
        )

    def _real_scores(self, images: Sequence[SourceImage]) -> Iterator[tuple[int, float]]:
        return ((image.stimulus, self.by_image[image.image][_REAL]) for image in images)

    def _adversarial_scores(
        self, images: Sequence[SourceImage], attacks: Sequence[AttackImages]
    ) -> Iterator[tuple[int, float]]:
        for attack in attacks:
            for image in images:
                if file := attack.files.get(image.image):
                    yield file.stimulus, self.by_image[image.image][_kind(Variant.ADVERSARIAL, attack.name)]
