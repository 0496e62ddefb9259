"""The table of an import of synthetic images: one row for each image, which was made from no image of a cohort."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError
from readerstudy.sources.label_table import BadRow, lacks_columns, read_attributes, read_bits, read_cells, read_spacing
from readerstudy.sources.lesion_marks import LesionMark, WrongMark
from readerstudy.sources.pair_table import read_box, row_problem
from readerstudy.sources.source import ImportProblem
from readerstudy.sources.vocabulary import SourceVocabulary, WrongValue
from readerstudy.vocabulary import Pathology, Split

# Our name for each column, and the names that it may have in tables.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "image": ("image", "adversarial", "file"),
    "pathology": ("pathology", "label"),
    "attack": ("attack",),
    "group": ("group", "patient"),
    "split": ("split",),
    "bits": ("bits",),
    "pixel_spacing_mm": ("pixel_spacing_mm", "pixel_spacing"),
    "x": ("x",),
    "y": ("y",),
    "width": ("width",),
    "height": ("height",),
}
_NEEDED: Final = ("image", "pathology")
_SPLITS: Final[Mapping[str, Split]] = {
    "": Split.TEST,  # no network of this installation is trained on it
    **{split.value: split for split in Split},
    "validation": Split.TUNING,
}


@dataclass(frozen=True)
class SyntheticRow:
    """One row, checked. `number` counts as in spreadsheets: the header is row 1. "" and None are not stated."""

    number: int
    image: str  # path as the table has it
    pathology: Pathology
    attack: str
    group: str  # images of one group stay together, as those of a patient do
    split: Split
    bits: int | None
    pixel_spacing_mm: float | None
    box: LesionMark | None  # of the finding, in pixels of the file
    attributes: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)  # subgroups by name


def read_synthetic(table: Path, vocabulary: SourceVocabulary) -> tuple[list[SyntheticRow], list[ImportProblem]]:
    """Return the rows that can be used, and a problem for each other row.

    Raises StudyError if the table cannot be read or lacks a column.
    """
    header, *lines = read_cells(table)
    positions = _positions(header, vocabulary)
    if missing := [name for name in _NEEDED if name not in positions]:
        raise lacks_columns(table, header, missing)
    rows: list[SyntheticRow] = []
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


def _positions(header: list[str], vocabulary: SourceVocabulary) -> dict[str, int]:
    """Return the position of each of our columns in the table; the first of its names that is there."""
    names = [name.strip().lower() for name in header]
    known = {
        **COLUMNS,
        **{attribute.column: attribute.columns for attribute in vocabulary.attributes if attribute.column},
        **{group.name: group.columns for group in vocabulary.groups},
    }
    found = {ours: [names.index(name) for name in usual if name in names] for ours, usual in known.items()}
    return {ours: at[0] for ours, at in found.items() if at}


def _row(number: int, values: Mapping[str, str], vocabulary: SourceVocabulary) -> SyntheticRow:
    if not values["image"]:
        raise BadRow(_("names no image."))
    split = values.get("split", "").lower()
    if split not in _SPLITS:
        raise BadRow(_("has the split %(split)s; train, tuning and test are understood.", split=repr(split)))
    return SyntheticRow(
        number=number,
        image=values["image"],
        pathology=vocabulary.pathology_of(values["pathology"]),
        attack=values.get("attack", ""),
        group=values.get("group", ""),
        split=_SPLITS[split],
        bits=read_bits(values.get("bits", "")),
        pixel_spacing_mm=read_spacing(values.get("pixel_spacing_mm", "")),
        box=read_box(number, values),
        attributes=read_attributes(values, vocabulary),
        groups={group.name: group.read(values.get(group.name, "")) for group in vocabulary.groups},
    )
