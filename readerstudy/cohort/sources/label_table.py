"""The researcher's table: one row for each image, columns by name, every bad row reported by its number."""

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from readerstudy.cohort.sources.lesion_marks import BOX, CIRCLE, LesionMark, WrongMark, mark_of, marks_a_lesion
from readerstudy.cohort.sources.source import ImportProblem
from readerstudy.errors import StudyError
from readerstudy.vocabulary import Laterality, Pathology

# Our name for each column, and its usual names in tables; the first one in the table is used.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "image": ("image", "file", "image_path", "path", "filename", "file_name"),
    "patient": ("patient", "patient_id", "patient_key"),
    "laterality": ("laterality", "side", "image_laterality"),
    "view": ("view", "view_position"),
    "pathology": ("pathology", "label"),
    "pixel_spacing_mm": ("pixel_spacing_mm", "pixel_spacing"),
    "bits": ("bits",),
    "lesion_kind": ("lesion_kind", "abnormality_type", "abnormality type"),
    "density": ("density", "breast_density", "breast density"),
    "lesion_left": ("lesion_left", "xmin"),
    "lesion_top": ("lesion_top", "ymin"),
    "lesion_right": ("lesion_right", "xmax"),
    "lesion_bottom": ("lesion_bottom", "ymax"),
    # Under these names only: in tables with columns x and y, y counts from the top or from the bottom.
    "lesion_x": ("lesion_x",),
    "lesion_y": ("lesion_y",),
    "lesion_radius": ("lesion_radius",),
}
_NEEDED = ("image", "patient", "pathology")

_LATERALITIES: Final[dict[str, Laterality]] = {
    "": Laterality.UNKNOWN,
    **dict.fromkeys(("l", "left", "links", "gauche", "izquierda"), Laterality.LEFT),
    **dict.fromkeys(("r", "right", "rechts", "droite", "derecha"), Laterality.RIGHT),
}
_PATHOLOGIES: Final[dict[str, Pathology]] = {
    **dict.fromkeys(("malignant", "cancer"), Pathology.MALIGNANT),
    **dict.fromkeys(("benign", "benign_without_callback"), Pathology.BENIGN),
    "normal": Pathology.NORMAL,
}
_VIEWS: Final[dict[str, str]] = {
    **dict.fromkeys(("CRANIOCAUDAL", "CRANIO-CAUDAL"), "CC"),
    **dict.fromkeys(("MEDIOLATERAL OBLIQUE", "MEDIO-LATERAL OBLIQUE", "OBLIQUE"), "MLO"),
}
# A code string of DICOM (View Position): too short for a sentence about a person.
_VIEW_CODE = re.compile(r"[A-Z0-9_ ]{0,16}")


@dataclass(frozen=True)
class Row:
    """One row, checked. `number` counts as in spreadsheets: the header is row 1."""

    number: int
    image: str
    patient: str
    laterality: Laterality
    view: str
    pathology: Pathology
    pixel_spacing_mm: float | None
    bits: int | None  # for files whose values use fewer bits than the file's type has
    lesion_kind: str = ""
    density: str = ""
    marks: tuple[LesionMark, ...] | None = None  # (): known to have no lesion; None: not stated

    def agrees_with(self, other: "Row") -> bool:
        """Return whether both rows describe an image alike. Path, lesions, kind of lesion and density can differ.

        A table can have a row for each lesion; the kind of the first row is used.
        """
        return self._without_words() == other._without_words()

    def _without_words(self) -> "Row":
        return replace(self, number=0, image="", lesion_kind="", density="", marks=None)


class BadRow(ValueError):
    """A row that cannot be used; the message continues "Row 7 (film.png) …"."""


def read_rows(table: Path, *, columns: Mapping[str, str] | None = None) -> tuple[list[Row], list[ImportProblem]]:
    """Return the rows that can be used, and a problem for each other row.

    `columns` maps our columns to the table's, such as {"laterality": "side_of_film"}; the others are found by their
    usual names. Raises StudyError if the table cannot be read.
    """
    header, *lines = _cells(table)
    positions = _positions(table, header, columns or {})
    rows: list[Row] = []
    problems: list[ImportProblem] = []
    half_known: dict[str, int] = {}
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        values = {name: cells[at].strip() if at < len(cells) else "" for name, at in positions.items()}
        try:
            if any(cell.strip() for cell in cells[len(header) :]):
                raise BadRow("has more cells than the table has columns.")
            rows.append(_row(number, values))
        except (BadRow, WrongMark) as bad:
            image = values["image"]
            problems.append(problem(number, image, str(bad)))
            if marks_a_lesion(values):
                half_known.setdefault(image, number)
    rows = _without_half_known(rows, half_known, problems)
    if not rows and not problems:
        raise StudyError(f"The table {table.name} has a header and no rows.")
    return rows, problems


def _without_half_known(rows: Sequence[Row], half_known: Mapping[str, int], problems: list[ImportProblem]) -> list[Row]:
    """Leave out images with a bad row that marks a lesion.

    Stored images do not change: an image stored with some of its lesions would count as one without others.
    """
    for row in rows:
        if row.image in half_known:
            reason = f"is left out with row {half_known[row.image]}, which marks another lesion of the image."
            problems.append(problem(row.number, row.image, reason))
    return [row for row in rows if row.image not in half_known]


def repetitions(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Return the rows of one image that add nothing, each with the row that it repeats.

    A row that marks another lesion adds something.
    """
    first, *others = rows
    seen = {first.marks: first}
    repeated = []
    for row in others:
        if row.marks and row.marks not in seen:
            seen[row.marks] = row
        else:
            repeated.append((row, seen.get(row.marks, first)))
    return repeated


def marks_of(rows: Sequence[Row]) -> tuple[LesionMark, ...] | None:
    """Return the lesions that the rows of one image mark, each once; () if known to have none, None if not stated."""
    stated = [row.marks for row in rows if row.marks is not None]
    return tuple(dict.fromkeys(mark for marks in stated for mark in marks)) if stated else None


def real_path(path: Path) -> Path:
    """Return the path without symbolic links. Unlike Path.resolve, a loop of links raises no error."""
    return Path(os.path.realpath(path))


def problem(number: int, image: str, what: str) -> ImportProblem:
    """Return a problem of one row, by its number and the name of its image."""
    row = f"Row {number} ({image})" if image else f"Row {number}"
    return ImportProblem(name=image or f"row {number}", sentence=f"{row} {what}")


def _cells(table: Path) -> list[list[str]]:
    """Return the table as text cells, header first. Separators are commas, semicolons or tabs."""
    try:
        text = table.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise StudyError(f"The table {table.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"The table {table.name} is not UTF-8 text; save it as CSV (UTF-8).") from error
    if not text.strip() or "\0" in text:
        raise StudyError(f"The table {table.name} is {'empty' if not text.strip() else 'not a text file'}.")
    first_line = text.lstrip("\r\n").splitlines()[0]
    separator = max(",;\t", key=first_line.count)
    try:
        return list(csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise StudyError(f"The table {table.name} is not a CSV table: {error}.") from error


def _positions(table: Path, header: list[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Return the position of each of our columns in the table."""
    names = [name.strip().lower() for name in header]
    it_has = f"The table {table.name} has the columns {', '.join(name.strip() for name in header)}"
    if unknown := columns.keys() - COLUMNS.keys():
        raise StudyError(f"There is no column {sorted(unknown)[0]!r} to map; there are {', '.join(COLUMNS)}.")
    positions = {}
    for ours, usual in COLUMNS.items():
        wanted = (columns[ours].strip().lower(),) if ours in columns else usual
        found = [names.index(name) for name in wanted if name in names]
        if found:
            positions[ours] = found[0]
        elif ours in columns:
            raise StudyError(f"{it_has}; there is no {columns[ours]!r} for {ours!r}.")
    if missing := [name for name in _NEEDED if name not in positions]:
        raise StudyError(f"{it_has}; it lacks {' and '.join(repr(name) for name in missing)}.")
    return positions


def _row(number: int, values: Mapping[str, str]) -> Row:
    if not values["image"]:
        raise BadRow("names no image.")
    if not values["patient"]:
        raise BadRow("names no patient.")
    laterality = values.get("laterality", "")
    if laterality.lower() not in _LATERALITIES:
        raise BadRow(f"has the laterality {laterality!r}; L and R are understood.")
    pathology = values["pathology"]
    if pathology.lower() not in _PATHOLOGIES:
        raise BadRow(f"has the pathology {pathology!r}; malignant, benign and normal are understood.")
    return Row(
        number=number,
        image=values["image"],
        patient=values["patient"],
        laterality=_LATERALITIES[laterality.lower()],
        view=_view(values.get("view", "")),
        pathology=_PATHOLOGIES[pathology.lower()],
        pixel_spacing_mm=_spacing(values.get("pixel_spacing_mm", "")),
        bits=_bits(values.get("bits", "")),
        lesion_kind=_word(values.get("lesion_kind", ""), longest=16),
        density=_word(values.get("density", ""), longest=8),
        marks=_marks(number, values),
    )


def _marks(number: int, values: Mapping[str, str]) -> tuple[LesionMark, ...] | None:
    """The row's lesion. A normal picture in a table that marks lesions has none; another's may just not be marked."""
    mark = mark_of(number, values)
    if mark:
        return (mark,)
    is_normal = _PATHOLOGIES[values["pathology"].lower()] == Pathology.NORMAL
    return () if is_normal and any(name in values for name in BOX + CIRCLE) else None


def _word(text: str, *, longest: int) -> str:
    """A word by which images are put into subgroups: lower case, cut where it is too long to be stored."""
    return text.lower()[:longest]


def _view(text: str) -> str:
    view = _VIEWS.get(text.upper(), text.upper())
    if not _VIEW_CODE.fullmatch(view):
        raise BadRow(f"has the view {text!r}; a short code such as CC or MLO is understood.")
    return view


def _spacing(text: str) -> float | None:
    if not text:
        return None
    try:
        spacing = float(text.replace(",", "."))
    except ValueError:
        spacing = 0.0
    if not 0 < spacing < 10:
        raise BadRow(f"has the pixel spacing {text!r}; millimetres such as 0.07 are understood.")
    return spacing


def _bits(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 8 <= int(text) <= 16:
        raise BadRow(f"has the bits {text!r}; 8 to 16 are understood.")
    return int(text)
