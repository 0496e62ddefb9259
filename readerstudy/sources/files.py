"""Images as PNG, PGM or TIFF files, named by a table with patient, pathology and attributes."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from readerstudy.errors import Sentence as _
from readerstudy.sources import raster
from readerstudy.sources.label_table import (
    OUTSIDE,
    Row,
    is_within,
    marks_of,
    problem,
    read_rows,
    real_path,
    repetitions,
)
from readerstudy.sources.limited import limited
from readerstudy.sources.source import ImportBatch, ImportImage, ImportProblem
from readerstudy.sources.vocabulary import SourceVocabulary

_TEXT_UNKNOWN: Final = _(
    "Files of these formats do not say whether text is burned into the picture. Look at the corners of the images."
)


def read_table(
    table: Path,
    vocabulary: SourceVocabulary,
    *,
    columns: Mapping[str, str] | None = None,
    folder: Path | None = None,
    root: Path | None = None,
) -> ImportBatch:
    """Return the images that a table names. Paths are relative to `folder`, or else to the table's own folder.

    With `root`, files outside it are problems, without a word on whether they exist.

    Columns: image, patient and pathology; if known the modality's attributes, pixel_spacing_mm and bits. Other usual
    names are understood (`label_table.columns_of`), and those that `columns` maps. A lesion is marked by
    lesion_left, _top, _right and _bottom, or by lesion_x, _y and _radius, in pixels of the file with y from the top;
    an image with several lesions has a row for each. Every row that cannot be used becomes a problem. The file itself
    is read when the image is loaded, and can still be damaged or too small for its lesions.
    """
    rows, problems = read_rows(table, vocabulary, columns=columns)
    base = table.parent if folder is None else folder
    by_file: dict[Path, list[Row]] = {}
    for row in rows:
        by_file.setdefault(real_path(base / row.image), []).append(row)
    images: list[ImportImage] = []
    for path, named in by_file.items():
        problems.extend(_repetitions(named))
        if _agree(named):
            wrong = _file_error(path, root)
            if wrong:
                problems.append(problem(named[0].number, named[0].image, wrong))
            else:
                images.append(_import_image(named, path, vocabulary.modality))
    notes = (_TEXT_UNKNOWN,) if images else ()
    return ImportBatch(vocabulary.modality, tuple(images), tuple(problems), notes)


def _agree(rows: list[Row]) -> bool:
    return all(row.agrees_with(rows[0]) for row in rows)


def _repetitions(rows: list[Row]) -> list[ImportProblem]:
    """Return a problem for each further row of a file. If the rows disagree, the file is left out."""
    first, *others = rows
    if _agree(rows):
        return [
            problem(row.number, row.image, _("repeats row %(number)s; the image is taken once.", number=known.number))
            for row, known in repetitions(rows)
        ]
    reason = _(
        "names the same image as row %(number)s but describes it differently; the image is left out.",
        number=first.number,
    )
    return [problem(row.number, row.image, reason) for row in others]


def _file_error(path: Path, root: Path | None) -> str:
    """Return the rest of a sentence about a file that is not an image, or an empty text."""
    if not is_within(path, root):
        return OUTSIDE
    try:
        if not path.is_file():
            return _("names a file that is not there.")
        return "" if raster.format_of(path) else _("names a file that is not a PNG, PGM or TIFF picture.")
    except OSError as error:
        return _("names a file that cannot be opened: %(reason)s.", reason=error.strerror)


def _import_image(rows: list[Row], path: Path, modality: str) -> ImportImage:
    row = rows[0]
    return ImportImage(
        name=row.image,
        patient_key=row.patient,
        pathology=row.pathology,
        pixel_spacing_mm=row.pixel_spacing_mm,
        modality=modality,
        load=partial(limited, partial(raster.load, path, name=row.image, bits=row.bits), name=row.image),
        attributes=row.attributes,
        lesion_marks=marks_of(rows),
        groups=row.groups,
    )
