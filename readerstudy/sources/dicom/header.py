"""The DICOM header of an image. No name, date or UID is read; the patient id is only compared."""

import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydicom import Dataset, config, dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

# Values of grey images that a few headers omit.
_USUAL: Final = {"SamplesPerPixel": 1, "PixelRepresentation": 0}
_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}")


class NotDicom(ValueError):
    """The file has no data set of an image."""


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
    """Return the data set of an image file, with or without a preamble. Raises NotDicom or an error of pydicom."""
    dataset = dcmread(path, force=True, stop_before_pixels=not pixels)
    if not number(dataset, "Rows") or not number(dataset, "Columns"):
        raise NotDicom
    if not getattr(dataset.file_meta, "TransferSyntaxUID", None):
        dataset.file_meta.TransferSyntaxUID = _encoding_found(dataset)
    for keyword, usual in _USUAL.items():
        if number(dataset, keyword) is None:
            setattr(dataset, keyword, usual)
    return dataset


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


def _refusal(dataset: Dataset) -> str:
    frames = number(dataset, "NumberOfFrames") or 1
    if frames > 1:
        return f"holds {frames} frames; single images are read."
    colours = number(dataset, "SamplesPerPixel") or 1
    if colours != 1 or not text(dataset, "PhotometricInterpretation").upper().startswith("MONOCHROME"):
        return "is not a grey picture (MONOCHROME1 or MONOCHROME2)."
    allocated, stored = number(dataset, "BitsAllocated"), number(dataset, "BitsStored")
    if allocated not in (8, 16) or stored is None or not 8 <= stored <= allocated:
        return f"stores {stored} of {allocated} bits; 8 to 16 are read."
    return ""
