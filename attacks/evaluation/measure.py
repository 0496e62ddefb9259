"""Scores of real images and their adversarial images by one or several classifiers.

Everything is scored in float32 from the written files, so that scoring a file again gives the same figures. Few images
are in memory at a time, because a whole cohort at full size would not fit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from attacks.base import ImageAttack, pixels_drawn
from attacks.parallel import parallel_map
from models_ml.errors import LabError
from models_ml.evaluation.predictions import Floats, Labels, scores
from models_ml.evaluation.trivial_controls import ControlImage, FileHeader, GreyLevels
from models_ml.networks.classifier import Classifier
from models_ml.runtime.progress import Report
from readerstudy.imaging.geometry import Geometry
from readerstudy.imaging.image import Grey16, Size
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.quality import (
    HUNDREDTH,
    changed_regions,
    changed_share,
    greatest_change,
    psnr,
    rms_change,
    ssim,
)
from readerstudy.results.evaluation import Variant
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.vocabulary import Split

CPU = torch.device("cpu")
QUALITY = ("linf_levels", "rms_in_region_share", "changed_regions", "changed_by_a_hundredth_share")
BATCH_SIZE = 16  # images that are scored together


@dataclass(frozen=True)
class SourceImage:
    """One real image and what is known about it; `stimulus` and `image` are the keys of its rows.

    `header` is that of the file that was imported; `groups` has its subgroup by column, "" if unknown.
    """

    stimulus: int
    image: int
    path: Path
    label: int
    patient: str
    split: str
    header: FileHeader
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

    `runs` are the names that they were written under, `against` the classifier that they were made for. The baselines
    are by label: `identity` are the generators after stage 1, `sham` has the same steps with an invisible change.
    `unprocessed` are, by label, the whole changes of the generators without post-processing, if they are asked for.
    Images that were excluded from studies are included: to leave bad ones out would bias the figures.
    """

    name: str
    runs: tuple[str, ...]
    files: Mapping[int, AdversarialFile]
    against: str = ""
    labels: tuple[int, ...] = (0, 1)
    identity: Mapping[int, ImageAttack] = field(default_factory=dict)
    sham: Mapping[int, ImageAttack] = field(default_factory=dict)
    unprocessed: Mapping[int, ImageAttack] = field(default_factory=dict)

    @property
    def beside(self) -> Mapping[Variant, Mapping[int, ImageAttack]]:
        """Return what is drawn for each test image and scored beside the written files, by variant and label."""
        return {Variant.IDENTITY: self.identity, Variant.SHAM: self.sham, Variant.UNPROCESSED: self.unprocessed}


@dataclass(frozen=True)
class AttackScores:
    """Scores and similarity of one attack's images, aligned with `ClassifierScores.test`; NaN if there is no image.

    `quality` has further measures by the names of `imaging.quality`. `changed` counts the test images that differ from
    their source image.
    """

    adversarial: Floats
    identity: Floats
    sham: Floats
    unprocessed: Floats
    psnr: Floats
    ssim: Floats
    changed: Mapping[Variant, int]
    quality: Mapping[str, Floats] = field(default_factory=dict)

    def by_variant(self, variant: Variant) -> Floats:
        """Return the scores of the adversarial images, or of those beside them."""
        scores: Floats = getattr(self, variant.value)
        return scores

    @property
    def attacked(self) -> NDArray[np.bool_]:
        """Mask of the test images that have an adversarial image."""
        attacked: NDArray[np.bool_] = ~np.isnan(self.adversarial)
        return attacked


@dataclass(frozen=True)
class ClassifierScores:
    """Everything that one classifier scored; `by_stimulus` is what is stored.

    `control_images` are the training and test images with the facts of the trivial controls, by split.
    """

    classifier: str
    size: Size
    tuning: Sequence[SourceImage]
    tuning_scores: Floats
    test: Sequence[SourceImage]
    test_scores: Floats
    attacks: Mapping[str, AttackScores]
    by_stimulus: dict[int, float]
    control_images: Mapping[Split, Sequence[ControlImage]]

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
    *,
    geometry: Geometry,
) -> list[ClassifierScores]:
    """Return each classifier's scores of the tuning and test images and of their adversarial images.

    `geometry` is that of the images' modality. Raises LabError if a test image lacks its adversarial image, or
    without classifiers or attacks.
    """
    if not classifiers or not attacks:
        raise LabError("An evaluation needs a classifier and an attack.")
    for attack in attacks:
        _require_files(images, attack)
    held_out = [image for image in images if image.split in (Split.TUNING, Split.TEST)]
    training = _control_images([image for image in images if image.split == Split.TRAIN], report)
    test: list[ControlImage] = []
    loader = _Loader(classifiers, attacks, geometry)
    scorers = [_Scorer(classifier) for classifier in classifiers]
    for start in range(0, len(held_out), BATCH_SIZE):
        chunk = held_out[start : start + BATCH_SIZE]
        batch = list(parallel_map(loader.load, chunk, pixels_drawn=loader.pixels_drawn))
        test += [loaded.control for loaded in batch if loaded.source.split == Split.TEST]
        for scorer in scorers:
            scorer.score(batch)
        report(start + len(batch), len(held_out), Activity(ActivityKind.SCORING_IMAGES), {})
    control_images = {Split.TRAIN: training, Split.TEST: test}
    return [scorer.scores(held_out, attacks, control_images) for scorer in scorers]


def _control_images(images: Sequence[SourceImage], report: Report) -> list[ControlImage]:
    """Return images that are not scored with the facts of the trivial controls."""
    made = []
    for control in parallel_map(lambda image: _control_image(image, decode_png(image.path)), images):
        made.append(control)
        if len(made) % BATCH_SIZE == 0 or len(made) == len(images):
            report(len(made), len(images), Activity(ActivityKind.READING_IMAGES), {})
    return made


def _control_image(source: SourceImage, pixels: Grey16) -> ControlImage:
    return ControlImage(source.label, source.patient, source.header, GreyLevels.of(pixels))


def _require_files(images: Sequence[SourceImage], attack: AttackImages) -> None:
    needed = [image for image in images if image.split == Split.TEST and image.label in attack.labels]
    if missing := [image for image in needed if image.image not in attack.files]:
        raise LabError(
            f"{len(missing)} of {len(needed)} test images have no adversarial image by {', '.join(attack.runs)}; "
            "generate them first."
        )


@dataclass(frozen=True)
class _ImageKind:
    """An attack's adversarial images or one of its baselines; without a variant the source images."""

    variant: Variant | None = None
    attack: str = ""


_SOURCE = _ImageKind()


@dataclass(frozen=True)
class _PairSimilarity:
    """Similarity of an adversarial image to its source image; NaN if there is no image."""

    psnr: float = np.nan  # dB
    ssim: float = np.nan
    quality: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _LoadedImage:
    """A source image with its adversarial images and their baselines, at every size that a classifier takes.

    `similarity` is by attack; `changed` are the kinds that differ from the source image.
    """

    source: SourceImage
    control: ControlImage
    resized: dict[tuple[_ImageKind, Size], Grey16] = field(default_factory=dict)
    similarity: dict[str, _PairSimilarity] = field(default_factory=dict)
    changed: set[_ImageKind] = field(default_factory=set)


@dataclass(frozen=True)
class _Loader:
    """Loads a source image with everything that is scored with it."""

    classifiers: Sequence[TargetClassifier]
    attacks: Sequence[AttackImages]
    geometry: Geometry

    @property
    def pixels_drawn(self) -> int:
        """Return how many pixels a generator draws for an image, 0 without generators."""
        by_label = chain.from_iterable(attack.beside.values() for attack in self.attacks)
        return max((pixels_drawn(drawing) for drawings in by_label for drawing in drawings.values()), default=0)

    def load(self, source: SourceImage) -> _LoadedImage:
        """Return the image with its adversarial images; with similarity and baselines if it is a test image."""
        real = decode_png(source.path)
        loaded = _LoadedImage(source, _control_image(source, real))
        self._add(loaded, _SOURCE, real, real)
        drawn: dict[ImageAttack, _ImageKind] = {}
        for attack in self.attacks:
            file = attack.files.get(source.image)
            if file is None:
                continue
            adversarial = decode_png(file.path)
            self._add(loaded, _ImageKind(Variant.ADVERSARIAL, attack.name), adversarial, real)
            if source.split != Split.TEST:
                continue
            loaded.similarity[attack.name] = self._similarity(real, adversarial)
            for variant, by_label in attack.beside.items():
                drawing, kind = by_label.get(source.label), _ImageKind(variant, attack.name)
                if drawing in drawn:  # a generator's whole change and limited ones have the same baselines
                    self._repeat(loaded, kind, drawn[drawing])
                elif drawing:
                    drawn[drawing] = kind
                    self._add(loaded, kind, drawing(real), real)
        return loaded

    def _similarity(self, real: Grey16, adversarial: Grey16) -> _PairSimilarity:
        region = self.geometry.region(real) > 0
        figures = (
            greatest_change(real, adversarial),
            rms_change(real, adversarial, region),
            changed_regions(real, adversarial),
            changed_share(real, adversarial, above=HUNDREDTH),
        )
        quality = dict(zip(QUALITY, map(float, figures), strict=True))
        return _PairSimilarity(psnr(real, adversarial), ssim(real, adversarial), quality)

    def _add(self, loaded: _LoadedImage, kind: _ImageKind, pixels: Grey16, real: Grey16) -> None:
        if not np.array_equal(pixels, real):
            loaded.changed.add(kind)
        for size in {classifier.size for classifier in self.classifiers}:
            loaded.resized[kind, size] = self.geometry.resize(pixels, size)

    def _repeat(self, loaded: _LoadedImage, kind: _ImageKind, first: _ImageKind) -> None:
        if first in loaded.changed:
            loaded.changed.add(kind)
        for size in {classifier.size for classifier in self.classifiers}:
            loaded.resized[kind, size] = loaded.resized[first, size]


class _Scorer:
    """Collects the scores of one classifier by source image and kind of image."""

    def __init__(self, target: TargetClassifier) -> None:
        self.target = target
        self.by_image: dict[int, dict[_ImageKind, float]] = {}
        self.similarity: dict[int, dict[str, _PairSimilarity]] = {}
        self.changed: dict[int, set[_ImageKind]] = {}

    def score(self, batch: Sequence[_LoadedImage]) -> None:
        """Score all kinds of some images as one batch, each array once."""
        inputs = [
            (loaded.source.image, kind, pixels)
            for loaded in batch
            for (kind, size), pixels in loaded.resized.items()
            if size == self.target.size
        ]
        arrays = {id(pixels): pixels for _image, _kind, pixels in inputs}
        values = scores(self.target.classifier, np.stack(list(arrays.values())), device=self.target.device)
        scored = dict(zip(arrays, map(float, values), strict=True))
        for image, kind, pixels in inputs:
            self.by_image.setdefault(image, {})[kind] = scored[id(pixels)]
        self.similarity |= {loaded.source.image: loaded.similarity for loaded in batch}
        self.changed |= {loaded.source.image: loaded.changed for loaded in batch}

    def scores(
        self,
        images: Sequence[SourceImage],
        attacks: Sequence[AttackImages],
        control_images: Mapping[Split, Sequence[ControlImage]],
    ) -> ClassifierScores:
        """Return the collected scores of the tuning and test images among `images`."""
        tuning = [image for image in images if image.split == Split.TUNING]
        test = [image for image in images if image.split == Split.TEST]
        return ClassifierScores(
            classifier=self.target.name,
            size=self.target.size,
            tuning=tuning,
            tuning_scores=self._column(tuning, _SOURCE),
            test=test,
            test_scores=self._column(test, _SOURCE),
            attacks={attack.name: self._attack_scores(test, attack.name) for attack in attacks},
            by_stimulus=dict(chain(self._real_scores(images), self._adversarial_scores(images, attacks))),
            control_images=control_images,
        )

    def _column(self, images: Sequence[SourceImage], kind: _ImageKind) -> Floats:
        return np.array([self.by_image[image.image].get(kind, np.nan) for image in images])

    def _attack_scores(self, test: Sequence[SourceImage], attack: str) -> AttackScores:
        kinds = {variant: _ImageKind(variant, attack) for variant in Variant}
        similarity = [self.similarity[image.image].get(attack, _PairSimilarity()) for image in test]
        return AttackScores(
            adversarial=self._column(test, kinds[Variant.ADVERSARIAL]),
            identity=self._column(test, kinds[Variant.IDENTITY]),
            sham=self._column(test, kinds[Variant.SHAM]),
            unprocessed=self._column(test, kinds[Variant.UNPROCESSED]),
            psnr=np.array([pair.psnr for pair in similarity], dtype=float),
            ssim=np.array([pair.ssim for pair in similarity], dtype=float),
            changed={
                variant: sum(kind in self.changed[image.image] for image in test) for variant, kind in kinds.items()
            },
            quality={
                name: np.array([pair.quality.get(name, np.nan) for pair in similarity], dtype=float) for name in QUALITY
            },
        )

    def _real_scores(self, images: Sequence[SourceImage]) -> Iterator[tuple[int, float]]:
        return ((image.stimulus, self.by_image[image.image][_SOURCE]) for image in images)

    def _adversarial_scores(
        self, images: Sequence[SourceImage], attacks: Sequence[AttackImages]
    ) -> Iterator[tuple[int, float]]:
        for attack in attacks:
            kind = _ImageKind(Variant.ADVERSARIAL, attack.name)
            for image in images:
                if file := attack.files.get(image.image):
                    yield file.stimulus, self.by_image[image.image][kind]
