"""A visible patch: one texture for every picture, laid into the breast like a sticker on the film."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from attacks.base import Pixels
from attacks.constraints.budget import FULL_SCALE
from attacks.constraints.post_processing import NO_POST_PROCESSING, PostProcessing
from attacks.gradient.base import Logits, cross_entropy
from attacks.gradient.full_size import seed_of
from models_ml.errors import LabError, WrongImages
from models_ml.runtime.progress import Report
from readerstudy.imaging.breast_mask import breast_weight
from readerstudy.results.progress import Activity, ActivityKind

Floats = NDArray[np.float32]
Centre = tuple[int, int]
_DEPTH_ROWS = 192  # of the small copy in which the depth below the skin is measured


@dataclass(frozen=True)
class PatchSettings:
    """Where the patch lies, how large it is, and how its texture is found (Brown et al., 2017).

    `diameter` is a share of the picture's height. `position` is the deepest point of the breast, a random
    one, or the point of the breast nearest to (row, column), given as shares. Nobody looks for the lesion: a patch
    may cover one by chance, and then removes it in the plainest sense.
    """

    diameter: float = 0.12
    position: Literal["deepest", "random"] | tuple[float, float] = "deepest"
    steps: int = 150
    images: int = 8  # in a step
    rate: float = 0.1
    jitter: int = 2  # pixels of the network's input by which a step moves the patch

    def __post_init__(self) -> None:
        if not 0 < self.diameter < 0.5:
            raise LabError(f"A patch is less than half as high as the picture; {self.diameter} is not.")


@dataclass(frozen=True)
class PatchAttack:
    """Lays a trained texture, a disc, into a picture; the same size, the same place for the same picture and seed."""

    settings: PatchSettings
    texture: Floats  # (k, k) in 0…1, of the parent's brightest
    seed: int
    post_processing: PostProcessing = NO_POST_PROCESSING

    def __call__(self, pixels: Pixels, /) -> Pixels:
        if pixels.dtype != np.uint16 or pixels.ndim != 2:
            raise WrongImages("An attack takes one 16-bit grey image of rows × columns.")
        weight = self.post_processing.weight(pixels)
        side = diameter(self.settings.diameter, pixels.shape[0])
        texture = torch.from_numpy(self.texture)[None, None]
        large = F.interpolate(texture, size=(side, side), mode="bilinear", align_corners=False)[0, 0].numpy()
        drawn = pixels.astype(np.float64)
        corner = self.corner(pixels)
        mine = np.s_[corner[0] : corner[0] + side, corner[1] : corner[1] + side]
        light = large * self.post_processing.white(pixels, weight) * FULL_SCALE
        drawn[mine] += disc(side) * (light - drawn[mine])
        return self.post_processing(pixels, drawn, weight)

    def corner(self, pixels: Pixels) -> Centre:
        """Top and left of the patch."""
        chance = np.random.default_rng(seed_of(pixels, self.seed))
        side = diameter(self.settings.diameter, pixels.shape[0])
        return corner_of(breast_weight(pixels), side, self.settings.position, chance)


def diameter(share: float, rows: int) -> int:
    return max(2, round(share * rows))


def disc(side: int) -> Floats:
    """1 in the disc, 0 outside, a soft edge of one pixel."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    inside: Floats = np.clip(side / 2 - np.hypot(y, x), 0, 1).astype(np.float32)
    return inside


def corner_of(
    weight: Floats,
    side: int,
    place: Literal["deepest", "random"] | tuple[float, float],
    chance: np.random.Generator,
) -> Centre:
    """Top and left of a square of `side` in the breast: as deep as its half at least, where the breast is so wide."""
    step = max(1, weight.shape[0] // _DEPTH_ROWS)
    # Beyond the picture's border there is no breast: the patch stays inside the picture.
    inside = np.pad(weight[step // 2 :: step, step // 2 :: step] > 0.5, 1)
    depth = distance_transform_edt(inside)[1:-1, 1:-1]
    fits = np.argwhere(depth * step >= side / 2 + step)
    if place == "deepest" or not len(fits):
        centre = np.unravel_index(int(depth.argmax()), depth.shape)
    elif place == "random":
        centre = tuple(fits[chance.integers(len(fits))])
    else:
        wanted = np.array(place) * depth.shape
        centre = tuple(fits[np.square(fits - wanted).sum(1).argmin()])
    spare = (weight.shape[0] - side, weight.shape[1] - side)
    top, left = (
        int(np.clip(round((at + 0.5) * step - side / 2), 0, rest)) for at, rest in zip(centre, spare, strict=True)
    )
    return top, left


def train_texture(
    images: Tensor,
    weights: Floats,
    label: int,
    logits: Logits,
    settings: PatchSettings,
    *,
    seed: int,
    white: float,
    report: Report,
) -> Floats:
    """The texture that takes most of these images across the decision, (k, k) in 0…1.

    images (N, 1, H, W) of one label at the network's size, weights (N, H, W) say where the breast is. `white` is the
    brightest that the patch may be, as a share of full scale. Adam on the cross-entropy, plain grey at first.
    """
    side = diameter(settings.diameter, images.shape[2])
    corners = [corner_of(weight, side, settings.position, np.random.default_rng([seed, 0])) for weight in weights]
    mask = torch.from_numpy(disc(side)).to(images)
    raw = torch.zeros(side, side, device=images.device, requires_grad=True)
    optimizer = torch.optim.Adam([raw], lr=settings.rate)
    labels = torch.full((len(images),), label, device=images.device)
    for step in range(settings.steps):
        chance = np.random.default_rng([seed, 1, step])
        rows = chance.choice(len(images), min(settings.images, len(images)), replace=False)
        moves = chance.integers(-settings.jitter, settings.jitter + 1, (len(rows), 2))
        places = [_moved(corners[row], move, images, side) for row, move in zip(rows, moves, strict=True)]
        laid = torch.stack(
            [_laid(images[row], raw.sigmoid() * white, mask, at) for row, at in zip(rows, places, strict=True)]
        )
        loss = -cross_entropy(logits(laid), labels[rows]).mean()
        optimizer.zero_grad()
        (raw.grad,) = torch.autograd.grad(loss, raw)
        optimizer.step()
        report(step + 1, settings.steps, Activity(ActivityKind.OPTIMISING_PATCH), {"loss": -loss.item()})
    texture: Floats = raw.detach().sigmoid().cpu().numpy()
    return texture


def _laid(image: Tensor, light: Tensor, mask: Tensor, at: Centre) -> Tensor:
    """The patch in one image, (1, H, W)."""
    side = light.shape[0]
    bottom, right = image.shape[1] - at[0] - side, image.shape[2] - at[1] - side
    around = (at[1], right, at[0], bottom)
    cover = F.pad(mask, around)[None]
    return image * (1 - cover) + cover * F.pad(light, around)[None]


def _moved(corner: Centre, move: NDArray[np.int64], images: Tensor, side: int) -> Centre:
    top, left = (
        int(np.clip(at + by, 0, size - side)) for at, by, size in zip(corner, move, images.shape[2:], strict=True)
    )
    return top, left
