"""16-bit grey PNG files without metadata."""

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from readerstudy.imaging.image import Grey16, UnreadableImage, require_grey16

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# compress_type 3 is zlib's Z_RLE: as small as level 6 on noisy grey pictures, and many times faster.
_PNG_OPTIONS: Final[dict[str, Any]] = {"compress_level": 1, "compress_type": 3}


def encode_png(values: Grey16) -> bytes:
    """A 16-bit grey PNG of IHDR, IDAT and IEND: no time, no software, no gamma, nothing but the picture."""
    require_grey16(values)
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
