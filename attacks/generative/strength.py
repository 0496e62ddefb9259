"""How much of a generator's change is applied, and where: all of it, or as little as still fools the classifier."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from attacks.generative.texture import BOUNDS, local_contrast, within
from models_ml.data.images import to_tensor
from models_ml.errors import LabError
from models_ml.evaluation.predictions import TOGETHER, Floats, scores
from models_ml.networks.classifier import Classifier
from readerstudy.imaging.image import WHITE, Grey16, Size

Strength = Literal["full", "least"]
Regions = Literal["all", "fewest"]
Texture = Literal["any", "matched"]
THRESHOLD: Final = 0.5  # the article's
LARGEST_MARGIN: Final = 0.45
MOST_MATCHED_SPOTS: Final = 3  # before the change may be stronger
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
    first. `texture` "matched" keeps what is inserted within a multiple of the local contrast of the image, the smallest
    with which the goal is reached; if it is with none of them, the change is as with "any".
    """

    strength: Strength = "full"
    regions: Regions = "all"
    texture: Texture = "any"
    margin: float = 0.05  # of the positive probability

    def __post_init__(self) -> None:
        if (
            self.strength not in get_args(Strength)
            or self.regions not in get_args(Regions)
            or self.texture not in get_args(Texture)
        ):
            raise LabError(
                f"A strength is {' or '.join(get_args(Strength))}, regions are {' or '.join(get_args(Regions))}, "
                f"texture is {' or '.join(get_args(Texture))}."
            )
        if not 0 <= self.margin <= LARGEST_MARGIN:
            raise LabError(f"A margin lies between 0 and {LARGEST_MARGIN}, not at {self.margin}.")

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "StrengthSettings":
        """Return the settings of a job or of a stored attack; a missing one has its default."""
        names = ("strength", "regions", "texture", "margin")
        return cls(**{name: settings[name] for name in names if name in settings})

    @property
    def is_whole(self) -> bool:
        """Return whether the generator's whole change is applied."""
        return self.strength == "full" and self.regions == "all" and self.texture == "any"

    def settings(self) -> dict[str, Any]:
        """Return the settings as JSON; nothing for the whole change, so that earlier attacks keep their identity."""
        if self.is_whole:
            return {}
        limits = {"strength": self.strength, "regions": self.regions, "margin": self.margin}
        return limits if self.texture == "any" else {**limits, "texture": self.texture}


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

    def with_change(self, smooth: NDArray[np.float32]) -> "_Case":
        """Return the case with another change (rows, columns) in place of the smooth one."""
        small = self.frame.downsample(torch.from_numpy(self.weight * smooth)[None, None])[0]
        return replace(self, smooth=smooth, change=small)

    def at(self, masks: NDArray[np.float32], shares: NDArray[np.float64]) -> Tensor:
        """Return the image at the classifier's size with shares (N,) of the change in masks (N, h, w). (N, h, w)"""
        applied = torch.from_numpy(masks * shares[:, None, None].astype(np.float32))
        return (self.small + applied * self.change).clamp(0, 1)


@dataclass(frozen=True)
class _Found:
    """The change that a search ended with, its mask at the classifier's size, and its share."""

    case: _Case
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
        found = [self._search(case, goal) for case, goal in zip(cases, goals, strict=True)]
        return [self._write(*each) for each in zip(cases, goals, self._least(goals, found), strict=True)]

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

    def _search(self, case: _Case, goal: Goal) -> _Found:
        """Return where and within which texture the change reaches the goal; the whole change if it does nowhere."""
        if self.limits.texture == "matched" and not self.is_removal:
            for matched in self._matched(case):
                if found := self._regions(matched, goal, most=MOST_MATCHED_SPOTS):
                    return found
        return self._freely(case, goal)

    def _freely(self, case: _Case, goal: Goal) -> _Found:
        """Return where the change reaches the goal, within any texture; everywhere if it does nowhere."""
        return self._regions(case, goal, most=MOST_SPOTS) or _Found(case, _everywhere(case), 1.0)

    def _matched(self, case: _Case) -> Iterator[_Case]:
        """Yield the case with its change within growing multiples of the local contrast."""
        pixel = case.real.shape[0] / self.drawing.size[0]
        contrast = local_contrast(case.real.astype(np.float32) / np.float32(WHITE), pixel=pixel)
        for bound in BOUNDS:
            yield case.with_change(within(case.smooth, contrast, bound))

    def _regions(self, case: _Case, goal: Goal, *, most: int) -> _Found | None:
        """Return the fewest spots that reach the goal, the most effective first; None if `most` of them do not."""
        everywhere = _everywhere(case)
        if self.limits.regions == "all":
            return _Found(case, everywhere, 1.0) if self._reaches(case, goal, everywhere) else None
        mask = np.zeros_like(everywhere)
        effect = self._effect(case, mask if self.is_removal else everywhere)
        for spots in range(most):
            if self.is_removal and spots:
                effect = self._effect(case, mask)
            spot = next_spot(effect, mask)
            if spot is None:
                return None
            mask = np.maximum(mask, spot)
            if self._reaches(case, goal, mask):
                return _Found(case, mask, 1.0)
        return None

    def _reaches(self, case: _Case, goal: Goal, mask: NDArray[np.float32]) -> bool:
        return goal.is_reached(float(self._score([case.at(mask[None], np.ones(1))])[0]))

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

    def _least(self, goals: Sequence[Goal], found: Sequence[_Found]) -> list[_Found]:
        """Return the smallest share of each image's change that reaches its goal, all images in one batch a step."""
        if self.limits.strength == "full":
            return list(found)
        low, high = np.zeros(len(found)), np.ones(len(found))
        for _step in range(BISECTIONS):
            middle = (low + high) / 2
            tried = [each.case.at(each.mask[None], middle[row : row + 1]) for row, each in enumerate(found)]
            reached = np.array(
                [goal.is_reached(score) for goal, score in zip(goals, self._score(tried), strict=True)], dtype=bool
            )
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return [replace(each, share=float(share)) for each, share in zip(found, high, strict=True)]

    def _write(self, case: _Case, goal: Goal, found: _Found) -> Grey16:
        """Return the written pixels, with more of the change in growing steps until the goal is reached on them."""
        share, step = found.share, FINEST
        while True:
            adversarial = self._apply(found, share)
            if goal.is_reached(self._score_written(adversarial)):
                return adversarial
            if share == 1:
                break
            share, step = min(share + step, 1.0), 2 * step
        if found.case is not case:  # all that its texture allows was not enough on the written file
            return self._write(case, goal, *self._least([goal], [self._freely(case, goal)]))
        return self.drawing.post_processing(case.real, case.drawn, case.weight)

    def _apply(self, found: _Found, share: float) -> Grey16:
        case = found.case
        full = case.frame.upsample(torch.from_numpy(found.mask)[None, None])[0, 0].numpy()
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


def _everywhere(case: _Case) -> NDArray[np.float32]:
    return np.ones(case.change.shape[1:], dtype=np.float32)


def _logit(probability: float) -> float:
    inside = min(max(probability, 1e-9), 1 - 1e-9)
    return log(inside / (1 - inside))


def _probability(logit: float) -> float:
    return 1 / (1 + exp(-logit))
