"""How much of a generator's change is applied, and where: all of it, or as little as still fools the classifier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, log
from typing import Any, Final, Literal, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from attacks.constraints.post_processing import PostProcessing
from attacks.constraints.resampling import Frame
from attacks.generative.regions import MOST_SPOTS, next_spot
from models_ml.data.images import to_tensor
from models_ml.errors import LabError
from models_ml.evaluation.predictions import TOGETHER, Floats, scores
from models_ml.networks.classifier import Classifier
from readerstudy.imaging.image import WHITE, Grey16, Size

Strength = Literal["full", "least"]
Regions = Literal["all", "fewest"]
THRESHOLD: Final = 0.5  # the article's
LARGEST_MARGIN: Final = 0.45
BISECTIONS: Final = 6  # steps of 1/64
FINEST: Final = 2.0**-BISECTIONS


class Drawing(Protocol):
    """A generator's attack: its version of an image before post-processing."""

    @property
    def size(self) -> Size: ...
    @property
    def pixels_drawn(self) -> int: ...
    @property
    def post_processing(self) -> PostProcessing: ...
    def draw(self, pixels: Grey16, weight: NDArray[np.float32]) -> NDArray[np.float64]: ...
    def __call__(self, pixels: Grey16, /) -> Grey16: ...


@dataclass(frozen=True)
class StrengthSettings:
    """How much of the change is applied.

    `strength` "full" is the article's attack, "least" the smallest share of the change that moves the score across the
    threshold by `margin`. `regions` "fewest" applies the change only in the regions that this takes, the most effective
    first.
    """

    strength: Strength = "full"
    regions: Regions = "all"
    margin: float = 0.05  # of the positive probability

    def __post_init__(self) -> None:
        if self.strength not in get_args(Strength) or self.regions not in get_args(Regions):
            raise LabError(
                f"A strength is {' or '.join(get_args(Strength))}, regions are {' or '.join(get_args(Regions))}."
            )
        if not 0 <= self.margin <= LARGEST_MARGIN:
            raise LabError(f"A margin lies between 0 and {LARGEST_MARGIN}, not at {self.margin}.")

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "StrengthSettings":
        """Return the settings of a job or of a stored attack; a missing one has its default."""
        return cls(**{name: settings[name] for name in ("strength", "regions", "margin") if name in settings})

    @property
    def is_whole(self) -> bool:
        """Return whether the generator's whole change is applied."""
        return self.strength == "full" and self.regions == "all"

    def settings(self) -> dict[str, Any]:
        """Return the settings as JSON; nothing for the whole change, so that earlier attacks keep their identity."""
        if self.is_whole:
            return {}
        return {"strength": self.strength, "regions": self.regions, "margin": self.margin}


@dataclass(frozen=True)
class Goal:
    """The scores that an adversarial image is to reach: at most or at least `bound`, the positive probability."""

    is_removal: bool
    bound: float

    @classmethod
    def beyond(cls, score: float, *, is_removal: bool, margin: float) -> "Goal":
        """Return the goal of an image with this score.

        It lies across the threshold by the margin. The logit also moves by at least the distance between the two
        margins: an image that the classifier gets wrong already is changed too.
        """
        near, far = (THRESHOLD + margin, THRESHOLD - margin) if is_removal else (THRESHOLD - margin, THRESHOLD + margin)
        moved = _logit(score) + _logit(far) - _logit(near)
        reached = _probability(moved)
        return cls(is_removal, min(far, reached) if is_removal else max(far, reached))

    def is_reached(self, score: float) -> bool:
        return score <= self.bound if self.is_removal else score >= self.bound


@dataclass(frozen=True)
class _Case:
    """One image with the generator's change, in full and at the classifier's size."""

    real: Grey16
    weight: NDArray[np.float32]
    drawn: NDArray[np.float64]
    smooth: NDArray[np.float32]  # the change in 0…1 without what it does to the grain, at the study's size
    frame: Frame
    small: Tensor  # (1, h, w)
    change: Tensor  # (1, h, w), of the weighted smooth change

    def at(self, masks: NDArray[np.float32], shares: NDArray[np.float64]) -> Tensor:
        """Return the image at the classifier's size with shares (N,) of the change in masks (N, h, w). (N, h, w)"""
        applied = torch.from_numpy(masks * shares[:, None, None].astype(np.float32))
        return (self.small + applied * self.change).clamp(0, 1)


@dataclass(frozen=True)
class _Found:
    """The mask and the share of the change that a search ended with, at the classifier's size."""

    mask: NDArray[np.float32]
    share: float


@dataclass(frozen=True)
class LimitedAttack:
    """Applies as much of a generator's change as the settings allow.

    The classifier decides on the written 16-bit pixels, resized as a study resizes them. No pixel changes by more than
    the generator itself would change it. If the goal is out of reach, the image gets the generator's whole change.

    The grain of the image is carried over: the generator draws at its own size, so whatever is finer than its pixels in
    the difference is the image's own grain, which bright tissue would compress and dark tissue stretch.
    """

    drawing: Drawing
    classifier: Classifier
    is_removal: bool
    limits: StrengthSettings

    @property
    def pixels_drawn(self) -> int:
        return self.drawing.pixels_drawn

    @cached_property
    def _size(self) -> Size:
        return self.classifier.config.rows, self.classifier.config.columns

    def __call__(self, pixels: Grey16, /) -> Grey16:
        return self.attack_batch([pixels])[0]

    def attack_batch(self, images: Sequence[Grey16]) -> list[Grey16]:
        """Return the adversarial images; their candidates are scored together."""
        cases = [self._case(pixels) for pixels in images]
        goals = [
            Goal.beyond(score, is_removal=self.is_removal, margin=self.limits.margin)
            for score in self._score([case.small for case in cases])
        ]
        found = [self._choose_regions(case, goal) for case, goal in zip(cases, goals, strict=True)]
        if self.limits.strength == "least":
            found = self._bisect(cases, goals, found)
        return [self._write(*each) for each in zip(cases, goals, found, strict=True)]

    def _case(self, pixels: Grey16) -> _Case:
        steps = self.drawing.post_processing
        weight = steps.weight(pixels)
        drawn = self.drawing.draw(pixels, weight)
        change = (drawn / WHITE - pixels / WHITE).astype(np.float32)
        finest = pixels.shape[0] / self.drawing.size[0] / 2  # half a pixel of the generator
        smooth = gaussian_filter(change, finest) if finest > 0.5 else change
        frame = Frame.of(pixels, self._size, steps.geometry)
        return _Case(
            real=pixels,
            weight=weight,
            drawn=drawn,
            smooth=smooth,
            frame=frame,
            small=to_tensor(steps.geometry.resize(pixels, self._size)[None], torch.device("cpu"))[0],
            change=frame.downsample(torch.from_numpy(weight * smooth)[None, None])[0],
        )

    def _choose_regions(self, case: _Case, goal: Goal) -> _Found:
        """Return the fewest spots that reach the goal, the most effective first; everything if none do."""
        everything = np.ones(case.change.shape[1:], dtype=np.float32)
        if self.limits.regions == "all":
            return _Found(everything, 1.0)
        mask = np.zeros_like(everything)
        for _ in range(MOST_SPOTS):
            spot = next_spot(self._effect(case, mask if self.is_removal else everything), mask)
            if spot is None:
                break
            mask = np.maximum(mask, spot)
            if goal.is_reached(float(self._score([case.at(mask[None], np.ones(1))])[0])):
                return _Found(mask, 1.0)
        return _Found(everything, 1.0)

    @torch.enable_grad()
    def _effect(self, case: _Case, applied: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what each pixel's change contributes to the logit in the wanted direction, to first order. (h, w)

        It is that of the image with the change in the mask `applied`.
        """
        device = next(self.classifier.parameters()).device
        image = case.at(applied[None], np.ones(1))[:, None].to(device).requires_grad_()
        outputs = self.classifier(image)[0]
        (gradient,) = torch.autograd.grad(outputs[1] - outputs[0], image)
        effect: NDArray[np.float32] = (gradient[0, 0].cpu() * case.change[0]).numpy()
        return -effect if self.is_removal else effect

    def _bisect(self, cases: Sequence[_Case], goals: Sequence[Goal], found: Sequence[_Found]) -> list[_Found]:
        """Return the smallest share of each image's change that reaches its goal, all images in one batch a step."""
        low, high = np.zeros(len(cases)), np.ones(len(cases))
        for _step in range(BISECTIONS):
            middle = (low + high) / 2
            tried = [
                case.at(each.mask[None], middle[row : row + 1])
                for row, (case, each) in enumerate(zip(cases, found, strict=True))
            ]
            reached = np.array(
                [goal.is_reached(score) for goal, score in zip(goals, self._score(tried), strict=True)], dtype=bool
            )
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return [_Found(each.mask, float(share)) for each, share in zip(found, high, strict=True)]

    def _write(self, case: _Case, goal: Goal, found: _Found) -> Grey16:
        """Return the written pixels, with more of the change in growing steps until the goal is reached on them."""
        share, step = found.share, FINEST
        while share < 1:
            adversarial = self._apply(case, found.mask, share)
            if goal.is_reached(self._score_written(adversarial)):
                return adversarial
            share, step = share + step, 2 * step
        adversarial = self._apply(case, found.mask, 1.0)
        if goal.is_reached(self._score_written(adversarial)):
            return adversarial
        return self.drawing.post_processing(case.real, case.drawn, case.weight)

    def _apply(self, case: _Case, mask: NDArray[np.float32], share: float) -> Grey16:
        full = case.frame.upsample(torch.from_numpy(mask)[None, None])[0, 0].numpy()
        generated = case.drawn - case.real
        limited = np.clip(
            (share * WHITE) * full.astype(np.float64) * case.smooth,
            np.minimum(generated, 0),
            np.maximum(generated, 0),
        )
        return self.drawing.post_processing(case.real, case.real + limited, case.weight)

    def _score_written(self, adversarial: Grey16) -> float:
        small = self.drawing.post_processing.geometry.resize(adversarial, self._size)
        device = next(self.classifier.parameters()).device
        return float(scores(self.classifier, small[None], device=device)[0])

    @torch.no_grad()
    def _score(self, images: Sequence[Tensor]) -> Floats:
        """Return the positive probability of images (N, h, w) in 0…1, of all groups in one row."""
        batch = torch.cat(list(images))[:, None]
        device = next(self.classifier.parameters()).device
        parts = [
            self.classifier(batch[start : start + TOGETHER].to(device)).softmax(1)[:, 1].cpu().double().numpy()
            for start in range(0, len(batch), TOGETHER)
        ]
        return np.concatenate(parts)


def _logit(probability: float) -> float:
    inside = min(max(probability, 1e-9), 1 - 1e-9)
    return log(inside / (1 - inside))


def _probability(logit: float) -> float:
    return 1 / (1 + exp(-logit))
