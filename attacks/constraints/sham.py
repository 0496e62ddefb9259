"""A sham for attacks: the same steps with an invisible change."""

import zlib
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from attacks.constraints.post_processing import PostProcessing
from readerstudy.imaging.image import WHITE, Grey16, Size

LARGEST_CHANGE = 15  # 16-bit grey levels
SEED = 20210017


@dataclass(frozen=True)
class Sham:
    """Puts an image through the steps of an attack with an invisible change.

    The change is drawn at random on the network's grid and upsampled bilinearly, as that of a generator is. It is at
    most `levels` of 65,535, or one grey level of an image that keeps to a coarser grid. Post-processing and rounding
    follow, as for an adversarial image, whose file is lossless. The same image gets the same change every time.
    """

    size: Size  # of the network's grid
    post_processing: PostProcessing
    levels: int = LARGEST_CHANGE

    def __call__(self, pixels: Grey16, /) -> Grey16:
        """Return the sham of 16-bit pixels (H, W), same size."""
        weight = self.post_processing.weight(pixels)
        real = (pixels.astype(np.float64) / WHITE).astype(np.float32)  # in the arithmetic of networks
        changed = real + self._change(pixels)
        brightest = np.maximum(real, np.float32(self.post_processing.white(pixels, weight)))
        changed = np.clip(changed, 0, brightest)
        return self.post_processing(pixels, changed.astype(np.float64) * WHITE, weight)

    def _change(self, pixels: Grey16) -> NDArray[np.float32]:
        """Return the change of each pixel as a share of full scale."""
        rng = np.random.default_rng([SEED, zlib.crc32(pixels.tobytes())])
        largest = max(self.levels, self._grid_step(pixels)) / WHITE
        coarse = torch.from_numpy(rng.uniform(-largest, largest, self.size).astype(np.float32))
        upsampled = F.interpolate(coarse[None, None], size=pixels.shape, mode="bilinear")
        change: NDArray[np.float32] = upsampled[0, 0].numpy()
        return change

    def _grid_step(self, pixels: Grey16) -> int:
        """Return the median distance between the grey levels that the image keeps to."""
        levels = self.post_processing.grey_levels(pixels)
        return 1 if levels is None or len(levels) < 2 else int(np.median(np.diff(levels.astype(np.int64))))
