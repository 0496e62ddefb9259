"""Judging real test pictures and their twins with a classifier: what the tables are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attacks.base import Attack, Downsample, Pixels
from attacks.quality import psnr, ssim
from attacks.side_by_side import side_by_side
from models_ml.attack_table import AttackTable, attack_table
from models_ml.errors import LabError
from models_ml.evaluate import Floats, scores, youden_threshold
from models_ml.networks.classifier import Classifier
from models_ml.progress import Report

BOOTSTRAP_SEED = 20210007


@dataclass(frozen=True)
class Real:
    """One real picture and what is known of it; `stimulus` and `image` are the numbers of its rows."""

    stimulus: int
    image: int
    path: Path
    label: int
    patient: str
    split: str


@dataclass(frozen=True)
class Twin:
    """The written adversarial twin of a real picture."""

    stimulus: int
    path: Path


@dataclass(frozen=True)
class Reading:
    """The study's one way from a file to a network: decode, then resize."""

    read: Callable[[Path], Pixels]
    downsample: Downsample

    def at(self, path: Path, size: tuple[int, int]) -> Pixels:
        return self.downsample(self.read(path), size)


@dataclass(frozen=True)
class Judged:
    """Table 1 of one resolution; `scores` has the probability of malignancy of each judged stimulus."""

    attack: AttackTable
    control: AttackTable
    quality: dict[str, float]
    scores: dict[int, float]


class _Look:
    """One test image with its written twin and its control, at the classifier's size; and how like they are."""

    def __init__(self, one: Real, twin: Twin, control: Attack, reading: Reading, size: tuple[int, int]) -> None:
        real, adversarial = reading.read(one.path), reading.read(twin.path)
        self.real = reading.downsample(real, size)
        self.attack = reading.downsample(adversarial, size)
        self.control = reading.downsample(control(real), size)
        self.psnr, self.ssim = psnr(real, adversarial), ssim(real, adversarial)


def judge(
    classifier: Classifier,
    pictures: Sequence[Real],
    made: Mapping[int, Twin],
    controls: Mapping[int, Attack],
    reading: Reading,
    report: Report,
) -> Judged:
    """Score the written files in float32: reading a file again gives the same table. `made` goes by image."""
    tuning = [one for one in pictures if one.split == "tuning"]
    test = [one for one in pictures if one.split == "test"]
    if missing := [one for one in test if one.image not in made]:
        raise LabError(f"{len(missing)} of {len(test)} test images have no twin by these generators; make them first.")
    size = size_of(classifier)
    of_tuning, of_twins = _scores_of_tuning(classifier, tuning, made, reading)
    threshold = youden_threshold(of_tuning, np.array([one.label for one in tuning]))
    seen: list[_Look] = []
    for look in side_by_side(lambda one: _Look(one, made[one.image], controls[one.label], reading, size), test):
        seen.append(look)
        report(len(seen), len(test), "judging test images", {})
    small = {kind: [getattr(look, kind) for look in seen] for kind in ("real", "attack", "control")}
    score = {kind: scores(classifier, np.stack(values)) for kind, values in small.items()}
    common: dict[str, Any] = {
        "labels": np.array([one.label for one in test]),
        "patients": np.array([one.patient for one in test]),
        "score_real": score["real"],
        "tuning_threshold": threshold,
    }
    return Judged(
        attack=attack_table(
            name="GAN", score_adversarial=score["attack"], rng=np.random.default_rng(BOOTSTRAP_SEED), **common
        ),
        control=attack_table(
            name="control (stage 1)",
            score_adversarial=score["control"],
            rng=np.random.default_rng(BOOTSTRAP_SEED),
            **common,
        ),
        quality={
            "psnr_median_db": float(np.median([look.psnr for look in seen])),
            "ssim_median": float(np.median([look.ssim for look in seen])),
        },
        scores={
            **_by_stimulus([*tuning, *test], np.concatenate([of_tuning, score["real"]])),
            **of_twins,
            **{made[one.image].stimulus: float(value) for one, value in zip(test, score["attack"], strict=True)},
        },
    )


def size_of(classifier: Classifier) -> tuple[int, int]:
    """Rows and columns that the classifier reads."""
    return classifier.config.rows, classifier.config.columns


def _scores_of_tuning(
    classifier: Classifier, tuning: Sequence[Real], made: Mapping[int, Twin], reading: Reading
) -> tuple[Floats, dict[int, float]]:
    """The scores of the tuning pictures, in order, and of those of their twins that there are, by stimulus."""
    size = size_of(classifier)
    twins = [made[one.image] for one in tuning if one.image in made]
    paths = [one.path for one in tuning] + [twin.path for twin in twins]
    small = list(side_by_side(lambda path: reading.at(path, size), paths))
    # An empty split has no array to stack; the threshold says so in a sentence.
    found = scores(classifier, np.stack(small)) if small else np.zeros(0)
    of_twins = zip(twins, found[len(tuning) :], strict=True)
    return found[: len(tuning)], {twin.stimulus: float(value) for twin, value in of_twins}


def _by_stimulus(pictures: Sequence[Real], found: Floats) -> dict[int, float]:
    return {one.stimulus: float(value) for one, value in zip(pictures, found, strict=True)}
