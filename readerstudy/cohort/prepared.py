"""One source image on its way in: loaded, resized, encoded. Pure, so that many processes can do it side by side."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from readerstudy.cohort.pixels import RESOLUTIONS, encode_png, resize, to_16_bit
from readerstudy.cohort.sources.base import Problem, SourceImage
from readerstudy.errors import StudyError


@dataclass(frozen=True)
class Prepared:
    """One source image brought to the study's resolutions and encoded: what the database and the disk get."""

    source: SourceImage
    digest: str  # SHA-256 of size, bits and pixels of the source
    rows: int
    columns: int
    bits: int
    pngs: dict[str, bytes]  # by resolution


def prepare(source: SourceImage, resolutions: Sequence[str]) -> Prepared | Problem:
    """Load, resize, encode; a picture that cannot be read becomes a problem with its name."""
    try:
        pixels = source.load()
        values = to_16_bit(pixels)
    except StudyError as error:
        return Problem(name=source.name, sentence=str(error))
    digest = hashlib.sha256(f"{values.shape}:{pixels.bits}:".encode())
    digest.update(values.tobytes())
    return Prepared(
        source=source,
        digest=digest.hexdigest(),
        rows=values.shape[0],
        columns=values.shape[1],
        bits=pixels.bits,
        pngs={name: encode_png(resize(values, RESOLUTIONS[name])) for name in resolutions},
    )
