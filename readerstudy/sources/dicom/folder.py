"""Images as DICOM files, with a table of patients and pathologies.

The header has no pathology, and can have another patient for each image (CBIS-DDSM), so both come from the table.
Attributes, pixel spacing and modality come from the header if it has them. No name, date or UID is read.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from readerstudy.errors import Sentence, StudyError, message_of
from readerstudy.errors import Sentence as _
from readerstudy.imaging.image import UnreadableImage
from readerstudy.sources.dicom import pixels
from readerstudy.sources.dicom.header import Header, NotDicom, ReadAttributes, TooLarge, read_header
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

_UID: Final = re.compile(r"(?<![0-9.])[0-9]+(?:\.[0-9]+){4,}(?![0-9])")
_DICOM_NAMES: Final = (".dcm", ".dicom", ".ima")


@dataclass(frozen=True)
class _File:
    path: Path
    name: str  # relative to the folder


def read_folder(
    folder: Path,
    vocabulary: SourceVocabulary,
    read_attributes: ReadAttributes,
    *,
    table: Path | None = None,
    columns: Mapping[str, str] | None = None,
    root: Path | None = None,
) -> ImportBatch:
    """Return all DICOM images below a folder, described by table and header.

    The table's image column holds a path relative to the folder or to the table, or a file name, with or without
    its ending, that is unique in the folder. A row of a table without that column is about all files of its patient,
    of its side and view if it states them. `columns` maps columns by hand, as in files.read_table. Other files
    in the folder are passed over; one that is called DICOM and is none is a problem, and so is one outside `root`.
    """
    if not folder.is_dir():
        raise StudyError(_("%(folder)s is not a folder.", folder=folder))
    headers, problems = _read_headers(folder, read_attributes, root)
    if not headers and not problems:
        raise StudyError(_("The folder %(folder)s holds no DICOM files.", folder=folder))
    rows: dict[_File, list[Row]] = {}
    if table is not None:
        known, bad_rows = read_rows(table, vocabulary, columns=columns, needs_image=False)
        rows, unmatched = _match(known, headers, folder, table)
        problems += bad_rows + unmatched
    images: list[ImportImage] = []
    for file, header in headers.items():
        image, image_problems = _check(file, header, rows.get(file, []), vocabulary)
        problems += image_problems
        images += [image] if image else []
    return ImportBatch(vocabulary.modality, tuple(images), tuple(problems), tuple(_notes(headers.values())))


def _notes(headers: Collection[Header]) -> Iterator[str]:
    silent = sum(not header.denies_text for header in headers)
    if silent:
        yield _(
            "%(silent)s of %(all)s DICOM files do not say whether text is burned into the picture (Burned In "
            "Annotation). Look at the corners of the images.",
            silent=silent,
            all=len(headers),
        )


def _read_headers(
    folder: Path, read_attributes: ReadAttributes, root: Path | None
) -> tuple[dict[_File, Header], list[ImportProblem]]:
    headers: dict[_File, Header] = {}
    problems: list[ImportProblem] = []
    for path in sorted(folder.rglob("*")):
        file = _File(path, path.relative_to(folder).as_posix())
        try:
            if not is_within(path, root):
                problems.append(ImportProblem(file.name, _about(file, OUTSIDE)))
                continue
            if not path.is_file() or not claims_to_be_dicom(path):
                continue
            headers[file] = limited(partial(read_header, path, read_attributes), name=file.name)
        except (TooLarge, UnreadableImage) as error:
            names_file = isinstance(error, UnreadableImage)
            words = message_of(error) if names_file else _("%(name)s %(error)s", name=file.name, error=error)
            problems.append(ImportProblem(file.name, words))
        except NotDicom:
            problems.append(ImportProblem(file.name, _("%(name)s holds no DICOM image.", name=file.name)))
        except Exception:  # pydicom raises many types of error, whose messages can quote the header
            problems.append(
                ImportProblem(
                    file.name, _("%(name)s cannot be read as DICOM: it is damaged or cut off.", name=file.name)
                )
            )
    return headers, problems


def claims_to_be_dicom(path: Path) -> bool:
    """Return whether the mark after the preamble or the name is that of DICOM. A DICOMDIR is not an image."""
    if path.name.upper() == "DICOMDIR" or path.name.startswith("."):
        return False
    if path.suffix.lower() in _DICOM_NAMES:
        return True
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _match(
    rows: Iterable[Row], files: Mapping[_File, Header], folder: Path, table: Path
) -> tuple[dict[_File, list[Row]], list[ImportProblem]]:
    """Return the rows of each file, and a problem for each row that fits no file or several."""
    by_path = {real_path(file.path): file for file in files}
    by_name: dict[str, list[_File]] = defaultdict(list)
    for file in by_path.values():
        for name in {file.path.name, file.path.stem}:
            by_name[name].append(file)
    matched: dict[_File, list[Row]] = defaultdict(list)
    problems: list[ImportProblem] = []
    for row in rows:
        if not row.image:
            of_patient = [file for file in by_path.values() if _is_of(row, file, files[file])]
            for file in of_patient:
                matched[file].append(row)
            if not of_patient:
                what = _("fits no file: neither a header nor the name of a file or folder has its patient.")
                problems.append(problem(row.number, row.patient, what))
            continue
        paths = (real_path(base / row.image) for base in (folder, table.parent))
        exact = next((by_path[path] for path in paths if path in by_path), None)
        candidates = [exact] if exact else by_name.get(row.image, [])
        if len(candidates) == 1:
            matched[candidates[0]].append(row)
        else:
            several = _("fits %(files)s files.", files=len(candidates))
            what = several if candidates else _("names a file that is not there or is not DICOM.")
            problems.append(problem(row.number, row.image, what))
    return matched, problems


def _is_of(row: Row, file: _File, header: Header) -> bool:
    """Return whether a row without an image is about a file: its patient, and its side and view if both state them.

    The patient may be a part of a longer id or of a path, as in Mass-Test_P_00173_LEFT_CC, but not of a UID in it.
    """
    patient = re.compile(rf"(?<![A-Za-z0-9]){re.escape(row.patient)}(?![A-Za-z0-9])")
    if not any(patient.search(text) for text in (header.patient, _UID.sub("", file.name))):
        return False
    stated = header.attributes.stated
    return all(not value or stated.get(name, "") in ("", value) for name, value in row.attributes.items())


def _check(
    file: _File, header: Header, rows: list[Row], vocabulary: SourceVocabulary
) -> tuple[ImportImage | None, list[ImportProblem]]:
    """Return the image if it can be imported, and its problems."""
    if header.refusal:
        return None, [ImportProblem(file.name, _about(file, header.refusal))]
    if not rows:
        what = _("has no row in the table, so its patient and pathology are unknown.")
        return None, [ImportProblem(file.name, _about(file, what))]
    first = rows[0]
    if not all(row.agrees_with(first) for row in rows):
        numbers = ", ".join(str(row.number) for row in rows)
        return None, [
            ImportProblem(
                file.name,
                _("%(name)s is described differently in rows %(numbers)s; left out.", name=file.name, numbers=numbers),
            )
        ]
    problems = [
        problem(row.number, row.image, _("repeats row %(number)s.", number=known.number))
        for row, known in repetitions(rows)
    ]
    problems += [ImportProblem(file.name, _about(file, remark)) for remark in header.attributes.remarks]
    return _import_image(file, header, rows, vocabulary), problems + _disagreements(header, first, vocabulary)


def _about(file: _File, rest: str) -> Sentence:
    return _("%(file)s %(rest)s", file=file.name, rest=rest)


def _disagreements(header: Header, row: Row, vocabulary: SourceVocabulary) -> list[ImportProblem]:
    """Return a problem for each attribute that differs between header and table. The header is used."""
    problems = []
    for attribute in vocabulary.attributes:
        ours, theirs = row.attributes.get(attribute.name, ""), header.attributes.stated.get(attribute.name, "")
        if theirs and ours and theirs != ours:
            values = {"column": attribute.column, "ours": ours, "theirs": theirs}
            what = _("has the %(column)s %(ours)s, the file's header %(theirs)s; %(theirs)s is used.", **values)
            problems.append(problem(row.number, row.image, what))
    return problems


def _import_image(file: _File, header: Header, rows: list[Row], vocabulary: SourceVocabulary) -> ImportImage:
    row = rows[0]
    # The strongest evidence last: what the header states, then the table, then what follows from the directions.
    evidence = (header.attributes.inferred, row.attributes, header.attributes.stated)
    return ImportImage(
        name=file.name,
        patient_key=row.patient,
        pathology=row.pathology,
        pixel_spacing_mm=header.pixel_spacing_mm or row.pixel_spacing_mm,
        modality=header.modality or vocabulary.modality,
        load=partial(limited, partial(pixels.load, file.path, name=file.name), name=file.name),
        attributes={name: value for values in evidence for name, value in values.items() if value},
        lesion_marks=marks_of(rows),
        groups=row.groups,
    )
