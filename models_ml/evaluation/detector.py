"""A detector of adversarial images: the classifier's network, trained on "altered" in place of "positive"."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models_ml.config import ClassifierConfig
from models_ml.data.images import ImageSet
from models_ml.errors import LabError, WrongCheckpoint
from models_ml.evaluation.attack_table import REPLICATES, Texts
from models_ml.evaluation.predictions import Floats, youden_threshold
from models_ml.networks.classifier import Classifier
from models_ml.runs.checkpoint import load_classifier
from readerstudy import serialise
from readerstudy.results.detector import DetectorResult, DetectorRow, Pool
from readerstudy.statistics.proportions import wilson_by_cluster
from readerstudy.statistics.roc import auc_by_patient

DETECTOR = "detector.json"
BOOTSTRAP_SEED = 20210011
REAL = ""


@dataclass(frozen=True)
class DetectorConfig:
    """Network and training of a detector, and the attacks whose adversarial images it learns from."""

    trunk: ClassifierConfig
    attacks: tuple[str, ...]


class PatientImage(Protocol):
    """A stored image with its patient and the patient's split."""

    @property
    def image_id(self) -> int: ...
    @property
    def patient(self) -> str: ...
    @property
    def split(self) -> str: ...
    @property
    def path(self) -> Path: ...


@dataclass(frozen=True)
class MixedImages:
    """Real and adversarial images together, as columns (N,) aligned with their pixels.

    `attack` is empty for a real image; `image` is the same for an adversarial image and its source image.
    """

    image: NDArray[np.int64]
    attack: Texts
    patient: Texts
    split: Texts
    key: Texts

    @classmethod
    def from_files(cls, files: Sequence[tuple[str, PatientImage]]) -> "MixedImages":
        """Return the columns of image files, each given with the attack that made it."""
        images = [image for _attack, image in files]
        return cls(
            image=np.array([image.image_id for image in images], dtype=np.int64),
            attack=np.array([attack for attack, _image in files], dtype=str),
            patient=np.array([image.patient for image in images], dtype=str),
            split=np.array([image.split for image in images], dtype=str),
            key=np.array([image.path.name for image in images], dtype=str),
        )

    @property
    def altered(self) -> NDArray[np.int64]:
        """The detector's label: 1 for an adversarial image, 0 for a real one."""
        altered: NDArray[np.int64] = (self.attack != REAL).astype(np.int64)
        return altered

    def select(self, rows: NDArray[np.int64]) -> "MixedImages":
        """Return these rows."""
        return MixedImages(self.image[rows], self.attack[rows], self.patient[rows], self.split[rows], self.key[rows])

    def append(self, other: "MixedImages") -> "MixedImages":
        """Return these images followed by the others."""
        return MixedImages(
            np.concatenate([self.image, other.image]),
            np.concatenate([self.attack, other.attack]),
            np.concatenate([self.patient, other.patient]),
            np.concatenate([self.split, other.split]),
            np.concatenate([self.key, other.key]),
        )

    def with_pixels(self, pixels: NDArray[np.uint16]) -> ImageSet:
        """Return the training set; label 1 means "altered". Raises LabError if a split lacks a class."""
        for split in ("train", "tuning"):
            labels = self.altered[self.split == split]
            for value, name in ((1, "adversarial"), (0, "real")):
                if not (labels == value).any():
                    raise LabError(f"The {split} split holds no {name} image, so no detector can be trained.")
        return ImageSet(pixels, self.altered, self.patient, self.split, self.key)


def detector_table(
    score: Floats, images: MixedImages, seen: Sequence[str], *, replicates: int = REPLICATES
) -> DetectorResult:
    """Return the figures of each attack and of each pool of attacks.

    `score` (N,) is that of the tuning and test images; `seen` are the attacks that the detector was trained on.
    """
    tuning = (images.split == "tuning") & np.isin(images.attack, [REAL, *seen])
    threshold = youden_threshold(score[tuning], images.altered[tuning])
    names = [str(name) for name in np.unique(images.attack) if name != REAL]
    ordered = sorted(names, key=lambda name: (name not in seen, name))
    groups: list[tuple[Pool | None, tuple[str, ...]]] = [(None, (name,)) for name in ordered]
    groups += _pools(ordered, seen)
    rows = (_detection(pool, attacks, score, images, seen, threshold, replicates) for pool, attacks in groups)
    return DetectorResult(threshold, tuple(rows))


def write_description(folder: Path, config: DetectorConfig) -> None:
    """Write beside the weights what the network was trained to detect."""
    (folder / DETECTOR).write_text(json.dumps(serialise.to_dict(config), indent=1))


def load_detector(folder: Path) -> tuple[Classifier, DetectorConfig]:
    """Return the detector of a run folder, in evaluation mode on the CPU. Raises WrongCheckpoint if it holds none."""
    path = folder / DETECTOR
    if not path.exists():
        raise WrongCheckpoint(f"The folder {folder.name} holds no detector.")
    return load_classifier(folder, kind="detector"), serialise.from_dict(DetectorConfig, json.loads(path.read_text()))


def _pools(names: Sequence[str], seen: Sequence[str]) -> Iterator[tuple[Pool, tuple[str, ...]]]:
    """Yield the pools that hold several attacks."""
    for pool, attacks in (
        (Pool.SEEN, tuple(name for name in names if name in seen)),
        (Pool.HELD_OUT, tuple(name for name in names if name not in seen)),
    ):
        if len(attacks) > 1:
            yield pool, attacks


def _detection(
    pool: Pool | None,
    attacks: tuple[str, ...],
    score: Floats,
    images: MixedImages,
    seen: Sequence[str],
    threshold: float,
    replicates: int,
) -> DetectorRow:
    test = images.split == "test"
    adversarial = test & np.isin(images.attack, attacks)
    # Only their source images: compared with all real images, an attack on positives would be detected by the finding.
    source = test & (images.attack == REAL) & np.isin(images.image, images.image[adversarial])
    both = adversarial | source
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    return DetectorRow(
        attack="" if pool else attacks[0],
        pool=pool,
        seen=set(attacks) <= set(seen),
        images=int(adversarial.sum()),
        auc=auc_by_patient(score[both], images.altered[both], images.patient[both], rng, replicates=replicates),
        adversarial_found=wilson_by_cluster(score[adversarial] > threshold, images.patient[adversarial]),
        sources_passed=wilson_by_cluster(score[source] <= threshold, images.patient[source]),
    )
