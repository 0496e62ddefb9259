"""8-bit versions of stored images for pages: windowed images and differences, small or at native pixels.

Readers never see them; they get the stored 16-bit files.
"""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from readerstudy.imaging.geometry import FindRegion
from readerstudy.imaging.image import Grey16, WrongPixels
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.resize import fit

_WINDOW: Final = (0.5, 99.5)  # percentiles of the region that become black and white
# Percentile of the absolute change of the changed pixels that becomes black or white, as in the readers' triptych
# (grey_percentiles.js). Unchanged pixels do not count: a patch of a thousandth of an image would be clipped otherwise.
_DIFFERENCE_PERCENTILE: Final = 99.9

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


@dataclass(frozen=True, eq=False)
class Triptych:
    """A real image, an adversarial image and real minus adversarial; both images in the window of the real one."""

    real: Grey8
    adversarial: Grey8
    difference: DifferenceImage


def render_image(values: Grey16, *, region: FindRegion, is_mirrored: bool = False) -> Grey8:
    """Return an image in its own window, see `choose_window`; `is_mirrored` exchanges left and right."""
    return _mirror(choose_window(values, region).apply(values), is_mirrored=is_mirrored)


def render_triptych(real: Grey16, adversarial: Grey16, *, region: FindRegion, is_mirrored: bool = False) -> Triptych:
    """Return both images and their difference; `is_mirrored` exchanges left and right.

    Raises WrongPixels if the sizes differ.
    """
    window, difference = choose_window(real, region), difference_image(real, adversarial)
    return Triptych(
        real=_mirror(window.apply(real), is_mirrored=is_mirrored),
        adversarial=_mirror(window.apply(adversarial), is_mirrored=is_mirrored),
        difference=replace(difference, values=_mirror(difference.values, is_mirrored=is_mirrored)),
    )


def read_small(path: Path, *, largest: int) -> Grey16:
    """Return the stored image with at most `largest` rows and columns, never enlarged.

    Raises OSError or UnreadableImage if the file is missing or damaged.
    """
    values = decode_png(path)
    return fit(values, (min(largest, values.shape[0]), min(largest, values.shape[1])))


def choose_window(values: Grey16, region: FindRegion) -> Window:
    """Return the window from percentiles of the region, not of the background around it.

    An adversarial image is shown in the window of its source image, so that equal levels look equal.
    """
    inside = values[region(values) > 0.5]
    low, high = np.percentile(inside if inside.size else values, _WINDOW)
    return Window(float(low), float(max(high, low + 1)))


def difference_image(real: Grey16, adversarial: Grey16) -> DifferenceImage:
    """Return real minus adversarial, as in the article: white where the attack took light away, black where it added.

    The 99.9th percentile of the changed pixels' absolute change becomes white or black, because most changes would be
    too faint to see on the whole grey scale. Raises WrongPixels if the sizes differ.
    """
    if real.shape != adversarial.shape:
        raise WrongPixels(f"Images of {real.shape} and {adversarial.shape} pixels cannot be compared.")
    change = real.astype(np.float64) - adversarial.astype(np.float64)
    changed = np.abs(change[change != 0])
    scale = float(np.percentile(changed, _DIFFERENCE_PERCENTILE)) if changed.size else 1.0
    return DifferenceImage(_to_8_bit(0.5 + change / (2 * scale)), scale)


def encode_jpeg(values: Grey8, *, quality: int) -> bytes:
    """Return the image as a JPEG file; `quality` is Pillow's, up to 95."""
    stream = BytesIO()
    Image.fromarray(values).save(stream, format="JPEG", quality=quality)
    return stream.getvalue()


def _mirror(values: Grey8, *, is_mirrored: bool) -> Grey8:
    return np.ascontiguousarray(values[:, ::-1]) if is_mirrored else values


def _to_8_bit(shares: NDArray[Any]) -> Grey8:
    """Return 0 to 1 as 0 to 255; values outside are clipped."""
    levels: Grey8 = np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)
    return levels
