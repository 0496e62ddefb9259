"""The table of an import of adversarial images: one row for each pair of a real and an adversarial file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError, joined, message_of
from readerstudy.sources.label_table import BadRow, lacks_columns, read_bits, read_cells
from readerstudy.sources.lesion_marks import LesionMark, WrongMark, mark_of
from readerstudy.sources.source import ImportProblem
from readerstudy.sources.vocabulary import SourceVocabulary, WrongValue
from readerstudy.vocabulary import Direction, Pathology

COLUMNS: Final[tuple[str, ...]] = (
    "real",
    "adversarial",
    "direction",
    "attack",
    "pathology",
    "bits",
    "x",
    "y",
    "width",
    "height",
)
_NEEDED: Final = ("real", "adversarial")
_BOX: Final = ("x", "y", "width", "height")
_DIRECTIONS: Final[dict[str, Direction]] = {
    **dict.fromkeys(("insert", "inserted", "add"), Direction.INSERT),
    **dict.fromkeys(("remove", "removed"), Direction.REMOVE),
}


@dataclass(frozen=True)
class PairRow:
    """One row, checked. `number` counts as in spreadsheets: the header is row 1.

    None and "" are what the row does not say.
    """

    number: int
    real: str  # paths as the table has them
    adversarial: str
    direction: Direction | None
    attack: str
    pathology: Pathology | None  # of the real image
    bits: int | None  # of the real file's values, if its type has more
    box: LesionMark | None  # where the finding was inserted or removed, in pixels of the real file


def has_pairs(table: Path) -> bool:
    """Return whether a table names real files. Raises StudyError if it cannot be read."""
    header = read_cells(table)[0]
    return "real" in [name.strip().lower() for name in header]


def read_pairs(table: Path, vocabulary: SourceVocabulary) -> tuple[list[PairRow], list[ImportProblem]]:
    """Return the rows that can be used, and a problem for each other row.

    Raises StudyError if the table cannot be read or lacks a column.
    """
    header, *lines = read_cells(table)
    names = [name.strip().lower() for name in header]
    if missing := [name for name in _NEEDED if name not in names]:
        raise lacks_columns(table, header, missing)
    positions: dict[str, int] = {name: names.index(name) for name in COLUMNS if name in names}
    rows: list[PairRow] = []
    problems: list[ImportProblem] = []
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        values = {name: cells[at].strip() if at < len(cells) else "" for name, at in positions.items()}
        try:
            rows.append(_row(number, values, vocabulary))
        except (BadRow, WrongMark, WrongValue) as bad:
            problems.append(row_problem(number, bad))
    if not rows and not problems:
        raise StudyError(_("The table %(name)s has a header and no rows.", name=table.name))
    return rows, problems


def row_problem(number: int, what: str | Exception) -> ImportProblem:
    """Return the problem of a row; `what` continues "row 7: "."""
    return ImportProblem(_("row %(number)s", number=number), message_of(what))


def _row(number: int, values: Mapping[str, str], vocabulary: SourceVocabulary) -> PairRow:
    if not values["adversarial"]:
        raise BadRow(_("names no adversarial file."))
    if not values["real"]:
        raise BadRow(_("names no real file; synthetic images are imported by a table without the column real."))
    pathology = values.get("pathology", "")
    return PairRow(
        number=number,
        real=values["real"],
        adversarial=values["adversarial"],
        direction=_direction(values.get("direction", "")),
        attack=values.get("attack", ""),
        pathology=vocabulary.pathology_of(pathology) if pathology else None,
        bits=read_bits(values.get("bits", "")),
        box=read_box(number, values),
    )


def _direction(text: str) -> Direction | None:
    if text and text.lower() not in _DIRECTIONS:
        raise BadRow(_("has the direction %(text)s; insert and remove are understood.", text=repr(text)))
    return _DIRECTIONS[text.lower()] if text else None


def read_box(number: int, values: Mapping[str, str]) -> LesionMark | None:
    """Return the box x, y, width, height of a row, None if its cells are empty. Raises BadRow or WrongMark."""
    filled = {name: values.get(name, "") for name in _BOX}
    if any(filled.values()) and not all(filled.values()):
        raise BadRow(_("has %(names)s of a box only.", names=joined([name for name, text in filled.items() if text])))
    if not any(filled.values()):
        return None
    try:
        x, y, width, height = map(float, filled.values())
    except ValueError as error:
        raise BadRow(_("has a box that is not four numbers of pixels.")) from error
    sides = {"lesion_left": x, "lesion_top": y, "lesion_right": x + width, "lesion_bottom": y + height}
    return mark_of(number, {name: repr(value) for name, value in sides.items()})
