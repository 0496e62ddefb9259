"""RJafroc's Excel file of a ROC study in its newer layout, for `DfReadDataFile(FILE, newExcelFileFormat = TRUE)`.

Three sheets: TRUTH (CaseID, LesionID, Weight, ReaderID, ModalityID, Paradigm), FP with the ratings of cases without
the signal, TP with those of cases with it. Case ids are whole numbers there, so a fourth sheet lists what they stand
for. Its name comes last in the alphabet, because RJafroc looks at the first three.
"""

from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

from readerstudy.statistics.rating_files.ratings import Ratings, ratings_of

CASES: Final = "Z_CASES"
TRUTH_COLUMNS: Final = ("CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm")
FP_COLUMNS: Final = ("ReaderID", "ModalityID", "CaseID", "FP_Rating")
TP_COLUMNS: Final = ("ReaderID", "ModalityID", "CaseID", "LesionID", "TP_Rating")


class NotCrossed(ValueError):
    """A reader has not rated a case under a condition; RJafroc reads ROC data only if there are no gaps."""

    def __init__(self, reader: str, case: str, condition: str) -> None:
        super().__init__(f"Reader {reader} has not rated case {case} under condition {condition}: no crossed design.")
        self.reader, self.case, self.condition = reader, case, condition


def write_rjafroc(ratings: Ratings, file: "Path | BinaryIO") -> None:
    """Write the workbook to a path or a binary file. Raises NotCrossed, and ImportError without openpyxl."""
    readers, conditions, truths = _levels(ratings)
    numbers = {case: number for number, case in enumerate(truths, start=1)}
    book = _openpyxl().Workbook(write_only=True)
    truth = book.create_sheet("TRUTH")
    truth.append(TRUTH_COLUMNS)
    declared = iter(("ROC", "FCTRL"))
    for case, signal in truths.items():
        truth.append((numbers[case], signal, signal, ", ".join(readers), ", ".join(conditions), next(declared, None)))
    sheets = {}
    for signal, (name, columns) in enumerate((("FP", FP_COLUMNS), ("TP", TP_COLUMNS))):
        sheets[signal] = book.create_sheet(name)
        sheets[signal].append(columns)
    for reader, case, condition, signal, score in ratings.rows():
        lesion = (1,) if signal else ()
        sheets[signal].append((reader, condition, numbers[case], *lesion, score))
    listed = book.create_sheet(CASES)
    listed.append(("CaseID", "case"))
    for case, number in numbers.items():
        listed.append((number, case))
    book.save(file)


def read_rjafroc(file: "Path | BinaryIO") -> Ratings:
    """Return the ratings of a ROC workbook in that layout. Raises ValueError that names the sheet and what is wrong."""
    book = _openpyxl().load_workbook(file, read_only=True, data_only=True)
    try:
        truth = {row[0]: int(row[1] > 0) for row in _rows(book, "TRUTH", TRUTH_COLUMNS[:5])}
        names = dict(_rows(book, CASES, ("CaseID", "case"))) if CASES in book.sheetnames else {}
        found = [(0, *row) for row in _rows(book, "FP", FP_COLUMNS)]
        found += [(1, row[0], row[1], row[2], row[4]) for row in _rows(book, "TP", TP_COLUMNS)]
    finally:
        book.close()
    for signal, reader, _, case, _ in found:
        if truth.get(case) != signal:
            sheet = ("FP", "TP")[signal]
            raise ValueError(f"{sheet}: case {case}, rated by reader {reader}, is not such a case in TRUTH.")
    signals, readers, conditions, cases, scores = zip(*found, strict=True) if found else ((), (), (), (), ())
    return ratings_of(scores, signals, readers, [names.get(case, case) for case in cases], conditions)


def _levels(ratings: Ratings) -> tuple[list[str], list[str], dict[str, int]]:
    """Return readers, conditions and the truth of the cases. Raises NotCrossed if a rating is missing."""
    readers, conditions = sorted(set(ratings.reader.tolist())), sorted(set(ratings.condition.tolist()))
    truths = ratings.truth_of_cases()
    rated = {(reader, case, condition) for reader, case, condition, _, _ in ratings.rows()}
    for reader in readers:
        for condition in conditions:
            for case in truths:
                if (reader, case, condition) not in rated:
                    raise NotCrossed(reader, case, condition)
    return readers, conditions, truths


def _rows(book: Any, sheet: str, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    if sheet not in book.sheetnames:
        raise ValueError(f"There is no sheet {sheet}.")
    head, *rows = book[sheet].iter_rows(max_col=len(columns), values_only=True)
    if tuple(head) != columns:
        raise ValueError(f"{sheet}: the columns are {head}, not {columns}.")
    return [row for row in rows if any(cell is not None for cell in row)]


def _openpyxl() -> Any:
    try:
        return import_module("openpyxl")
    except ImportError as error:
        raise ImportError("Excel files need openpyxl: pip install 'readerstudy[excel]'") from error
