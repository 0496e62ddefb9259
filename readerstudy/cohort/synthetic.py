"""Preparation of a synthetic image: made elsewhere, from no image of the cohort. Without the database.

It takes the pixel path of the real images, on the grey levels that most of them have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from readerstudy.cohort.prepare import PreparedImage, prepare
from readerstudy.errors import StudyError, message_of
from readerstudy.imaging.background import restore_background
from readerstudy.imaging.grey_levels import bit_depth_levels, snap_to_levels
from readerstudy.imaging.image import Grey16, Pixels, Size
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.source_facts import stored_facts
from readerstudy.modalities import get_modality
from readerstudy.modalities.modality import Modality
from readerstudy.sources.any_file import ImageFile, load_file, with_bits
from readerstudy.sources.source import ImportImage, ImportProblem

# Facts of a stored image that need no other image, by the names under which they are stored as quality.
QUALITY: Final[Mapping[str, str]] = {
    "sharpness": "sharpness",
    "entropy": "entropy",
    "noise": "noise in the tissue",
    "block_artefacts": "compression blocks",
}


@dataclass(frozen=True)
class SyntheticTask:
    """A synthetic image to prepare: `source` says everything of it but its pixels, which `path` has."""

    path: Path
    source: ImportImage
    bits: int | None = None  # of the file's values, if its type has more


@dataclass(frozen=True)
class RealLook:
    """What synthetic images take over from the real ones: bits of the grey levels, and that of the background.

    `background` None: that of the synthetic image is kept.
    """

    bits: int
    background: int | None = None


@dataclass(frozen=True)
class RealTask:
    """A stored real image to compare with: its file at the largest size, bits and size of its source."""

    path: Path
    bits: int
    size: Size


@dataclass(frozen=True)
class ImageFacts:
    """Facts by name of one stored image, bits and size of its source."""

    facts: Mapping[str, float]
    bits: int
    size: Size


@dataclass(frozen=True)
class PreparedSynthetic:
    """A synthetic image that is ready to be stored. `restored` counts the pixels that got the real background."""

    image: PreparedImage
    facts: ImageFacts
    sha256: str  # of the file
    quality: Mapping[str, float]
    restored: int = 0


def prepare_synthetic(
    task: SyntheticTask, *, modality: str, sizes: Mapping[str, Size], look: RealLook
) -> PreparedSynthetic | ImportProblem:
    """Prepare a synthetic file as a real one; return a problem if it cannot be read.

    `modality` is a code, `sizes` are by resolution, the largest first.
    """
    own = get_modality(modality)
    restored: list[int] = []

    def finish(framed: Grey16) -> Grey16:
        after = _with_background(framed, own, look)
        restored.append(int((after != framed).sum()))
        return after

    try:
        file = _load(task)
    except StudyError as error:
        return ImportProblem(task.source.name, message_of(error))
    source = replace(task.source, load=lambda: file.pixels)
    image = prepare(source, modality=modality, sizes=sizes, bits=look.bits, finish=finish)
    if isinstance(image, ImportProblem):
        return image
    image = replace(image, source=task.source)  # without the pixels, which another process would send
    stored = decode_png(next(iter(image.pngs.values())))
    facts = ImageFacts(_facts(stored, own, look.bits), file.pixels.bits, (image.rows, image.columns))
    quality = {name: facts.facts[fact] for name, fact in QUALITY.items() if fact in facts.facts}
    return PreparedSynthetic(image, facts, file.sha256, quality, restored[0])


def real_facts(task: RealTask, *, modality: str, bits: int) -> ImageFacts:
    """Return the facts of a stored real image; `bits` are those with which synthetic images are stored."""
    return ImageFacts(_facts(decode_png(task.path), get_modality(modality), bits), task.bits, task.size)


def usual_background(images: Sequence[ImageFacts]) -> int:
    """Return the grey level of the background that real images have, their median."""
    return int(np.median([image.facts["background level"] for image in images]))


def _facts(stored: Grey16, modality: Modality, bits: int) -> dict[str, float]:
    tissue = modality.geometry.region(stored) == 1
    return stored_facts(stored, bits=bits, tissue=tissue) | modality.pixel_facts(stored)


def _with_background(framed: Grey16, modality: Modality, look: RealLook) -> Grey16:
    """Return the image with the real background outside the modality's region, mixed in the seam between."""
    if look.background is None:
        return framed
    flat = np.full_like(framed, look.background)
    region = modality.geometry.region(framed)
    return snap_to_levels(restore_background(flat, framed, region), bit_depth_levels(look.bits))


def _load(task: SyntheticTask) -> ImageFile:
    file = load_file(task.path, name=task.source.name)
    return file if task.bits is None else with_bits(file, task.bits, name=task.source.name)


def no_pixels() -> Pixels:
    raise AssertionError("The file of a synthetic image is loaded by prepare_synthetic.")
