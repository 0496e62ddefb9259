"""Preparation of one image for storage: load, resize, encode. Without the database, so that it runs in parallel."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from readerstudy.errors import StudyError, message_of
from readerstudy.imaging.background import background_level
from readerstudy.imaging.grey_levels import bit_depth_levels, snap_to_levels, to_16_bit
from readerstudy.imaging.image import Grey16, Size
from readerstudy.imaging.near_copies import Signature, sign
from readerstudy.imaging.png16 import encode_png
from readerstudy.imaging.resize import Anchor, Placement, find_placement, resize
from readerstudy.modalities import get_modality
from readerstudy.sources.lesion_marks import shares_of
from readerstudy.sources.source import ImportImage, ImportProblem


@dataclass(frozen=True)
class PreparedImage:
    """One image in its cohort's sizes, encoded, with what the database stores about it."""

    source: ImportImage
    digest: str  # SHA-256 of size, bits and pixels of the source
    rows: int
    columns: int
    bits: int
    attributes: Mapping[str, str]  # as stated by the source, or measured
    pngs: dict[str, bytes]  # by resolution
    # As in ImportImage, but shares of the framed image; the same for all resolutions, whose shapes differ by 0.3 %.
    lesions: tuple[dict[str, float], ...] | None
    # Of the stored image of the smallest size, within its placement: what is added around it is no content.
    placement: Placement
    signature: Signature | None  # None without contrast


@dataclass(frozen=True, eq=False)
class Framing:
    """How an image is brought into a frame. An adversarial version of it takes exactly the same way."""

    anchor: Anchor
    background: int  # grey level around the image
    levels: Grey16  # that the framed image may use, ascending

    def apply(self, values: Grey16, size: Size) -> Grey16:
        """Return the image in a frame of `size` (rows, columns)."""
        return snap_to_levels(resize(values, size, anchor=self.anchor, background=self.background), self.levels)


def prepare(
    source: ImportImage,
    *,
    modality: str,
    sizes: Mapping[str, Size],
    bits: int | None = None,
    finish: Callable[[Grey16], Grey16] = lambda framed: framed,
) -> PreparedImage | ImportProblem:
    """Load, resize and encode an image; return a problem if it cannot be read.

    `modality` is a code, `sizes` are by resolution, the largest first. The resized image is rounded to the levels of
    its source's bits, or of `bits`, as adversarial images are made from it. Otherwise resizing would blur the gaps
    between these levels in some parts of the image and not in others. `finish` is applied to the image in each size
    before it is encoded.
    """
    try:
        pixels = source.load()
        values = to_16_bit(pixels)
        measured = get_modality(modality).measure(values)
        lesions = _framed_lesions(source, values, measured.anchor, next(iter(sizes.values())))
    except StudyError as error:
        return ImportProblem(source.name, message_of(error))
    levels = bit_depth_levels(bits or pixels.bits)
    framing = Framing(measured.anchor, background_level(values), levels)
    known = {name: value for name, value in measured.attributes.items() if value}
    framed = {name: finish(framing.apply(values, size)) for name, size in sizes.items()}
    smallest = list(sizes)[-1]
    placement = find_placement(values, sizes[smallest], anchor=measured.anchor)
    return PreparedImage(
        source=source,
        digest=pixel_digest(values, pixels.bits),
        rows=values.shape[0],
        columns=values.shape[1],
        bits=pixels.bits,
        attributes={**source.attributes, **known},
        pngs={name: encode_png(image) for name, image in framed.items()},
        lesions=lesions,
        placement=placement,
        signature=sign(placement.content_of(framed[smallest])),
    )


def pixel_digest(values: Grey16, bits: int) -> str:
    """Return SHA-256 of size, bits and pixels of a source, its values spread over 16 bits."""
    digest = hashlib.sha256(f"{values.shape}:{bits}:".encode())
    digest.update(values.tobytes())
    return digest.hexdigest()


def _framed_lesions(
    source: ImportImage, values: Grey16, anchor: Anchor, size: Size
) -> tuple[dict[str, float], ...] | None:
    """Return the lesions in shares of the image in a frame of `size`. Raises MarkOutside."""
    lesions = source.lesions
    if source.lesion_marks is not None:
        lesions = shares_of(source.lesion_marks, values.shape, name=source.name)
    if not lesions:
        return lesions
    placement = find_placement(values, size, anchor=anchor)
    return tuple(placement.to_frame(box) for box in lesions)
