"""A differentiable version of the study's resizing from a full-size image to a network's input.

`readerstudy.imaging.resize` fits an image bicubically with antialiasing, rounds, and fills the rest of the frame with
background. It is linear except for rounding, so a change of the image is downsampled exactly if torch's antialiased
bicubic filter is Pillow's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models_ml.data.images import to_tensor
from readerstudy.imaging.geometry import Geometry
from readerstudy.imaging.image import Grey16, Size
from readerstudy.imaging.resize import Placement


@dataclass(frozen=True)
class Frame:
    """The rectangle of a network's input that holds the resized image, and the size of the full image."""

    full: Size
    placement: Placement

    @classmethod
    def of(cls, pixels: Grey16, size: Size, geometry: Geometry) -> "Frame":
        """Return where resizing puts the image in a frame of `size`."""
        rows, columns = pixels.shape
        return cls((rows, columns), geometry.find_placement(pixels, size))

    def downsample(self, full: Tensor) -> Tensor:
        """Return (B, 1, full size) at the network's size, 0 outside the image; differentiable."""
        place = self.placement
        if (place.rows, place.columns) != self.full:
            full = F.interpolate(
                full, size=(place.rows, place.columns), mode="bicubic", antialias=True, align_corners=False
            )
        right = place.frame[1] - place.left - place.columns
        bottom = place.frame[0] - place.top - place.rows
        return F.pad(full, (place.left, right, place.top, bottom))

    def upsample(self, small: Tensor) -> Tensor:
        """Return a change at the network's size, (B, 1, h, w), bilinearly at the full size."""
        place = self.placement
        inside = small[..., place.top : place.top + place.rows, place.left : place.left + place.columns]
        return F.interpolate(inside, size=self.full, mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class DifferentiableResize:
    """Full-size images (B, 1, H, W) in 0…1 and their resized versions, (B, 1, h, w), by the study's own resizing.

    A call with changed images returns their resized versions: the small images plus the downsampled change. Unchanged
    images give the study's own result to the last bit.
    """

    frames: tuple[Frame, ...]
    full: Tensor
    small: Tensor

    @classmethod
    def of(
        cls, images: Sequence[Grey16], size: Size, device: torch.device, geometry: Geometry
    ) -> "DifferentiableResize":
        """Return the resizing of images of one size to `size`."""
        frames = tuple(Frame.of(pixels, size, geometry) for pixels in images)
        small = np.stack([geometry.resize(pixels, size) for pixels in images])
        return cls(frames, to_tensor(np.stack(images), device), to_tensor(small, device))

    def __call__(self, images: Tensor) -> Tensor:
        return (self.small + self.downsample(images - self.full)).clamp(0, 1)

    def downsample(self, changes: Tensor) -> Tensor:
        """Return changes of the full-size images at the network's size, each in its own frame."""
        if len(set(self.frames)) == 1:
            return self.frames[0].downsample(changes)
        return torch.cat([frame.downsample(changes[row : row + 1]) for row, frame in enumerate(self.frames)])

    def upsample(self, changes: Tensor) -> Tensor:
        """Return changes at the network's size at the full size, each out of its own frame."""
        return torch.cat([frame.upsample(changes[row : row + 1]) for row, frame in enumerate(self.frames)])
