"""A visible patch: one texture for all images of a label, placed in the region like a sticker."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from attacks.base import require_grey_image
from attacks.constraints.post_processing import NO_POST_PROCESSING, PostProcessing
from attacks.gradient.base import LogitFunction, cross_entropy
from attacks.gradient.full_size import image_seed
from models_ml.errors import LabError
from models_ml.runtime.progress import Report
from readerstudy.imaging.image import WHITE, Grey16
from readerstudy.results.progress import Activity, ActivityKind

Floats = NDArray[np.float32]
Corner = tuple[int, int]  # top and left
Position = Literal["deepest", "random"] | tuple[float, float]
_DEPTH_ROWS = 192  # of the small copy in which the depth below the skin is measured


@dataclass(frozen=True)
class PatchSettings:
    """Position and size of a patch, and the training of its texture (Brown et al., 2017).

    `diameter` is a share of the image's height. `position` is the deepest point of the region, a random one, or the
    point of the region nearest to (row, column), given as shares. The position of the lesion is not used: a patch may
    cover it by chance, and then removes it literally.
    """

    diameter: float = 0.12
    position: Position = "deepest"
    steps: int = 150
    images: int = 8  # in a step
    rate: float = 0.1
    jitter: int = 2  # pixels of the network's input by which a step moves the patch

    def __post_init__(self) -> None:
        if not 0 < self.diameter < 0.5:
            raise LabError(f"A patch is less than half as high as the image; {self.diameter} is not.")


@dataclass(frozen=True)
class PatchAttack:
    """Places a trained texture, a disc, in an image; at the same position for the same image and seed."""

    settings: PatchSettings
    texture: Floats  # (k, k) in 0…1, as a share of the brightest pixel in the source image's region
    seed: int
    post_processing: PostProcessing = NO_POST_PROCESSING

    def __call__(self, pixels: Grey16, /) -> Grey16:
        """Return the image of 16-bit pixels (H, W) with the patch, same size."""
        require_grey_image(pixels)
        weight = self.post_processing.weight(pixels)
        side = diameter_in_pixels(self.settings.diameter, pixels.shape[0])
        texture = torch.from_numpy(self.texture)[None, None]
        enlarged = F.interpolate(texture, size=(side, side), mode="bilinear", align_corners=False)[0, 0].numpy()
        drawn = pixels.astype(np.float64)
        top, left = self.corner(pixels)
        square = np.s_[top : top + side, left : left + side]
        light = enlarged * self.post_processing.white(pixels, weight) * WHITE
        drawn[square] += disc(side) * (light - drawn[square])
        return self.post_processing(pixels, drawn, weight)

    def corner(self, pixels: Grey16) -> Corner:
        """Return top and left of the patch."""
        rng = np.random.default_rng(image_seed(pixels, self.seed))
        side = diameter_in_pixels(self.settings.diameter, pixels.shape[0])
        return find_corner(self.post_processing.geometry.region(pixels), side, self.settings.position, rng)


def diameter_in_pixels(share: float, rows: int) -> int:
    """Return a share of the height in whole pixels, at least 2."""
    return max(2, round(share * rows))


def disc(side: int) -> Floats:
    """Return a mask (side, side): 1 in the disc, 0 outside, with a soft edge of one pixel."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    inside: Floats = np.clip(side / 2 - np.hypot(y, x), 0, 1).astype(np.float32)
    return inside


def find_corner(weight: Floats, side: int, position: Position, rng: np.random.Generator) -> Corner:
    """Return top and left of a square of `side` pixels in the region, given by its weight (rows, columns).

    The middle of the square is at least half a side inside the region, if that is wide enough.
    """
    step = max(1, weight.shape[0] // _DEPTH_ROWS)
    # Outside the image there is no region, so that the patch stays inside the image.
    inside = np.pad(weight[step // 2 :: step, step // 2 :: step] > 0.5, 1)
    depth = distance_transform_edt(inside)[1:-1, 1:-1]
    candidates = np.argwhere(depth * step >= side / 2 + step)
    if position == "deepest" or not len(candidates):
        centre = np.unravel_index(int(depth.argmax()), depth.shape)
    elif position == "random":
        centre = tuple(candidates[rng.integers(len(candidates))])
    else:
        target = np.array(position) * depth.shape
        centre = tuple(candidates[np.square(candidates - target).sum(1).argmin()])
    spare = (weight.shape[0] - side, weight.shape[1] - side)
    top, left = (
        int(np.clip(round((middle + 0.5) * step - side / 2), 0, most))
        for middle, most in zip(centre, spare, strict=True)
    )
    return top, left


def train_texture(
    images: Tensor,
    weights: Floats,
    label: int,
    logits: LogitFunction,
    settings: PatchSettings,
    *,
    seed: int,
    white: float,
    report: Report,
) -> Floats:
    """Return the texture, (k, k) in 0…1, that flips the decision for most of these images.

    `images` (N, 1, H, W) are of one label and at the network's size, `weights` (N, H, W) are those of the region.
    `white` is the brightest value of the patch as a share of full scale. Adam maximises the cross-entropy from a
    uniform grey.
    """
    side = diameter_in_pixels(settings.diameter, images.shape[2])
    corners = [find_corner(weight, side, settings.position, np.random.default_rng([seed, 0])) for weight in weights]
    mask = torch.from_numpy(disc(side)).to(images)
    raw = torch.zeros(side, side, device=images.device, requires_grad=True)
    optimizer = torch.optim.Adam([raw], lr=settings.rate)
    labels = torch.full((len(images),), label, device=images.device)
    for step in range(settings.steps):
        rng = np.random.default_rng([seed, 1, step])
        rows = rng.choice(len(images), min(settings.images, len(images)), replace=False)
        moves = rng.integers(-settings.jitter, settings.jitter + 1, (len(rows), 2))
        moved = [_move(corners[row], move, images, side) for row, move in zip(rows, moves, strict=True)]
        patched = torch.stack(
            [
                _with_patch(images[row], raw.sigmoid() * white, mask, corner)
                for row, corner in zip(rows, moved, strict=True)
            ]
        )
        loss = -cross_entropy(logits(patched), labels[rows]).mean()
        optimizer.zero_grad()
        (raw.grad,) = torch.autograd.grad(loss, raw)
        optimizer.step()
        report(step + 1, settings.steps, Activity(ActivityKind.OPTIMISING_PATCH), {"loss": -loss.item()})
    texture: Floats = raw.detach().sigmoid().cpu().numpy()
    return texture


def _with_patch(image: Tensor, light: Tensor, mask: Tensor, corner: Corner) -> Tensor:
    """Return one image, (1, H, W), with the patch at this corner."""
    side = light.shape[0]
    bottom, right = image.shape[1] - corner[0] - side, image.shape[2] - corner[1] - side
    padding = (corner[1], right, corner[0], bottom)
    cover = F.pad(mask, padding)[None]
    return image * (1 - cover) + cover * F.pad(light, padding)[None]


def _move(corner: Corner, move: NDArray[np.int64], images: Tensor, side: int) -> Corner:
    """Return the corner after a move, kept inside images (N, 1, H, W)."""
    top, left = (
        int(np.clip(start + by, 0, size - side)) for start, by, size in zip(corner, move, images.shape[2:], strict=True)
    )
    return top, left
