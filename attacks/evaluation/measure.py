"""Judging real pictures and their written twins with one classifier or several: the scores behind every table.

Everything is scored in float32 from the files as they were written, so that reading a file again gives the same
table. Pictures pass through a few at a time: full-size ones of a whole cohort would not fit.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from attacks.base import Attack, Downsample, Pixels, pixels_drawn
from attacks.parallel import side_by_side
from attacks.quality import psnr, ssim
from models_ml.errors import LabError
from models_ml.evaluation.predictions import Floats, Labels, scores
from models_ml.networks.classifier import Classifier
from models_ml.runtime.progress import Report

CPU = torch.device("cpu")
AT_ONCE = 16  # pictures that are scored together
Size = tuple[int, int]


@dataclass(frozen=True)
class Real:
    """One real picture and what is known of it; `stimulus` and `image` are the numbers of its rows.

    `groups` says by column to which subgroup it belongs, "" where that is unknown.
    """

    stimulus: int
    image: int
    path: Path
    label: int
    patient: str
    split: str
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Twin:
    """The written adversarial twin of a real picture."""

    stimulus: int
    path: Path


@dataclass(frozen=True)
class Judge:
    """A classifier by its run's name."""

    name: str
    classifier: Classifier
    device: torch.device = CPU

    @property
    def size(self) -> Size:
        """Rows and columns that it reads."""
        return self.classifier.config.rows, self.classifier.config.columns


@dataclass(frozen=True)
class Attacked:
    """The twins of one attack, or of two that share the directions, by image.

    `runs` are the names that made them, `against` the classifier they were made for. `controls` are the generators
    of stage 1, by label. Twins that were excluded from studies count too: without the ugly ones it would be picking.
    """

    name: str
    runs: tuple[str, ...]
    twins: Mapping[int, Twin]
    against: str = ""
    labels: tuple[int, ...] = (0, 1)
    controls: Mapping[int, Attack] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """The study's one way from a file to a network: decode, then resize."""

    read: Callable[[Path], Pixels]
    downsample: Downsample


@dataclass(frozen=True)
class Fakes:
    """What became of the test images under one attack, aligned with `Scored.test`; NaN where there is no twin."""

    attack: Floats
    control: Floats
    psnr: Floats
    ssim: Floats

    @property
    def there(self) -> NDArray[np.bool_]:
        """Which test images have a twin."""
        there: NDArray[np.bool_] = ~np.isnan(self.attack)
        return there


@dataclass(frozen=True)
class Scored:
    """What one classifier made of everything; `by_stimulus` is what is kept."""

    judge: str
    size: Size
    tuning: Sequence[Real]
    tuning_scores: Floats
    test: Sequence[Real]
    test_scores: Floats
    fakes: Mapping[str, Fakes]
    by_stimulus: dict[int, float]

    @property
    def tuning_labels(self) -> Labels:
        return np.array([one.label for one in self.tuning], dtype=np.int64)

    @property
    def labels(self) -> Labels:
        return np.array([one.label for one in self.test], dtype=np.int64)

    @property
    def patients(self) -> NDArray[np.str_]:
        return np.array([one.patient for one in self.test])


def score_all(
    judges: Sequence[Judge],
    pictures: Sequence[Real],
    attacks: Sequence[Attacked],
    reading: Reading,
    report: Report,
) -> list[Scored]:
    """Every judge's scores of the tuning and test pictures and of their twins, in the order of the judges.

    Raises LabError where a test image lacks its twin, or nothing is named to be judged.
    """
    if not judges or not attacks:
        raise LabError("An evaluation needs a classifier and an attack.")
    for attacked in attacks:
        _require_twins(pictures, attacked)
    held_out = [one for one in pictures if one.split in ("tuning", "test")]
    work = _Work(judges, attacks, reading)
    taken = [_Taken(judge) for judge in judges]
    for start in range(0, len(held_out), AT_ONCE):
        looks = list(side_by_side(work.look, held_out[start : start + AT_ONCE], drawn=work.pixels_drawn))
        for one in taken:
            one.take(looks)
        report(start + len(looks), len(held_out), "judging images", {})
    return [one.scored(held_out, attacks) for one in taken]


def _require_twins(pictures: Sequence[Real], attacked: Attacked) -> None:
    wanted = [one for one in pictures if one.split == "test" and one.label in attacked.labels]
    if missing := [one for one in wanted if one.image not in attacked.twins]:
        raise LabError(
            f"{len(missing)} of {len(wanted)} test images have no twin by {', '.join(attacked.runs)}; make them first."
        )


@dataclass(frozen=True)
class _Work:
    """What is read of one picture, at every size that a judge reads."""

    judges: Sequence[Judge]
    attacks: Sequence[Attacked]
    reading: Reading

    @property
    def pixels_drawn(self) -> int:
        """How many pixels a control draws for an image, 0 without controls."""
        controls = (control for attacked in self.attacks for control in attacked.controls.values())
        return max(map(pixels_drawn, controls), default=0)

    def look(self, one: Real) -> "_Look":
        """Read the picture and its twins; only of test pictures is anything but the file wanted."""
        real = self.reading.read(one.path)
        look = _Look(one, {}, {})
        self._add(look, "real", real)
        for attacked in self.attacks:
            if twin := attacked.twins.get(one.image):
                fake = self.reading.read(twin.path)
                self._add(look, f"attack {attacked.name}", fake)
                if one.split == "test":
                    look.likeness[attacked.name] = (psnr(real, fake), ssim(real, fake))
                    if control := attacked.controls.get(one.label):
                        self._add(look, f"control {attacked.name}", control(real))
        return look

    def _add(self, look: "_Look", what: str, pixels: Pixels) -> None:
        for size in {judge.size for judge in self.judges}:
            look.small[what, size] = self.reading.downsample(pixels, size)


@dataclass(frozen=True)
class _Look:
    """One picture with its twins and controls, small; and how like the twins are."""

    one: Real
    small: dict[tuple[str, Size], Pixels]
    likeness: dict[str, tuple[float, float]]


class _Taken:
    """What one judge has scored so far: by picture, then by what was looked at."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.found: dict[int, dict[str, float]] = {}
        self.likeness: dict[int, dict[str, tuple[float, float]]] = {}

    def take(self, looks: Sequence[_Look]) -> None:
        size = self.judge.size
        wanted = [(look.one.image, what) for look in looks for what, its in look.small if its == size]
        pixels = [look.small[what, its] for look in looks for what, its in look.small if its == size]
        found = scores(self.judge.classifier, np.stack(pixels), device=self.judge.device)
        for (image, what), value in zip(wanted, found, strict=True):
            self.found.setdefault(image, {})[what] = float(value)
        self.likeness |= {look.one.image: look.likeness for look in looks}

    def scored(self, pictures: Sequence[Real], attacks: Sequence[Attacked]) -> Scored:
        tuning = [one for one in pictures if one.split == "tuning"]
        test = [one for one in pictures if one.split == "test"]
        return Scored(
            judge=self.judge.name,
            size=self.judge.size,
            tuning=tuning,
            tuning_scores=self._column(tuning, "real"),
            test=test,
            test_scores=self._column(test, "real"),
            fakes={attacked.name: self._fakes(test, attacked.name) for attacked in attacks},
            by_stimulus=dict(chain(self._reals(pictures), self._twins(pictures, attacks))),
        )

    def _column(self, pictures: Sequence[Real], what: str) -> Floats:
        return np.array([self.found[one.image].get(what, np.nan) for one in pictures])

    def _fakes(self, test: Sequence[Real], name: str) -> Fakes:
        likeness = [self.likeness[one.image].get(name, (np.nan, np.nan)) for one in test]
        columns = np.array(likeness, dtype=float).reshape(-1, 2)
        attack, control = self._column(test, f"attack {name}"), self._column(test, f"control {name}")
        return Fakes(attack, control, columns[:, 0], columns[:, 1])

    def _reals(self, pictures: Sequence[Real]) -> Iterator[tuple[int, float]]:
        return ((one.stimulus, self.found[one.image]["real"]) for one in pictures)

    def _twins(self, pictures: Sequence[Real], attacks: Sequence[Attacked]) -> Iterator[tuple[int, float]]:
        for attacked in attacks:
            for one in pictures:
                if twin := attacked.twins.get(one.image):
                    yield twin.stimulus, self.found[one.image][f"attack {attacked.name}"]
