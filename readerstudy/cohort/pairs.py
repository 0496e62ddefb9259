"""Preparation of an adversarial image that was made elsewhere, on the pixel path of its real image.

Without the database, so that it runs in parallel.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from readerstudy.cohort.prepare import Framing, pixel_digest
from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError, message_of
from readerstudy.imaging.background import background_level, restore_background
from readerstudy.imaging.difference import signed_difference
from readerstudy.imaging.grey_levels import bit_depth_levels, snap_to_levels, snap_to_source, to_16_bit
from readerstudy.imaging.image import WHITE, Grey16, Size, UnreadableImage, quantise
from readerstudy.imaging.png16 import decode_png, encode_png
from readerstudy.imaging.quality import measure_quality
from readerstudy.imaging.resize import find_placement
from readerstudy.imaging.source_facts import find_unchanged, source_facts
from readerstudy.modalities import get_modality
from readerstudy.modalities.modality import Modality
from readerstudy.sources.any_file import ImageFile, load_file, with_bits
from readerstudy.sources.lesion_marks import LesionMark, shares_of

_LARGEST_RATIO: Final = 1.01  # of the ratios of both sides: an image of another size with the same shape
_LEAST_CHANGE: Final = 0.0005  # of full scale, an eighth of a grey level of a display


class NotAPair(StudyError):
    """Two files are not a real image and its adversarial version; the message says why."""


@dataclass(frozen=True)
class PairFiles:
    """The files of one row, with the names that messages use; `bits` are those of the real file's values."""

    real: Path
    adversarial: Path
    real_name: str
    adversarial_name: str
    bits: int | None = None
    box: LesionMark | None = None


@dataclass(frozen=True)
class PixelRules:
    """What is done with an imported image beside the modality's pixel path, see `Modality.post_processing`."""

    keep_background: bool = False
    keep_grid: bool = False


@dataclass(frozen=True)
class StoredReal:
    """The cohort's image of a pair: files of its real stimuli by resolution, the largest first, and known lesions."""

    paths: Mapping[str, Path]
    lesions: Sequence[Mapping[str, float]] = ()


@dataclass(frozen=True)
class PairTask:
    """A pair to prepare. `digest` is the one of `real_digests` that the cohort knows."""

    files: PairFiles
    stored: StoredReal
    digest: str


@dataclass(frozen=True)
class PreparedVersion:
    """An adversarial image at one resolution, encoded, with its signed difference and quality."""

    png: bytes = field(repr=False)
    difference: bytes = field(repr=False)
    quality: Mapping[str, float]
    restored: int  # pixels that the rules changed


@dataclass(frozen=True)
class PairFacts:
    """Facts by name of the real and the adversarial image of a pair: of both files, and of the stored images."""

    real: Mapping[str, float]
    adversarial: Mapping[str, float]
    real_bits: int
    adversarial_bits: int
    real_size: Size
    adversarial_size: Size
    same_format: bool
    bytes_ratio: float  # of the adversarial to the real file
    changed_background: float  # share of the stored background that differs by more than rounding
    border_change: float  # mean absolute change of the stored border, share of full scale


@dataclass(frozen=True)
class PreparedPair:
    """A pair that is ready to be stored."""

    versions: Mapping[str, PreparedVersion]  # by resolution
    facts: PairFacts
    real_sha256: str
    adversarial_sha256: str
    box: Mapping[str, float] | None  # in shares of the framed image
    is_changed: bool  # False for a copy of the real image


def real_digests(files: PairFiles) -> list[str] | NotAPair:
    """Return the digests that the real file's pixels can have in a cohort, the most likely first.

    A table may have stated fewer bits than the file's type has. A file that cannot be read is returned as the reason.
    """
    try:
        file = load_file(files.real, name=files.real_name)
        depths = list(_depths(file, files.bits, name=files.real_name))
        return [pixel_digest(to_16_bit(depth.pixels), depth.pixels.bits) for depth in depths]
    except StudyError as error:
        return NotAPair(message_of(error))


def _depths(file: ImageFile, bits: int | None, *, name: str) -> Iterator[ImageFile]:
    """Yield the file with each depth that it can have been imported with."""
    if bits is not None:
        yield with_bits(file, bits, name=name)
        return
    yield file
    used = max(8, int(file.pixels.values.max()).bit_length())
    if file.format != "DICOM":
        for fewer in range(file.pixels.bits - 1, used - 1, -1):
            yield with_bits(file, fewer, name=name)


def prepare_pair(task: PairTask, *, modality: str, rules: PixelRules) -> PreparedPair | NotAPair:
    """Prepare the adversarial file as its real image was prepared; return the reason if it cannot be.

    `modality` is a code.
    """
    try:
        return _prepare(task.files, task.stored, task.digest, get_modality(modality), rules)
    except NotAPair as error:
        return error
    except StudyError as error:
        return NotAPair(message_of(error))


def _prepare(files: PairFiles, stored: StoredReal, digest: str, modality: Modality, rules: PixelRules) -> PreparedPair:
    real, adversarial = _load_pair(files, digest)
    real_values = to_16_bit(real.pixels)
    own_values = to_16_bit(adversarial.pixels)
    values = _to_size_of(real_values, own_values, files)
    anchor = modality.measure(real_values).anchor
    framing = Framing(anchor, background_level(real_values), bit_depth_levels(real.pixels.bits))
    reals = {name: decode_png(path) for name, path in stored.paths.items()}
    size = next(iter(reals.values())).shape
    box = _framed_box(files, real_values, framing, size)
    boxes = [box] if box else stored.lesions
    versions, framed = {}, {}
    for name, framed_real in reals.items():
        if not np.array_equal(framing.apply(real_values, framed_real.shape), framed_real):
            raise NotAPair(
                _(
                    "the stored image of the real file %(real_name)s was prepared in another way than this version of "
                    "the "
                    "software does; import the cohort again under another name.",
                    real_name=files.real_name,
                )
            )
        region = modality.geometry.region(framed_real)
        before = framing.apply(values, framed_real.shape)
        after = _follow(rules, framed_real, before, region, framing.levels)
        framed[name] = (framed_real, after, region)
        versions[name] = _version(modality, framed_real, before, after, region, boxes)
    facts = _facts(modality, real, adversarial, real_values, values, own_values.shape, next(iter(framed.values())))
    is_changed = any(not np.array_equal(one, other) for one, other, _region in framed.values())
    return PreparedPair(versions, facts, real.sha256, adversarial.sha256, box, is_changed=is_changed)


def _load_pair(files: PairFiles, digest: str) -> tuple[ImageFile, ImageFile]:
    """Return both files with the depth of their values."""
    declared = load_file(files.real, name=files.real_name)
    for real in _depths(declared, files.bits, name=files.real_name):
        if pixel_digest(to_16_bit(real.pixels), real.pixels.bits) == digest:
            break
    else:
        raise UnreadableImage(_("%(real_name)s has changed while it was read.", real_name=files.real_name))
    adversarial = load_file(files.adversarial, name=files.adversarial_name)
    if adversarial.pixels.bits == declared.pixels.bits and real.pixels.bits < declared.pixels.bits:
        adversarial = with_bits(adversarial, real.pixels.bits, name=files.adversarial_name)
    return real, adversarial


def _to_size_of(real: Grey16, adversarial: Grey16, files: PairFiles) -> Grey16:
    """Return the adversarial image with rows and columns of the real one. Raises NotAPair if its shape differs."""
    if adversarial.shape == real.shape:
        return adversarial
    vertical, horizontal = (real.shape[axis] / adversarial.shape[axis] for axis in (0, 1))
    if not 1 / _LARGEST_RATIO <= vertical / horizontal <= _LARGEST_RATIO:
        own, wanted = (f"{shape[0]} × {shape[1]}" for shape in (adversarial.shape, real.shape))
        raise NotAPair(
            _(
                "the adversarial file %(adversarial_name)s and the real one have different shapes: %(own)s and "
                "%(wanted)s pixels.",
                adversarial_name=files.adversarial_name,
                own=own,
                wanted=wanted,
            )
        )
    picture = Image.fromarray(adversarial.astype(np.float32))
    return quantise(np.asarray(picture.resize((real.shape[1], real.shape[0]), Image.Resampling.BICUBIC)))


def _follow(rules: PixelRules, real: Grey16, adversarial: Grey16, region: np.ndarray, levels: Grey16) -> Grey16:
    """Return the framed adversarial image after the rules. A pixel that is equal to the real one stays equal."""
    if rules.keep_background:
        adversarial = snap_to_levels(restore_background(real, adversarial, region), levels)
    return snap_to_source(real, adversarial) if rules.keep_grid else adversarial


def _version(
    modality: Modality,
    real: Grey16,
    before: Grey16,
    after: Grey16,
    region: np.ndarray,
    lesions: Sequence[Mapping[str, float]],
) -> PreparedVersion:
    return PreparedVersion(
        encode_png(after),
        encode_png(signed_difference(real, after)),
        measure_quality(real, after, measures=modality.quality, lesions=lesions, region=region > 0),
        int((before != after).sum()),
    )


def _framed_box(files: PairFiles, real: Grey16, framing: Framing, size: Size) -> dict[str, float] | None:
    """Return the row's box in shares of the frame. Raises MarkOutside."""
    if files.box is None:
        return None
    (shares,) = shares_of([files.box], real.shape, name=files.real_name)
    return find_placement(real, size, anchor=framing.anchor).to_frame(shares)


def _facts(
    modality: Modality,
    real: ImageFile,
    adversarial: ImageFile,
    real_values: Grey16,
    values: Grey16,
    own_size: Size,
    framed: tuple[Grey16, Grey16, np.ndarray],
) -> PairFacts:
    """Return the facts of both files, and of the stored images of the largest resolution."""
    unchanged = find_unchanged(real_values, values, modality.geometry.region(real_values) == 1)
    bits = real.pixels.bits
    stored_real, stored_adversarial, region = framed
    outside = region == 0
    change = np.abs(stored_real.astype(np.float64) - stored_adversarial) / WHITE
    # Resizing rounds pixels to one grey level or to the next: that is no change.
    differs = change > max(1.5 / (2**bits - 1), _LEAST_CHANGE)
    return PairFacts(
        real=source_facts(real_values, bits=bits, unchanged=unchanged) | modality.pixel_facts(stored_real),
        adversarial=source_facts(values, bits=bits, unchanged=unchanged) | modality.pixel_facts(stored_adversarial),
        real_bits=bits,
        adversarial_bits=adversarial.pixels.bits,
        real_size=real_values.shape,
        adversarial_size=own_size,
        same_format=real.format == adversarial.format,
        bytes_ratio=adversarial.bytes / real.bytes,
        changed_background=float(differs[outside].mean()) if outside.any() else 0.0,
        border_change=float(np.concatenate([change[0], change[-1], change[:, 0], change[:, -1]]).mean()),
    )
