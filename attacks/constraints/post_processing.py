"""Steps after the network, without which more than the attack would tell an adversarial image from a real one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.geometry import PLAIN, Geometry
from readerstudy.imaging.grey_levels import find_levels, snap_to_source
from readerstudy.imaging.image import WHITE, Grey16, quantise


@dataclass(frozen=True)
class PostProcessing:
    """Change the region only, use only the source image's grey levels, and stay below its brightest pixel there.

    `geometry` is that of the images' modality. Each step can be left out. A pixel that the network did not change
    comes back bit for bit, whichever steps are on.
    """

    geometry: Geometry = field(repr=False)
    keep_background: bool = True
    keep_grid: bool = True
    keep_range: bool = True

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], geometry: Geometry) -> "PostProcessing":
        """Return the steps that a job's settings name; a step that they do not name is on."""
        return cls(geometry, **{step: bool(settings.get(step, True)) for step in STEPS})

    def settings(self) -> dict[str, bool]:
        """Return whether each step is on, as JSON."""
        return {step: getattr(self, step) for step in STEPS}

    def grey_levels(self, real: Grey16) -> Grey16 | None:
        """Return the grey levels that an adversarial image may use, ascending; None if it may use all."""
        return find_levels(real) if self.keep_grid else None

    def weight(self, real: Grey16) -> NDArray[np.float32]:
        """Return how much of its change each pixel keeps, 0 to 1, (rows, columns)."""
        return self.geometry.region(real) if self.keep_background else np.ones(real.shape, dtype=np.float32)

    def white(self, real: Grey16, weight: NDArray[np.float32]) -> float:
        """Return the brightest level that a change may approach, as a share of full scale.

        With `keep_range` that is the brightest pixel in the region of the source image. Scanners and detectors end well
        below full scale, each at its own level: an adversarial image brighter than every real one is recognised by its
        maximum.
        """
        if not self.keep_range:
            return 1.0
        return max(1, int(real[weight > 0].max(initial=0))) / WHITE

    def __call__(self, real: Grey16, drawn: NDArray[np.float64], weight: NDArray[np.float32]) -> Grey16:
        """Return the adversarial image; `drawn` is the network's version of `real` in 16-bit levels, not rounded."""
        adversarial = quantise(real + weight * (drawn - real))
        adversarial = np.where(real == 0, np.uint16(0), adversarial)
        return snap_to_source(real, adversarial) if self.keep_grid else adversarial


STEPS = ("keep_background", "keep_grid", "keep_range")
NO_POST_PROCESSING = PostProcessing(PLAIN, keep_background=False, keep_grid=False, keep_range=False)
