"""The DICOM header of a mammogram. Nothing that identifies the patient is read."""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydicom import Dataset, config, dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from readerstudy.vocabulary import ChestWall, Laterality

# CID 4014, View for Mammography, by SNOMED CT and by the older SNOMED RT code.
_VIEW_CODES: Final[dict[str, str]] = {
    **dict.fromkeys(("399162004", "R-10242"), "CC"),
    **dict.fromkeys(("399368009", "R-10226"), "MLO"),
    **dict.fromkeys(("399260004", "R-10224"), "ML"),
    **dict.fromkeys(("399352003", "R-10228"), "LM"),
    **dict.fromkeys(("399099002", "R-10230"), "LMO"),
    **dict.fromkeys(("399196006", "R-10244"), "FB"),
    **dict.fromkeys(("399188001", "R-102D0"), "SIO"),
    **dict.fromkeys(("399192008", "R-1024A"), "XCCL"),
    **dict.fromkeys(("399101009", "R-1024B"), "XCCM"),
}
_SIDES: Final[dict[str, Laterality]] = {
    "L": Laterality.LEFT,
    "R": Laterality.RIGHT,
    "LEFT": Laterality.LEFT,
    "RIGHT": Laterality.RIGHT,
}
# Values of grey images that a few headers omit.
_USUAL: Final = {"SamplesPerPixel": 1, "PixelRepresentation": 0}
_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}")


class NotDicom(ValueError):
    """The file has no data set of an image."""


@dataclass(frozen=True)
class Header:
    """The values of the header; "" and None if it states none."""

    laterality: Laterality
    view_position: str
    pixel_spacing_mm: float | None
    modality: str
    # From the anatomical directions of rows and columns: weaker evidence than a value in header or table.
    inferred_laterality: Laterality
    inferred_view: str
    chest_wall: ChestWall  # by the direction of the rows
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


def read_header(path: Path) -> Header:
    """Return the header. Raises NotDicom for a file without an image, or an error of pydicom."""
    with quietly():
        dataset = read_dataset(path, pixels=False)
        orientation = [part.upper() for part in _texts(dataset, "PatientOrientation")]
        return Header(
            laterality=_laterality(dataset),
            view_position=_view_position(dataset, orientation),
            pixel_spacing_mm=_pixel_spacing(dataset),
            modality=_code(_text(dataset, "Modality")) or "MG",
            inferred_laterality=_side_of_oblique(orientation),
            inferred_view=_view_of_directions(orientation),
            chest_wall=_chest_wall(orientation),
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


def _texts(dataset: Dataset, keyword: str) -> list[str]:
    """Return the values of a header element as text; none if it is missing or broken."""
    try:
        value = dataset.get(keyword)
        parts = [value] if isinstance(value, str) else list(value or [])
        return [str(part).strip() for part in parts]
    except Exception:  # as above
        return []


def _text(dataset: Dataset, keyword: str) -> str:
    return next(iter(_texts(dataset, keyword)), "")


def _code(text: str) -> str:
    """Return a DICOM code string, or an empty text: free text could name a person."""
    text = text.upper()
    return text if _CODE_STRING.fullmatch(text) else ""


def _laterality(dataset: Dataset) -> Laterality:
    values = (_text(dataset, keyword).upper() for keyword in ("ImageLaterality", "Laterality"))
    return next((_SIDES[word] for word in values if word in _SIDES), Laterality.UNKNOWN)


def _view_position(dataset: Dataset, orientation: list[str]) -> str:
    stated = _code(_text(dataset, "ViewPosition"))
    if stated:
        return stated
    try:
        codes = [str(item.CodeValue) for item in dataset.get("ViewCodeSequence") or []]
    except Exception:  # as above
        codes = []
    coded = next((_VIEW_CODES[code] for code in codes if code in _VIEW_CODES), "")
    # Digitised film has the view in place of the directions (CBIS-DDSM).
    return coded or next((word for word in orientation if word in _VIEW_CODES.values()), "")


def _view_of_directions(orientation: list[str]) -> str:
    """Return CC if columns run across the body, MLO if they run across and along it (DICOM C.7.6.1.1.1)."""
    if len(orientation) != 2 or orientation[0] not in ("A", "P"):
        return ""
    down = set(orientation[1])
    across, along = down & set("LR"), down & set("HF")
    if across and not down - set("LR"):
        return "CC"
    return "MLO" if across and along and not down - set("LRHF") else ""


def _side_of_oblique(orientation: list[str]) -> Laterality:
    """Return the side of an MLO: its plane runs down to the middle, footwards and to the right in a left breast."""
    if _view_of_directions(orientation) != "MLO":
        return Laterality.UNKNOWN
    down = orientation[1]
    return Laterality.LEFT if ("F" in down) == ("R" in down) else Laterality.RIGHT


def _chest_wall(orientation: list[str]) -> ChestWall:
    """Return the side of the chest wall: rows to the front of the body (A) begin there, rows to its back (P) end there.

    Digitised film with the view in place of the directions has one value only; its side is unknown.
    """
    if len(orientation) != 2:
        return ChestWall.UNKNOWN
    return {"A": ChestWall.LEFT, "P": ChestWall.RIGHT}.get(orientation[0], ChestWall.UNKNOWN)


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
        return f"holds {frames} frames (tomosynthesis?); single images are read."
    colours = number(dataset, "SamplesPerPixel") or 1
    if colours != 1 or not _text(dataset, "PhotometricInterpretation").upper().startswith("MONOCHROME"):
        return "is not a grey picture (MONOCHROME1 or MONOCHROME2)."
    allocated, stored = number(dataset, "BitsAllocated"), number(dataset, "BitsStored")
    if allocated not in (8, 16) or stored is None or not 8 <= stored <= allocated:
        return f"stores {stored} of {allocated} bits; 8 to 16 are read."
    return ""
