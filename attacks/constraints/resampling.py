"""The study's way from a full-size picture to a network's input, as something that a gradient can pass.

`resize` of the pixel path fits bicubically with antialiasing, rounds, and fills the rest of the frame with
background. It is linear but for rounding, so a change of the picture is carried down exactly where torch's own
antialiased bicubic filter is Pillow's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.base import Pixels
from models_ml.data.images import to_tensor
from readerstudy.imaging.resize import resize

Size = tuple[int, int]


@dataclass(frozen=True)
class Frame:
    """Where a picture of `full` rows × columns comes to lie in a network's input of `size`: a fitted rectangle."""

    full: Size
    size: Size
    fitted: Size
    top: int
    left: int

    @classmethod
    def of(cls, pixels: Pixels, small: Pixels) -> "Frame":
        """The frame of a picture and of what the study's path made of it."""
        full, size = pixels.shape, small.shape
        scale = min(size[0] / full[0], size[1] / full[1])
        fitted = (min(size[0], max(1, round(full[0] * scale))), min(size[1], max(1, round(full[1] * scale))))
        top, spare = (size[0] - fitted[0]) // 2, size[1] - fitted[1]
        frames = [cls(full, size, fitted, top, left) for left in sorted({0, spare // 2, spare})]
        return min(frames, key=lambda frame: frame.misfit(pixels, small)) if spare else frames[0]

    def misfit(self, pixels: Pixels, small: Pixels) -> float:
        """Mean difference between the small picture and the large one put here."""
        put = self.down(_tensor(pixels))[0, 0].numpy()
        inside = np.s_[self.top : self.top + self.fitted[0], self.left : self.left + self.fitted[1]]
        return float(np.abs(put[inside] - _tensor(small)[0, 0].numpy()[inside]).mean())

    def down(self, full: Tensor) -> Tensor:
        """(B, 1, full) to (B, 1, size), 0 outside the fitted rectangle; a gradient passes."""
        if self.fitted != self.full:
            full = F.interpolate(full, size=self.fitted, mode="bicubic", antialias=True, align_corners=False)
        right, bottom = self.size[1] - self.left - self.fitted[1], self.size[0] - self.top - self.fitted[0]
        return F.pad(full, (self.left, right, self.top, bottom))

    def up(self, small: Tensor) -> Tensor:
        """A change at the network's size, (B, 1, size), carried bilinearly to the full size."""
        inside = small[..., self.top : self.top + self.fitted[0], self.left : self.left + self.fitted[1]]
        return F.interpolate(inside, size=self.full, mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class Passage:
    """Full-size pictures (B, 1, H, W) in 0…1 with what the study's own path made of them, (B, 1, h, w).

    Calling it with changed pictures gives what the path would make of those: the small picture plus the change
    carried down. Unchanged pictures give the path's own result to the last bit.
    """

    frames: tuple[Frame, ...]
    full: Tensor
    small: Tensor

    @classmethod
    def of(cls, pictures: Sequence[Pixels], size: Size, device: torch.device) -> "Passage":
        """For pictures of one size."""
        smalls = [resize(pixels, size) for pixels in pictures]
        frames = tuple(Frame.of(pixels, small) for pixels, small in zip(pictures, smalls, strict=True))
        return cls(frames, to_tensor(np.stack(pictures), device), to_tensor(np.stack(smalls), device))

    def __call__(self, images: Tensor) -> Tensor:
        return (self.small + self.down(images - self.full)).clamp(0, 1)

    def down(self, changes: Tensor) -> Tensor:
        """Changes of the full-size pictures carried down, each into its own frame."""
        if len(set(self.frames)) == 1:
            return self.frames[0].down(changes)
        return torch.cat([frame.down(changes[row : row + 1]) for row, frame in enumerate(self.frames)])

    def up(self, changes: Tensor) -> Tensor:
        """Changes at the network's size carried up, each out of its own frame."""
        return torch.cat([frame.up(changes[row : row + 1]) for row, frame in enumerate(self.frames)])


def _tensor(pixels: Pixels) -> Tensor:
    return to_tensor(pixels[None], torch.device("cpu"))
