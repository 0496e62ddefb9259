"""Grey images in PNG, PGM and TIFF files, with the bit depth that the file declares."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from readerstudy.errors import Sentence as _
from readerstudy.imaging.image import Pixels, UnreadableImage
from readerstudy.sources.limited import LARGEST_PIXELS

_SIGNATURES: Final[dict[bytes, str]] = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"P5": "PGM",
    b"P2": "PGM",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}
_PNG_GREY: Final = 0
_TIFF_BITS: Final = 258
_TIFF_PHOTOMETRIC: Final = 262
_WHITE_IS_ZERO: Final = 0
_COLOUR_16 = _("is a colour picture with 16 bits, which cannot be read in full; save it as grey.")


class _Unreadable(ValueError):
    """A file that cannot be read; the message continues "image.png …"."""


def format_of(path: Path) -> str | None:
    """Return PNG, PGM or TIFF by the first bytes of the file; None for any other file."""
    with path.open("rb") as file:
        start = file.read(8)
    return next((name for signature, name in _SIGNATURES.items() if start.startswith(signature)), None)


def load(path: Path, *, name: str, bits: int | None = None) -> Pixels:
    """Return a grey image. `name` is used in messages; `bits` overrides the depth that the file declares.

    Raises UnreadableImage, with a sentence.
    """
    try:
        readers = {"PNG": _png, "PGM": _pgm, "TIFF": _tiff}
        kind = format_of(path)
        if kind is None:
            raise _Unreadable(_("is not a PNG, PGM or TIFF file."))
        pixels = readers[kind](path)
        return pixels if bits is None else _with_bits(pixels, bits)
    except _Unreadable as error:
        raise UnreadableImage(_("%(name)s %(error)s", name=name, error=error)) from error
    except MemoryError:
        raise
    except Exception as error:  # decoders raise many types of error for damaged data
        raise UnreadableImage(_("%(name)s is damaged or cut off: %(error)s", name=name, error=error)) from error


def _with_bits(pixels: Pixels, bits: int) -> Pixels:
    if int(pixels.values.max()) >= 2**bits:
        raise _Unreadable(_("holds values up to %(max)s, more than %(bits)s bits.", max=pixels.values.max(), bits=bits))
    return replace(pixels, bits=bits)


def _require_size(width: int, height: int) -> None:
    if width * height > LARGEST_PIXELS:
        most = LARGEST_PIXELS // 1_000_000
        raise _Unreadable(
            _(
                "has %(rows)s × %(columns)s pixels; at most %(most)s million are read.",
                rows=height,
                columns=width,
                most=most,
            )
        )


def _png(path: Path) -> Pixels:
    width, height, depth, colour, significant = _png_header(path)
    _require_size(width, height)
    used = depth if colour != _PNG_GREY or significant is None else min(depth, significant)
    if used < 8:
        raise _Unreadable(_("has only %(depth)s bits; an image needs at least 8.", depth=used))
    if depth == 16 and colour != _PNG_GREY:
        raise _Unreadable(_COLOUR_16)
    with Image.open(path, formats=("PNG",)) as picture:
        values = _grey(picture)
    if colour != _PNG_GREY or significant is None or significant >= depth:
        return Pixels(values, depth)
    # The standard spreads few significant bits over all (sBIT, PNG 11.3.2.4); some writers leave them at the
    # bottom, which shows: no value then reaches beyond them.
    spread = int(values.max()) >= 2**significant
    return Pixels(values >> (depth - significant) if spread else values, significant)


def _png_header(path: Path) -> tuple[int, int, int, int, int | None]:
    """Return width, height, bit depth, colour type, and the significant bits of grey if an sBIT chunk states them."""
    with path.open("rb") as file:
        file.seek(8)
        length, _, width, height, depth, colour = struct.unpack(">I4sIIBB", file.read(18))
        file.seek(8 + 12 + length)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"sBIT":
                return width, height, depth, colour, file.read(1)[0]
            if kind in (b"PLTE", b"IDAT", b"IEND"):  # sBIT stands before all of them
                break
            file.seek(length + 4, 1)
    return width, height, depth, colour, None


def _tiff(path: Path) -> Pixels:
    with Image.open(path, formats=("TIFF",)) as picture:
        _require_size(*picture.size)
        if sum(1 for _ in ImageSequence.Iterator(picture)) > 1:
            raise _Unreadable(_("holds several images; one is expected."))
        picture.seek(0)
        tags = dict(getattr(picture, "tag_v2", {}))
        depth = max(tags.get(_TIFF_BITS, (8,)))
        if depth > 8 and len(picture.getbands()) > 1:
            raise _Unreadable(_COLOUR_16)
        if picture.mode in ("1", "I", "F"):
            raise _Unreadable(
                _("holds %(depth)s-bit values of a kind that is not read; 8 to 16 bits unsigned are.", depth=depth)
            )
        values = _grey(picture)
        # Pillow turns 8-bit pictures the right way round, and leaves deeper ones as they are.
        if depth > 8 and tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO:
            values = np.uint16(2**depth - 1) - values
        return Pixels(values, max(depth, 8))


def _grey(picture: Image.Image) -> NDArray[np.uint16]:
    """Return the channel of a grey image, or of a colour image whose channels are equal."""
    if picture.mode in ("P", "PA"):
        picture = picture.convert("RGBA")
    values: NDArray[Any] = np.asarray(picture)
    if values.ndim == 2:
        return values.astype(np.uint16)
    if picture.mode in ("LA", "RGBA") and (values[..., -1] != 255).any():
        raise _Unreadable(_("is partly transparent; save it without an alpha channel."))
    channels = values[..., :-1] if picture.mode in ("LA", "RGBA") else values
    if (channels != channels[..., :1]).any():
        raise _Unreadable(_("is a colour image; its channels differ."))
    return channels[..., 0].astype(np.uint16)


def _pgm(path: Path) -> Pixels:
    """PGM, binary (P5) or in digits (P2). A largest value that is not 2**n - 1 is stretched to the next one."""
    body = path.read_bytes()
    (width, height, largest), at = _pgm_header(body)
    if not (width and height and 0 < largest <= 65535):
        raise _Unreadable(
            _(
                "has an impossible header: %(width)s x %(height)s, values up to %(largest)s.",
                width=width,
                height=height,
                largest=largest,
            )
        )
    _require_size(width, height)
    values = _pgm_values(body, at, width * height, largest).reshape(height, width)
    wrong = values[(values < 0) | (values > largest)]  # digits can have a sign
    if wrong.size:
        raise _Unreadable(
            _("holds the value %(max)s, beyond its own limit of %(largest)s.", max=wrong[0], largest=largest)
        )
    bits = max(8, largest.bit_length())
    if largest != 2**bits - 1:
        values = (values * (2**bits - 1) + largest // 2) // largest
    return Pixels(values.astype(np.uint16), bits)


def _pgm_header(body: bytes) -> tuple[tuple[int, int, int], int]:
    """Width, height and largest value, and where the values begin; comments run from # to the end of line."""
    numbers: list[int] = []
    at = 2
    while len(numbers) < 3:
        while body[at : at + 1].isspace():
            at += 1
        end = at
        if body[at : at + 1] == b"#":
            at = body.index(b"\n", at)
            continue
        while body[end : end + 1].isdigit():
            end += 1
        numbers.append(int(body[at:end]))
        at = end
    return (numbers[0], numbers[1], numbers[2]), at + 1


def _pgm_values(body: bytes, at: int, count: int, largest: int) -> NDArray[np.int64]:
    if body.startswith(b"P2"):
        values = np.array(body[at:].split()[:count], dtype=np.int64)
    else:
        kind = np.dtype(">u2" if largest > 255 else "u1")
        values = np.frombuffer(body[at : at + count * kind.itemsize], dtype=kind).astype(np.int64)
    if values.size < count:
        raise _Unreadable(_("is cut off: %(size)s of %(count)s pixels are there.", size=values.size, count=count))
    return values
