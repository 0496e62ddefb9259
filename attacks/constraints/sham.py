"""A control for attacks: the same steps with a change that nobody can see."""

import zlib
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from attacks.base import Pixels
from attacks.constraints.post_processing import PostProcessing
from readerstudy.imaging.image import WHITE
from readerstudy.imaging.png16 import decode_png, encode_png

LEVELS = 15
SEED = 20210017


@dataclass(frozen=True)
class Sham:
    """Puts an image through the steps of an attack with an invisible change.

    The change is drawn at random on the network's grid and carried up bilinearly, as that of a generator is. It is at
    most `levels` of 65,535, or one grey level of an image that keeps to a coarser grid. Post-processing, rounding and
    encoding follow, as for an adversarial image. The same image gets the same change every time.
    """

    size: tuple[int, int]  # rows and columns of the network's grid
    post_processing: PostProcessing
    levels: int = LEVELS

    def __call__(self, pixels: Pixels, /) -> Pixels:
        """Return the sham of 16-bit pixels (H, W), same size."""
        weight = self.post_processing.weight(pixels)
        full = (pixels.astype(np.float64) / WHITE).astype(np.float32)  # as a network is given it
        drawn = full + self._change(pixels)
        brightest = np.maximum(full, np.float32(self.post_processing.white(pixels, weight)))
        drawn = np.clip(drawn, 0, brightest)
        return decode_png(encode_png(self.post_processing(pixels, drawn.astype(np.float64) * WHITE, weight)))

    def _change(self, pixels: Pixels) -> NDArray[np.float32]:
        """The change of each pixel as a share of full scale."""
        rng = np.random.default_rng([SEED, zlib.crc32(pixels.tobytes())])
        greatest = max(self.levels, self._step_of(pixels)) / WHITE
        coarse = torch.from_numpy(rng.uniform(-greatest, greatest, self.size).astype(np.float32))
        carried: NDArray[np.float32] = F.interpolate(coarse[None, None], size=pixels.shape, mode="bilinear")[
            0, 0
        ].numpy()
        return carried

    def _step_of(self, pixels: Pixels) -> int:
        """The usual distance between the grey levels that the image must keep to."""
        levels = self.post_processing.grey_levels(pixels)
        return 1 if levels is None or len(levels) < 2 else int(np.median(np.diff(levels.astype(np.int64))))
