"""The DICOM header of an image. No name, date or UID is read; the patient id is only compared."""

import io
import logging
import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydicom import Dataset, config, dcmread
from pydicom.filebase import DicomFileLike
from pydicom.filereader import read_file_meta_info
from pydicom.filewriter import write_file_meta_info
from pydicom.tag import Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from readerstudy.errors import Sentence as _
from readerstudy.sources.limited import LARGEST_PIXELS

# Values of grey images that a few headers omit.
_USUAL: Final = {"SamplesPerPixel": 1, "PixelRepresentation": 0}
# All that is read of a file; every other element is passed over, whatever its size. What becomes of each of them stands
# in docs/reference/dicom-elements.md. A modality that reads another element adds it here.
ELEMENTS: Final = (
    *("PatientID", "Modality", "BurnedInAnnotation"),
    *("ImageLaterality", "Laterality", "ViewPosition", "ViewCodeSequence", "PatientOrientation", "PartialView"),
    0x00181114,  # the estimated magnification of the projection
    *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PlanarConfiguration", "PhotometricInterpretation"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("RescaleSlope", "ModalityLUTSequence"),
)
_PIXELS: Final = ("PixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths")
_HEADER_BYTES: Final = 16_000_000  # of a deflated file before its pixels
_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}")


class NotDicom(ValueError):
    """The file has no data set of an image."""


class TooLarge(ValueError):
    """The file would take too much memory; the message continues "film.dcm …"."""


@dataclass(frozen=True)
class HeaderAttributes:
    """Attributes of an image by name, as far as its header tells them.

    `inferred` ones follow from other elements: weaker evidence than a value in the header or in a table.
    """

    stated: Mapping[str, str] = field(default_factory=dict)
    inferred: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()  # on an unusual image, as the rest of a sentence


ReadAttributes = Callable[[Dataset], HeaderAttributes]


@dataclass(frozen=True)
class Header:
    """The values of the header; "" and None if it states none."""

    attributes: HeaderAttributes
    pixel_spacing_mm: float | None
    modality: str
    denies_text: bool  # states that no text is burned into the picture
    patient: str  # the id, which is compared with the table's and never stored; names are not read
    refusal: str  # why the image cannot be read, as the rest of a sentence


@contextmanager
def quietly() -> Iterator[None]:
    """Suppress pydicom's warnings on odd headers: they quote values, names included."""
    log = logging.getLogger("pydicom")
    spoke = not log.disabled
    log.disabled = True
    try:
        with warnings.catch_warnings(), config.disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = not spoke


def read_dataset(path: Path, *, pixels: bool) -> Dataset:
    """Return the `ELEMENTS` of an image file, with or without a preamble, and its pixels if wanted.

    Raises NotDicom, TooLarge or an error of pydicom.
    """
    header = _read(path, _HEADER_BYTES, ELEMENTS)
    if not pixels:
        return header
    if refusal := _size_refusal(header):
        raise TooLarge(refusal)
    size = (number(header, "Rows") or 0) * (number(header, "Columns") or 0) * (number(header, "SamplesPerPixel") or 1)
    return _read(path, _HEADER_BYTES + 2 * size, (*ELEMENTS, *_PIXELS))


def _read(path: Path, most: int, elements: tuple[str | int, ...]) -> Dataset:
    """Return these elements; a deflated file is inflated up to `most` bytes."""
    inflated = _inflate(path, most)
    wants_pixels = "PixelData" in elements
    tags = [Tag(element) for element in elements]
    dataset = dcmread(inflated or path, force=True, stop_before_pixels=not wants_pixels, specific_tags=tags)
    if inflated and inflated.tell() >= most and (not wants_pixels or "PixelData" not in dataset):
        raise TooLarge(
            _("is deflated and would expand to more than %(most)s MB beside its pixels.", most=most // 1_000_000)
        )
    if not number(dataset, "Rows") or not number(dataset, "Columns"):
        raise NotDicom
    if not getattr(dataset.file_meta, "TransferSyntaxUID", None):
        dataset.file_meta.TransferSyntaxUID = _encoding_found(dataset)
    for keyword, usual in _USUAL.items():
        if number(dataset, keyword) is None:
            setattr(dataset, keyword, usual)
    return dataset


def _inflate(path: Path, most: int) -> io.BytesIO | None:
    """Return a deflated file with at most `most` inflated bytes; None for any other file.

    Raises ValueError or an error of zlib if it is damaged.
    """
    with path.open("rb") as file:
        start = file.read(144)
        if start[128:132] != b"DICM":
            return None
        meta = read_file_meta_info(path)
        if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
            return None
        if start[132:140] != b"\x02\0\0\0UL\x04\0":
            raise ValueError("the length of the meta information is missing")
        file.seek(144 + int.from_bytes(start[140:], "little"))
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(), most)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    inflated = io.BytesIO()
    inflated.write(start[:132])
    write_file_meta_info(DicomFileLike(inflated), meta, enforce_standard=False)
    inflated.write(content)
    inflated.seek(0)
    return inflated


def read_header(path: Path, read_attributes: ReadAttributes) -> Header:
    """Return the header; `read_attributes` is the modality's.

    Raises NotDicom for a file without an image, or an error of pydicom.
    """
    with quietly():
        dataset = read_dataset(path, pixels=False)
        return Header(
            attributes=read_attributes(dataset),
            pixel_spacing_mm=_pixel_spacing(dataset),
            modality=code(text(dataset, "Modality")),
            denies_text=text(dataset, "BurnedInAnnotation").upper() == "NO",
            patient=text(dataset, "PatientID"),
            refusal=_refusal(dataset),
        )


def number(dataset: Dataset, keyword: str) -> int | None:
    """Return a whole number of the header; None if it is missing or not a number."""
    try:
        return int(dataset.get(keyword))
    except Exception:  # a broken element raises many types of error
        return None


def decimal(dataset: Dataset, keyword: str) -> float | None:
    """Return a number of the header; None if it is missing or not a number."""
    try:
        return float(dataset.get(keyword))
    except Exception:  # as above
        return None


def _encoding_found(dataset: Dataset) -> Any:
    """Return the uncompressed transfer syntax by which a file without meta information can be read."""
    implicit, little_endian = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRBigEndian if little_endian is False else ExplicitVRLittleEndian


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """Return the values of a header element as text; none if it is missing or broken."""
    try:
        value = dataset.get(keyword)
        parts = [value] if isinstance(value, str) else list(value or [])
        return [str(part).strip() for part in parts]
    except Exception:  # as above
        return []


def text(dataset: Dataset, keyword: str) -> str:
    """Return the first value of a header element as text; "" if it is missing or broken."""
    return next(iter(texts(dataset, keyword)), "")


def code(value: str) -> str:
    """Return a DICOM code string, or an empty text: free text could name a person."""
    value = value.upper()
    return value if _CODE_STRING.fullmatch(value) else ""


def _pixel_spacing(dataset: Dataset) -> float | None:
    """Return millimetres between pixels; None if missing, implausible or not square."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        try:
            rows, columns = (float(value) for value in dataset.get(keyword))
        except Exception:  # as above
            continue
        if 0 < rows < 10 and abs(rows - columns) <= 0.01 * rows:
            return rows
    return None


def _size_refusal(dataset: Dataset) -> str:
    rows, columns = number(dataset, "Rows") or 0, number(dataset, "Columns") or 0
    if rows * columns <= LARGEST_PIXELS:
        return ""
    most = LARGEST_PIXELS // 1_000_000
    return _(
        "has %(rows)s × %(columns)s pixels; at most %(most)s million are read.", rows=rows, columns=columns, most=most
    )


def _refusal(dataset: Dataset) -> str:
    if text(dataset, "BurnedInAnnotation").upper() == "YES":
        return _("says that text is burned into the picture (Burned In Annotation): it could name a person.")
    if refusal := _size_refusal(dataset):
        return refusal
    frames = number(dataset, "NumberOfFrames") or 1
    if frames > 1:
        return _("holds %(frames)s frames; single images are read.", frames=frames)
    colours = number(dataset, "SamplesPerPixel") or 1
    if colours != 1 or not text(dataset, "PhotometricInterpretation").upper().startswith("MONOCHROME"):
        return _("is not a grey picture (MONOCHROME1 or MONOCHROME2).")
    allocated, stored = number(dataset, "BitsAllocated"), number(dataset, "BitsStored")
    if allocated not in (8, 16) or stored is None or not 8 <= stored <= allocated:
        return _("stores %(stored)s of %(allocated)s bits; 8 to 16 are read.", stored=stored, allocated=allocated)
    return ""
