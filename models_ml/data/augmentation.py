"""Random geometric augmentation."""

from collections.abc import Sequence
from math import log

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models_ml.config import Augmentation


def transform(images: Tensor, matrices: Sequence[NDArray[np.float64]], how: Augmentation) -> Tensor:
    """Return every image (B, C, H, W) transformed by its matrix of `random_map`: bilinear, zero outside."""
    maps = np.stack(matrices)
    if how.rotation == how.shear == 0 and how.least_scale == how.greatest_scale == 1:
        return _flip(images, maps)
    return warp(images, maps)


def random_map(how: Augmentation, chance: np.random.Generator) -> NDArray[np.float64]:
    """Return a random 2 × 2 matrix on (x, y) in pixels from the centre: flip, then scale, shear and rotate."""
    flips = chance.random(2) < (how.horizontal_flip, how.vertical_flip)
    angle, shear = np.deg2rad(chance.uniform((-how.rotation, -how.shear), (how.rotation, how.shear)))
    if how.scale == "uniform":
        scale = chance.uniform(how.least_scale, how.greatest_scale)
    else:
        scale = np.exp(chance.uniform(log(how.least_scale), log(how.greatest_scale)))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    sheared = np.array([[1.0, np.tan(shear)], [0.0, 1.0]])
    matrix: NDArray[np.float64] = rotation @ sheared @ np.diag(np.where(flips, -scale, scale))
    return matrix


def warp(images: Tensor, maps: NDArray[np.float64]) -> Tensor:
    """Return every image transformed about its centre by its matrix (B, 2, 2): bilinear sampling, zero fill."""
    half = np.array(images.shape[:1:-1]) / 2  # (x, y) of the corner, the unit of affine_grid
    back = np.linalg.inv(maps) * half / half[:, None]
    theta = torch.from_numpy(np.pad(back, ((0, 0), (0, 0), (0, 1)))).to(images)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    turned = F.grid_sample(images, grid, padding_mode="zeros", align_corners=False)
    return turned.contiguous(memory_format=torch.channels_last)


def _flip(images: Tensor, maps: NDArray[np.float64]) -> Tensor:
    turned = [
        image.flip([axis for axis, sign in ((2, matrix[0, 0]), (1, matrix[1, 1])) if sign < 0])
        for image, matrix in zip(images, maps, strict=True)
    ]
    return torch.stack(turned).contiguous(memory_format=torch.channels_last)
