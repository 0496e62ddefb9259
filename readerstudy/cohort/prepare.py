"""One source image on its way in: loaded, resized, encoded. Pure, so that many processes can do it side by side."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from readerstudy.cohort.sources.lesion_marks import shares_of
from readerstudy.cohort.sources.source import Problem, SourceImage
from readerstudy.errors import StudyError
from readerstudy.imaging.breast_mask import chest_wall_of
from readerstudy.imaging.grey_levels import levels_of_bits, snap, to_16_bit
from readerstudy.imaging.image import RESOLUTIONS, Grey16
from readerstudy.imaging.png16 import encode_png
from readerstudy.imaging.resize import place_in, resize
from readerstudy.vocabulary import ChestWall


@dataclass(frozen=True)
class Prepared:
    """One source image brought to the study's resolutions and encoded: what the database and the disk get."""

    source: SourceImage
    digest: str  # SHA-256 of size, bits and pixels of the source
    rows: int
    columns: int
    bits: int
    chest_wall: ChestWall
    pngs: dict[str, bytes]  # by resolution
    # As in SourceImage, but shares of the framed picture; one for all resolutions, whose shapes differ by 0.3 %.
    lesions: tuple[dict[str, float], ...] | None


def prepare(source: SourceImage, resolutions: Sequence[str], *, keep_grid: bool = True) -> Prepared | Problem:
    """Load, resize, encode; a picture that cannot be read becomes a problem with its name.

    With keep_grid a resized picture is rounded to the levels of its source's bits, as its adversarial twin will be:
    resizing would otherwise blur the teeth of the comb in some parts of the film and not in others.
    """
    try:
        pixels = source.load()
        values = to_16_bit(pixels)
        lesions = _framed_lesions(source, values, resolutions)
    except StudyError as error:
        return Problem(name=source.name, sentence=str(error))
    levels = levels_of_bits(pixels.bits if keep_grid else 16)
    digest = hashlib.sha256(f"{values.shape}:{pixels.bits}:".encode())
    digest.update(values.tobytes())
    return Prepared(
        source=source,
        digest=digest.hexdigest(),
        rows=values.shape[0],
        columns=values.shape[1],
        bits=pixels.bits,
        chest_wall=chest_wall_of(values) or source.chest_wall,
        pngs={name: encode_png(snap(resize(values, RESOLUTIONS[name]), levels)) for name in resolutions},
        lesions=lesions,
    )


def _framed_lesions(
    source: SourceImage, values: Grey16, resolutions: Sequence[str]
) -> tuple[dict[str, float], ...] | None:
    """The source's lesions where the frame has them, by the first resolution. MarkOutside, with a sentence."""
    lesions = source.lesions
    if source.lesion_marks is not None:
        lesions = shares_of(source.lesion_marks, values.shape, name=source.name)
    if not lesions:
        return lesions
    placing = place_in(values, RESOLUTIONS[resolutions[0]])
    return tuple(placing.carry(box) for box in lesions)
