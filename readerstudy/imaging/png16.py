"""16-bit grey PNG files without metadata."""

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from readerstudy.imaging.image import Grey16, UnreadableImage, require_grey16

_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
# compress_type 3 is zlib's Z_RLE: as small as level 6 for noisy grey images, and many times faster.
_PNG_OPTIONS: Final[dict[str, Any]] = {"compress_level": 1, "compress_type": 3}


def encode_png(values: Grey16) -> bytes:
    """Return a 16-bit grey PNG of IHDR, IDAT and IEND, without time, software or gamma.

    Raises WrongPixels unless the array is one 16-bit grey image.
    """
    require_grey16(values)
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values)).save(stream, format="PNG", **_PNG_OPTIONS)
    return stream.getvalue()


def decode_png(source: bytes | Path) -> Grey16:
    """Return the image of a 16-bit grey PNG. Raises UnreadableImage for any other or damaged file."""
    content = source.read_bytes() if isinstance(source, Path) else source
    name = source.name if isinstance(source, Path) else "The image"
    # IHDR is the first chunk: byte 24 is the bit depth, byte 25 the colour type (0 is grey).
    if content[:8] != _PNG_SIGNATURE or content[24:26] != b"\x10\x00":
        raise UnreadableImage(f"{name} is not a 16-bit grey PNG.")
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            return np.asarray(image).astype(np.uint16)
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableImage(f"{name} is a damaged PNG: {error}") from error
