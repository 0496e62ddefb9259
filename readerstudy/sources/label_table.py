"""The researcher's table: one row for each image, columns by name, every bad row reported by its number."""

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError, joined
from readerstudy.sources.lesion_marks import BOX, CIRCLE, LesionMark, WrongMark, mark_of, marks_a_lesion
from readerstudy.sources.source import ImportProblem
from readerstudy.sources.vocabulary import SourceVocabulary, WrongValue
from readerstudy.vocabulary import Pathology

# Our names for the columns that every table can have, and their usual names; the first one in the table is used.
_ABOUT_FILE: Final[dict[str, tuple[str, ...]]] = {
    "image": ("image", "file", "image_path", "path", "filename", "file_name"),
    "patient": ("patient", "patient_id", "patient_key"),
}
_ABOUT_IMAGE: Final[dict[str, tuple[str, ...]]] = {
    "pathology": ("pathology", "label"),
    "pixel_spacing_mm": ("pixel_spacing_mm", "pixel_spacing"),
    "bits": ("bits",),
}
_ABOUT_LESION: Final[dict[str, tuple[str, ...]]] = {
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


def columns_of(vocabulary: SourceVocabulary) -> dict[str, tuple[str, ...]]:
    """Return our name for each column that a table of this modality can have, and its usual names in tables."""
    return {
        **_ABOUT_FILE,
        **{attribute.column: attribute.columns for attribute in vocabulary.attributes if attribute.column},
        **_ABOUT_IMAGE,
        **{group.name: group.columns for group in vocabulary.groups},
        **_ABOUT_LESION,
    }


@dataclass(frozen=True)
class Row:
    """One row, checked. `number` counts as in spreadsheets: the header is row 1."""

    number: int
    image: str
    patient: str
    attributes: Mapping[str, str]
    pathology: Pathology
    pixel_spacing_mm: float | None
    bits: int | None  # for files whose values use fewer bits than the file's type has
    groups: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[LesionMark, ...] | None = None  # (): known to have no lesion; None: not stated

    def agrees_with(self, other: "Row") -> bool:
        """Return whether both rows describe an image alike. Path, lesions and subgroups can differ.

        A table can have a row for each lesion; the subgroups of the first row are used.
        """
        return self._without_words() == other._without_words()

    def _without_words(self) -> "Row":
        return replace(self, number=0, image="", groups={}, marks=None)


class BadRow(ValueError):
    """A row that cannot be used; the message continues "Row 7 (image.png) …"."""


def read_rows(
    table: Path,
    vocabulary: SourceVocabulary,
    *,
    columns: Mapping[str, str] | None = None,
    needs_image: bool = True,
) -> tuple[list[Row], list[ImportProblem]]:
    """Return the rows that can be used, and a problem for each other row. `image` is "" in a table without the column.

    `columns` maps our columns to the table's, such as {"pathology": "diagnosis"}; the others are found by their
    usual names. Raises StudyError if the table cannot be read.
    """
    header, *lines = read_cells(table)
    positions = _positions(table, header, columns or {}, columns_of(vocabulary), needs_image=needs_image)
    has_image = "image" in positions
    rows: list[Row] = []
    problems: list[ImportProblem] = []
    half_known: dict[str, int] = {}
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        values = {name: cells[at].strip() if at < len(cells) else "" for name, at in positions.items()}
        try:
            if any(cell.strip() for cell in cells[len(header) :]):
                raise BadRow(_("has more cells than the table has columns."))
            if has_image and not values["image"]:
                raise BadRow(_("names no image."))
            rows.append(_row(number, values, vocabulary))
        except (BadRow, WrongMark, WrongValue) as bad:
            image = values.get("image", "")
            problems.append(problem(number, image, bad))
            if marks_a_lesion(values):
                half_known.setdefault(image or values["patient"], number)
    rows = _without_half_known(rows, half_known, problems)
    if not rows and not problems:
        raise StudyError(_("The table %(name)s has a header and no rows.", name=table.name))
    return rows, problems


def _without_half_known(rows: Sequence[Row], half_known: Mapping[str, int], problems: list[ImportProblem]) -> list[Row]:
    """Leave out images with a bad row that marks a lesion.

    Stored images do not change: an image stored with some of its lesions would count as one without others.
    """
    for row in rows:
        key = row.image or row.patient
        if key in half_known:
            reason = _(
                "is left out with row %(number)s, which marks another lesion of the image.", number=half_known[key]
            )
            problems.append(problem(row.number, row.image, reason))
    return [row for row in rows if (row.image or row.patient) not in half_known]


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


OUTSIDE: Final = _("names a file outside the folder of the import.")


def is_within(path: Path, root: Path | None) -> bool:
    """Return whether the file that a path leads to, by symbolic links too, is below `root`; always without a root."""
    return root is None or real_path(path).is_relative_to(real_path(root))


def problem(number: int, image: str, what: str | Exception) -> ImportProblem:
    """Return a problem of one row, by its number and the name of its image."""
    if image:
        return ImportProblem(image, _("Row %(number)s (%(image)s) %(what)s", number=number, image=image, what=what))
    name = _("row %(number)s", number=number)
    return ImportProblem(name, _("Row %(number)s %(what)s", number=number, what=what))


def read_cells(table: Path) -> list[list[str]]:
    """Return the table as text cells, header first. Separators are commas, semicolons or tabs."""
    try:
        text = table.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise StudyError(
            _("The table %(table)s cannot be read: %(strerror)s.", table=table, strerror=error.strerror)
        ) from error
    except UnicodeDecodeError as error:
        raise StudyError(_("The table %(name)s is not UTF-8 text; save it as CSV (UTF-8).", name=table.name)) from error
    if not text.strip() or "\0" in text:
        wrong = _("The table %(name)s is not a text file.", name=table.name)
        raise StudyError(wrong if text.strip() else _("The table %(name)s is empty.", name=table.name))
    first_line = text.lstrip("\r\n").splitlines()[0]
    separator = max(",;\t", key=first_line.count)
    try:
        return list(csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise StudyError(
            _("The table %(name)s is not a CSV table: %(error)s.", name=table.name, error=error)
        ) from error


def _positions(
    table: Path,
    header: list[str],
    columns: Mapping[str, str],
    known: Mapping[str, tuple[str, ...]],
    *,
    needs_image: bool,
) -> dict[str, int]:
    """Return the position of each of our columns in the table."""
    names = [name.strip().lower() for name in header]
    if unknown := columns.keys() - known.keys():
        raise StudyError(
            _(
                "There is no column %(name)s to map; there are %(known)s.",
                name=repr(min(unknown)),
                known=", ".join(known),
            )
        )
    positions = {}
    for ours, usual in known.items():
        wanted = (columns[ours].strip().lower(),) if ours in columns else usual
        found = [names.index(name) for name in wanted if name in names]
        if found:
            positions[ours] = found[0]
        elif ours in columns:
            raise StudyError(
                _(
                    "The table %(table)s has the columns %(columns)s; there is no %(theirs)s for %(ours)s.",
                    table=table.name,
                    columns=", ".join(name.strip() for name in header),
                    theirs=repr(columns[ours]),
                    ours=repr(ours),
                )
            )
    needed = _NEEDED if needs_image else _NEEDED[1:]
    if missing := [name for name in needed if name not in positions]:
        raise lacks_columns(table, header, missing)
    return positions


def lacks_columns(table: Path, header: Sequence[str], missing: Sequence[str]) -> StudyError:
    """Return the error of a table without columns that it needs."""
    return StudyError(
        _(
            "The table %(table)s has the columns %(columns)s; it lacks %(missing)s.",
            table=table.name,
            columns=", ".join(name.strip() for name in header),
            missing=joined([repr(name) for name in missing]),
        )
    )


def _row(number: int, values: Mapping[str, str], vocabulary: SourceVocabulary) -> Row:
    if not values["patient"]:
        raise BadRow(_("names no patient."))
    pathology = vocabulary.pathology_of(values["pathology"])
    return Row(
        number=number,
        image=values.get("image", ""),
        patient=values["patient"],
        attributes=read_attributes(values, vocabulary),
        pathology=pathology,
        pixel_spacing_mm=read_spacing(values.get("pixel_spacing_mm", "")),
        bits=read_bits(values.get("bits", "")),
        groups={group.name: group.read(values.get(group.name, "")) for group in vocabulary.groups},
        marks=_marks(number, values, pathology),
    )


def read_attributes(values: Mapping[str, str], vocabulary: SourceVocabulary) -> dict[str, str]:
    """Return the attributes that a row states, by name; "" for those that it does not. Raises WrongValue."""
    return {
        attribute.name: attribute.read(values.get(attribute.column, ""))
        for attribute in vocabulary.attributes
        if attribute.column
    }


def _marks(number: int, values: Mapping[str, str], pathology: Pathology) -> tuple[LesionMark, ...] | None:
    """The row's lesion. A normal picture in a table that marks lesions has none; another's may just not be marked."""
    mark = mark_of(number, values)
    if mark:
        return (mark,)
    return () if pathology == Pathology.NORMAL and any(name in values for name in BOX + CIRCLE) else None


def read_spacing(text: str) -> float | None:
    """Return the millimetres of a cell, None if it is empty. Raises BadRow."""
    if not text:
        return None
    try:
        spacing = float(text.replace(",", "."))
    except ValueError:
        spacing = 0.0
    if not 0 < spacing < 10:
        raise BadRow(_("has the pixel spacing %(text)s; millimetres such as 0.07 are understood.", text=repr(text)))
    return spacing


def read_bits(text: str) -> int | None:
    """Return the bits of a cell, None if it is empty. Raises BadRow."""
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 8 <= int(text) <= 16:
        raise BadRow(_("has the bits %(text)s; 8 to 16 are understood.", text=repr(text)))
    return int(text)
