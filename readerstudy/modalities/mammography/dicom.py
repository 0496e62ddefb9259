"""What the DICOM header of a mammogram says about side, view and chest wall."""

from collections.abc import Iterator
from typing import Final

from pydicom import Dataset

from readerstudy.errors import Sentence as _
from readerstudy.modalities.mammography.attributes import VIEWS, ChestWall, Laterality
from readerstudy.sources.dicom.header import HeaderAttributes, decimal, text, texts

# CID 4014, View for Mammography, by SNOMED CT and by the older SNOMED RT code, with codes of earlier versions of the
# group (notes 1 and 3 to its table in DICOM PS3.16). A specimen of tissue has no view of a breast.
_VIEW_CODES: Final[dict[str, str]] = {
    **dict.fromkeys(("399162004", "R-10242"), "CC"),
    **dict.fromkeys(("399368009", "R-10226"), "MLO"),
    **dict.fromkeys(("399260004", "R-10224"), "ML"),
    **dict.fromkeys(("399352003", "R-10228"), "LM"),
    **dict.fromkeys(("399099002", "R-10230"), "LMO"),
    **dict.fromkeys(("399196006", "R-10244"), "FB"),
    **dict.fromkeys(("399188001", "R-102D0"), "SIO"),
    **dict.fromkeys(("441555000", "R-40AAA"), "ISO"),
    **dict.fromkeys(("399192008", "R-1024A", "Y-X1770"), "XCCL"),
    **dict.fromkeys(("399101009", "R-1024B", "Y-X1771"), "XCCM"),
    **dict.fromkeys(("399265009", "R-102CF"), "XCC"),
}
# CID 4015, View Modifier for Mammography: images that show a part of the breast, or enlarged.
_MODIFIERS: Final[dict[str, str]] = {
    **dict.fromkeys(("399163009", "R-102D6"), _("a magnification view")),
    **dict.fromkeys(("399055006", "R-102D7"), _("a spot compression view")),
}
_MAGNIFIED: Final = 1.3  # of the distances; a breast lies close to the detector, so that usual views have up to 1.1
_SIDES: Final[dict[str, Laterality]] = {
    "L": Laterality.LEFT,
    "R": Laterality.RIGHT,
    "LEFT": Laterality.LEFT,
    "RIGHT": Laterality.RIGHT,
}


def read_attributes(dataset: Dataset) -> HeaderAttributes:
    """Return side and view as stated, and what follows from the anatomical directions of rows and columns."""
    orientation = [part.upper() for part in texts(dataset, "PatientOrientation")]
    return HeaderAttributes(
        stated={"laterality": _laterality(dataset), "view_position": _view_position(dataset, orientation)},
        inferred={
            "laterality": _side_of_oblique(orientation),
            "view_position": _view_of_directions(orientation),
            "chest_wall": _chest_wall(orientation),
        },
        remarks=(
            *_unknown_view(dataset),
            *(_("is %(what)s: it is imported as a plain view.", what=what) for what in _parts_of_breast(dataset)),
        ),
    )


def _unknown_view(dataset: Dataset) -> Iterator[str]:
    stated = text(dataset, "ViewPosition").upper()
    if stated and stated not in VIEWS:
        yield _("has a View Position that is not in the standard's list: it is passed over.")


def _parts_of_breast(dataset: Dataset) -> list[str]:
    """Return what the header says of a view that shows only a part of the breast, each once."""
    try:
        items = [modifier for view in dataset.ViewCodeSequence for modifier in view.ViewModifierCodeSequence]
        codes = [str(item.CodeValue) for item in items]
    except Exception:  # a broken or missing element raises many types of error
        codes = []
    found = [_MODIFIERS[value] for value in codes if value in _MODIFIERS]
    if (decimal(dataset, "EstimatedRadiographicMagnificationFactor") or 1.0) >= _MAGNIFIED:
        found.append(_MODIFIERS["399163009"])
    if text(dataset, "PartialView").upper() == "YES":
        found.append(_("a partial view"))
    return list(dict.fromkeys(found))


def _laterality(dataset: Dataset) -> Laterality:
    values = (text(dataset, keyword).upper() for keyword in ("ImageLaterality", "Laterality"))
    return next((_SIDES[word] for word in values if word in _SIDES), Laterality.UNKNOWN)


def _view_position(dataset: Dataset, orientation: list[str]) -> str:
    stated = text(dataset, "ViewPosition").upper()
    if stated in VIEWS:
        return stated
    try:
        codes = [str(item.CodeValue) for item in dataset.get("ViewCodeSequence") or []]
    except Exception:  # a broken element raises many types of error
        codes = []
    coded = next((_VIEW_CODES[value] for value in codes if value in _VIEW_CODES), "")
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
