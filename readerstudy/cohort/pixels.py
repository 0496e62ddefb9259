"""The one path of pixels: whatever the source, real or adversarial, pictures become 16-bit grey PNG here.

Sizes are (rows, columns). A real image and its adversarial twin pass the same functions, so that nothing but
the picture differs between their files.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from readerstudy.cohort.grid import levels_of_bits
from readerstudy.cohort.sources.base import Pixels, UnreadableImage
from readerstudy.cohort.tissue import chest_wall_of
from readerstudy.errors import StudyError

Grey16 = NDArray[np.uint16]
Size = tuple[int, int]

RESOLUTIONS: Final[dict[str, Size]] = {"high": (1728, 1408), "low": (1024, 832)}
WHITE: Final = 65535
NO_DIFFERENCE: Final = 32768

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# compress_type 3 is zlib's Z_RLE: as small as level 6 on noisy grey pictures, and many times faster.
_PNG_OPTIONS: Final[dict[str, Any]] = {"compress_level": 1, "compress_type": 3}


class WrongPixels(StudyError):
    """An array is no picture of the kind that was asked for; the sentence says in what."""


def to_16_bit(pixels: Pixels) -> Grey16:
    """Spread 0 … 2**bits - 1 over 0 … 65535, rounded to the nearest.

    The bits set the scale, never the brightest pixel: films of one detector stay comparable.
    """
    values, bits = pixels.values, pixels.bits
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "ui" or bits < 1:
        raise WrongPixels("A picture has rows, columns, whole numbers and at least one bit.")
    brightest = 2**bits - 1
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > brightest:
        raise WrongPixels(f"The picture holds values from {low} to {high}, outside its {bits} bits (0 to {brightest}).")
    if bits > 16:
        return _spread(values, brightest)
    return np.take(levels_of_bits(bits), values)


def _spread(values: NDArray[Any], brightest: int) -> Grey16:
    """Scale in whole numbers: no float rounding that could differ between machines."""
    levels: Grey16 = ((values.astype(np.int64) * WHITE + brightest // 2) // brightest).astype(np.uint16)
    return levels


def background_of(values: Grey16) -> int:
    """The grey level of the air around the breast: the median of the darkest of the four border strips.

    A strip is one hundredth of the picture wide. The median forgives labels and scratches, and one of the
    four sides is always free of breast.
    """
    return int(min(np.median(strip) for strip in _border_strips(values)))


def _border_strips(values: Grey16) -> tuple[Grey16, Grey16, Grey16, Grey16]:
    """Top, bottom, left, right."""
    height, width = values.shape
    rows, columns = max(1, height // 100), max(1, width // 100)
    return values[:rows], values[-rows:], values[:, :columns], values[:, -columns:]


def fit(values: Grey16, size: Size) -> Grey16:
    """The largest picture of the same shape that fits into `size`, bicubic with antialiasing; not padded."""
    _require_grey16(values)
    fitted = _fitted(values.shape, size)
    if fitted == values.shape:
        return values.copy()
    # Mode F carries the full 16 bits: Pillow's integer modes round between its two passes.
    picture = Image.fromarray(values.astype(np.float32))
    resized = np.asarray(picture.resize((fitted[1], fitted[0]), Image.Resampling.BICUBIC))
    return quantise(resized)


def _fitted(shape: tuple[int, ...], size: Size) -> Size:
    """The largest size of that shape within `size`, in whole pixels."""
    height, width = shape
    scale = min(size[0] / height, size[1] / width)
    return min(size[0], max(1, round(height * scale))), min(size[1], max(1, round(width * scale)))


def quantise(values: NDArray[Any]) -> Grey16:
    """Round to the nearest 16-bit level (halves to even) and clip: the only rounding of the pixel path."""
    levels: Grey16 = np.clip(np.rint(values), 0, WHITE).astype(np.uint16)
    return levels


@dataclass(frozen=True)
class Placing:
    """Where a fitted picture lies in its frame; in pixels of the frame."""

    frame: Size
    top: int
    left: int
    rows: int
    columns: int

    def carry(self, box: Mapping[str, float]) -> dict[str, float]:
        """A box in shares of the picture, {"top", "left", "bottom", "right"}, to shares of the frame."""
        down, across = ((self.top, self.rows, self.frame[0]), (self.left, self.columns, self.frame[1]))
        sides = {"top": down, "left": across, "bottom": down, "right": across}
        return {side: (start + box[side] * length) / whole for side, (start, length, whole) in sides.items()}


def place_in(values: Grey16, size: Size) -> Placing:
    """Where `resize` lays a picture in a frame of `size`.

    Vertically it sits in the middle. Horizontally the chest wall stays at its border where it is clear which
    side that is, else the picture sits in the middle.
    """
    rows, columns = _fitted(values.shape, size)
    spare = size[1] - columns
    wall = chest_wall_of(values) if spare else ""
    left = {"left": 0, "right": spare, "": spare // 2}[wall]
    return Placing(frame=size, top=(size[0] - rows) // 2, left=left, rows=rows, columns=columns)


def resize(values: Grey16, size: Size) -> Grey16:
    """Bring a picture to exactly `size`, ratio kept, laid as `place_in` says, the rest its own background.

    One that has the size already comes back unchanged.
    """
    fitted = fit(values, size)
    if fitted.shape == size:
        return fitted
    framed = np.full(size, background_of(values), dtype=np.uint16)
    place = place_in(values, size)
    framed[place.top : place.top + place.rows, place.left : place.left + place.columns] = fitted
    return framed


def encode_png(values: Grey16) -> bytes:
    """A 16-bit grey PNG of IHDR, IDAT and IEND: no time, no software, no gamma, nothing but the picture."""
    _require_grey16(values)
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values)).save(stream, format="PNG", **_PNG_OPTIONS)
    return stream.getvalue()


def decode_png(source: bytes | Path) -> Grey16:
    """Read back what encode_png wrote, bit for bit. UnreadableImage for all but a whole 16-bit grey PNG."""
    body = source.read_bytes() if isinstance(source, Path) else source
    name = source.name if isinstance(source, Path) else "The picture"
    # IHDR stands first: bit depth is byte 24, colour type byte 25 (0 is grey).
    if body[:8] != _PNG_SIGNATURE or body[24:26] != b"\x10\x00":
        raise UnreadableImage(f"{name} is not a 16-bit grey PNG.")
    try:
        with Image.open(io.BytesIO(body), formats=("PNG",)) as picture:
            return np.asarray(picture).astype(np.uint16)
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableImage(f"{name} is a damaged PNG: {error}") from error


def signed_difference(real: Grey16, adversarial: Grey16) -> Grey16:
    """Half of real minus adversarial, around 32768 for equal: brighter where the change took light away.

    Halves are rounded away from zero and the ends held at ±32767, so swapping the pictures mirrors the
    result, and a pixel reads 32768 exactly where the two agree.
    """
    _require_grey16(real)
    _require_grey16(adversarial)
    if real.shape != adversarial.shape:
        raise WrongPixels(f"Pictures of {real.shape} and {adversarial.shape} pixels cannot be compared.")
    difference = real.astype(np.int32) - adversarial.astype(np.int32)
    half = np.minimum((np.abs(difference) + 1) // 2, NO_DIFFERENCE - 1)
    return quantise(NO_DIFFERENCE + np.sign(difference) * half)


def read_signed_difference(encoded: Grey16) -> NDArray[np.int32]:
    """Real minus adversarial from its picture, in 16-bit levels, to within one; exact where it is even."""
    return (encoded.astype(np.int32) - NO_DIFFERENCE) * 2


def _require_grey16(values: NDArray[Any]) -> None:
    if values.dtype != np.uint16 or values.ndim != 2 or values.size == 0:
        raise WrongPixels("A picture of the study is a two-dimensional array of 16-bit levels.")
