"""8-bit pictures of stored images for pages: windowed images and differences, small or at native pixels.

Readers never see these: they get the stored 16-bit files.
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from readerstudy.imaging.breast_mask import breast_weight
from readerstudy.imaging.image import WHITE, Grey16, WrongPixels
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.resize import fit

_WINDOW: Final = (0.5, 99.5)  # percentiles of the breast that become black and white

Grey8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Window:
    """The 16-bit grey levels that become black and white."""

    low: float
    high: float

    def apply(self, values: Grey16) -> Grey8:
        """Return the image in 8 bits; levels outside the window become black or white."""
        return _to_8_bit((values.astype(np.float64) - self.low) / (self.high - self.low))


@dataclass(frozen=True)
class DifferenceImage:
    """A difference in 8 bits: middle grey for none; white and black are ±`scale` 16-bit grey levels."""

    values: Grey8
    scale: float


def read_small(path: Path, *, largest: int) -> Grey16:
    """Return the stored image with at most `largest` rows and columns, never enlarged.

    Raises OSError or UnreadableImage if the file is missing or damaged.
    """
    values = decode_png(path)
    return fit(values, (min(largest, values.shape[0]), min(largest, values.shape[1])))


def choose_window(values: Grey16) -> Window:
    """Return the window from percentiles of the breast, not of the air around it.

    An adversarial image is shown in the window of its source image, so that equal levels look equal.
    """
    inside = values[breast_weight(values) > 0.5]
    low, high = np.percentile(inside if inside.size else values, _WINDOW)
    return Window(float(low), float(max(high, low + 1)))


def difference_image(real: Grey16, adversarial: Grey16, *, percentile: float) -> DifferenceImage:
    """Return real minus adversarial, as the article shows it: white where the attack took light away, black where it
    added light.

    `percentile` of the absolute change becomes white or black: on the whole grey scale most changes would be too
    faint to see. Raises WrongPixels if the sizes differ.
    """
    if real.shape != adversarial.shape:
        raise WrongPixels(f"Images of {real.shape} and {adversarial.shape} pixels cannot be compared.")
    change = real.astype(np.float64) - adversarial.astype(np.float64)
    scale = min(max(float(np.percentile(np.abs(change), percentile)), 1.0), float(WHITE))
    return DifferenceImage(_to_8_bit(0.5 + change / (2 * scale)), scale)


def encode_jpeg(values: Grey8, *, quality: int) -> bytes:
    stream = BytesIO()
    Image.fromarray(values).save(stream, format="JPEG", quality=quality)
    return stream.getvalue()


def mirror(values: Grey8) -> Grey8:
    """Return the image with left and right exchanged."""
    return np.ascontiguousarray(values[:, ::-1])


def _to_8_bit(shares: NDArray[Any]) -> Grey8:
    """Return 0 to 1 as 0 to 255; values outside are clipped."""
    levels: Grey8 = np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)
    return levels
