"""Preparation of one image for storage: load, resize, encode. Without the database, so that it runs in parallel."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from readerstudy.cohort.sources.lesion_marks import shares_of
from readerstudy.cohort.sources.source import ImportImage, ImportProblem
from readerstudy.errors import StudyError
from readerstudy.imaging.breast_mask import find_chest_wall
from readerstudy.imaging.grey_levels import bit_depth_levels, snap_to_levels, to_16_bit
from readerstudy.imaging.image import RESOLUTIONS, Grey16
from readerstudy.imaging.png16 import encode_png
from readerstudy.imaging.resize import find_placement, resize
from readerstudy.vocabulary import ChestWall


@dataclass(frozen=True)
class PreparedImage:
    """One image in the study's resolutions, encoded, with what the database stores about it."""

    source: ImportImage
    digest: str  # SHA-256 of size, bits and pixels of the source
    rows: int
    columns: int
    bits: int
    chest_wall: ChestWall
    pngs: dict[str, bytes]  # by resolution
    # As in ImportImage, but shares of the framed image; the same for all resolutions, whose shapes differ by 0.3 %.
    lesions: tuple[dict[str, float], ...] | None


def prepare(
    source: ImportImage, resolutions: Sequence[str], *, keep_grid: bool = True
) -> PreparedImage | ImportProblem:
    """Load, resize and encode an image; return a problem if it cannot be read.

    With `keep_grid` the resized image is rounded to the levels of its source's bits, as adversarial images are made
    from it. Otherwise resizing would blur the gaps between these levels in some parts of the image and not in others.
    """
    try:
        pixels = source.load()
        values = to_16_bit(pixels)
        chest_wall = find_chest_wall(values)
        lesions = _framed_lesions(source, values, chest_wall, resolutions)
    except StudyError as error:
        return ImportProblem(name=source.name, sentence=str(error))
    levels = bit_depth_levels(pixels.bits if keep_grid else 16)
    digest = hashlib.sha256(f"{values.shape}:{pixels.bits}:".encode())
    digest.update(values.tobytes())
    return PreparedImage(
        source=source,
        digest=digest.hexdigest(),
        rows=values.shape[0],
        columns=values.shape[1],
        bits=pixels.bits,
        chest_wall=chest_wall or source.chest_wall,
        pngs={
            name: encode_png(snap_to_levels(resize(values, RESOLUTIONS[name], chest_wall=chest_wall), levels))
            for name in resolutions
        },
        lesions=lesions,
    )


def _framed_lesions(
    source: ImportImage, values: Grey16, chest_wall: ChestWall, resolutions: Sequence[str]
) -> tuple[dict[str, float], ...] | None:
    """Return the lesions in shares of the framed image, for the first resolution. Raises MarkOutside."""
    lesions = source.lesions
    if source.lesion_marks is not None:
        lesions = shares_of(source.lesion_marks, values.shape, name=source.name)
    if not lesions:
        return lesions
    placement = find_placement(values, RESOLUTIONS[resolutions[0]], chest_wall=chest_wall)
    return tuple(placement.to_frame(box) for box in lesions)
