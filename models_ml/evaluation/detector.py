"""A detector of adversarial input: the classifier's network, asked "altered?" in place of "malignant?"."""

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
from models_ml.evaluation.attack_table import REPLICATES, AreaUnderCurve, Share, Texts, auc_with_interval, share
from models_ml.evaluation.attack_text import TextTable
from models_ml.evaluation.attack_text import area as area_text
from models_ml.evaluation.attack_text import share as share_text
from models_ml.evaluation.predictions import Floats, youden_threshold
from models_ml.networks.classifier import Classifier
from models_ml.runs.checkpoint import load_classifier
from readerstudy import serialise

DETECTOR = "detector.json"
BOOTSTRAP_SEED = 20210011
REAL = ""


@dataclass(frozen=True)
class DetectorConfig:
    """What a detector is made of: its network and training, and the attacks whose twins it learns to tell."""

    trunk: ClassifierConfig
    attacks: tuple[str, ...]


class Pictured(Protocol):
    """A picture on disk: of which image and patient it is, and in which split she is."""

    @property
    def image_id(self) -> int: ...
    @property
    def patient(self) -> str: ...
    @property
    def split(self) -> str: ...
    @property
    def path(self) -> Path: ...


@dataclass(frozen=True)
class Shown:
    """Real images and twins together, aligned with their pixels, for training or for judging.

    `attack` is empty for a real image; `image` ties a twin to its parent.
    """

    image: NDArray[np.int64]
    attack: Texts
    patient: Texts
    split: Texts
    key: Texts

    @classmethod
    def of(cls, found: Sequence[tuple[str, "Pictured"]]) -> "Shown":
        """From pictures, each with the attack that made it."""
        pictures = [picture for _attack, picture in found]
        return cls(
            image=np.array([one.image_id for one in pictures], dtype=np.int64),
            attack=np.array([attack for attack, _picture in found], dtype=str),
            patient=np.array([one.patient for one in pictures], dtype=str),
            split=np.array([one.split for one in pictures], dtype=str),
            key=np.array([one.path.name for one in pictures], dtype=str),
        )

    @property
    def altered(self) -> NDArray[np.int64]:
        """1 for a twin, 0 for a real image: what the detector is to say."""
        altered: NDArray[np.int64] = (self.attack != REAL).astype(np.int64)
        return altered

    def chosen(self, rows: NDArray[np.int64]) -> "Shown":
        """These rows alone."""
        return Shown(self.image[rows], self.attack[rows], self.patient[rows], self.split[rows], self.key[rows])

    def beside(self, other: "Shown") -> "Shown":
        """These images and, after them, the others."""
        return Shown(
            np.concatenate([self.image, other.image]),
            np.concatenate([self.attack, other.attack]),
            np.concatenate([self.patient, other.patient]),
            np.concatenate([self.split, other.split]),
            np.concatenate([self.key, other.key]),
        )

    def with_pixels(self, pixels: NDArray[np.uint16]) -> ImageSet:
        """What training takes, its label 1 meaning "altered"; LabError where a split lacks one of the two."""
        for split in ("train", "tuning"):
            own = self.altered[self.split == split]
            for value, name in ((1, "adversarial"), (0, "real")):
                if not (own == value).any():
                    raise LabError(f"The {split} split holds no {name} image, so no detector can be trained.")
        return ImageSet(pixels, self.altered, self.patient, self.split, self.key)


@dataclass(frozen=True)
class Detection:
    """How one attack's test twins are told from their own parents. `seen`: the detector was trained on this attack."""

    attack: str
    seen: bool
    images: int
    auc: AreaUnderCurve | None
    twins_found: Share
    parents_left_alone: Share


@dataclass(frozen=True)
class DetectorTable:
    """Every attack at the threshold that the tuning split chose (Youden, on the attacks of the training)."""

    threshold: float
    rows: tuple[Detection, ...]


def detector_table(score: Floats, shown: Shown, seen: Sequence[str], *, replicates: int = REPLICATES) -> DetectorTable:
    """Judge the scores of tuning and test images, aligned with `shown`, attack by attack and all held-out together."""
    tuning = (shown.split == "tuning") & np.isin(shown.attack, [REAL, *seen])
    threshold = youden_threshold(score[tuning], shown.altered[tuning])
    names = [str(name) for name in np.unique(shown.attack) if name != REAL]
    ordered = sorted(names, key=lambda name: (name not in seen, name))
    rows = [_detection(name, (name,), score, shown, seen, threshold, replicates) for name in ordered]
    rows += [
        _detection(title, group, score, shown, seen, threshold, replicates) for title, group in _together(ordered, seen)
    ]
    return DetectorTable(threshold, tuple(rows))


def detector_text(run: str, table: DetectorTable) -> TextTable:
    """The table in cells of text."""
    rows = tuple(
        (
            row.attack,
            "yes" if row.seen else "held out",
            str(row.images),
            area_text(row.auc),
            share_text(row.twins_found),
            share_text(row.parents_left_alone),
        )
        for row in table.rows
    )
    return TextTable(
        key="detector",
        title=f"Detector {run}, at threshold {table.threshold:.3f} (tuning)",
        caption="Each attack's test twins against their own real parents. A detector is worth what it finds of attacks "
        "that it was never shown.",
        columns=("attack", "trained on", "twins", "AUC real v. adversarial", "twins found", "parents left alone"),
        rows=rows,
    )


def write_description(folder: Path, config: DetectorConfig) -> None:
    """Say beside the weights what the network was trained to tell."""
    (folder / DETECTOR).write_text(json.dumps(serialise.to_dict(config), indent=1))


def load_detector(folder: Path) -> tuple[Classifier, DetectorConfig]:
    """The trained detector of a run folder, in evaluation mode on the CPU; WrongCheckpoint where it holds none."""
    path = folder / DETECTOR
    if not path.exists():
        raise WrongCheckpoint(f"The folder {folder.name} holds no detector.")
    return load_classifier(folder, kind="detector"), serialise.from_dict(DetectorConfig, json.loads(path.read_text()))


def _together(names: Sequence[str], seen: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for title, group in (
        ("all it was trained on", tuple(name for name in names if name in seen)),
        ("all held out", tuple(name for name in names if name not in seen)),
    ):
        if len(group) > 1:
            yield title, group


def _detection(
    title: str,
    attacks: tuple[str, ...],
    score: Floats,
    shown: Shown,
    seen: Sequence[str],
    threshold: float,
    replicates: int,
) -> Detection:
    test = shown.split == "test"
    twin = test & np.isin(shown.attack, attacks)
    # Its own parents only: an attack on positives set against all real images would be told by their cancer.
    parent = test & (shown.attack == REAL) & np.isin(shown.image, shown.image[twin])
    both = twin | parent
    chance = np.random.default_rng(BOOTSTRAP_SEED)
    return Detection(
        attack=title,
        seen=set(attacks) <= set(seen),
        images=int(twin.sum()),
        auc=auc_with_interval(score[both], shown.altered[both], shown.patient[both], chance, replicates),
        twins_found=share(score[twin] > threshold),
        parents_left_alone=share(score[parent] <= threshold),
    )
