"""Readings in long form, checked once and laid out as dense tables of cells × cases.

A cell is one reader in one condition. The design determines which readings share a case: in a nested design, the same
label in two conditions (or with two readers) names two different cases.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Design = Literal["crossed", "cases_in_condition", "cases_in_reader"]
FigureOfMerit = Literal["auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy"]
AnyFigure = FigureOfMerit | Literal["lroc", "afroc"]  # those of `statistics.localisation` too
Label = Hashable

DESIGNS = ("crossed", "cases_in_condition", "cases_in_reader")
FIGURES = ("auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy")


@dataclass(frozen=True)
class CodedReadings:
    """Checked readings, one element per reading, (n,). `condition`, `reader` and `case` are integer codes.

    The codes of cases respect the design: two codes are equal only if the readings share the case.
    """

    score: Floats
    positive: NDArray[np.bool_]
    condition: Integers
    reader: Integers
    case: Integers
    conditions: list[Any]  # sorted labels, indexed by code
    readers: list[Any]
    cases: int
    figure: FigureOfMerit

    @property
    def cell(self) -> Integers:
        """Index of the cell of each reading, condition-major, (n,)."""
        return self.condition * len(self.readers) + self.reader

    def cell_label(self, cell: int) -> str:
        """Return a description of the cell for error messages."""
        condition, reader = divmod(cell, len(self.readers))
        return f"reader {self.readers[reader]} in condition {self.conditions[condition]}"


@dataclass(frozen=True)
class CellBlock:
    """Cells that may share cases, and per class of truth a table (cells, cases) with NaN if unread.

    Figures from a single sample of cases (all except AUC and balanced accuracy) have one table, of hits.
    """

    cells: Integers
    tables: tuple[Floats, ...]


def code_readings(
    score: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    condition: ArrayLike,
    *,
    figure: FigureOfMerit,
    threshold: float | None,
    design: Design,
) -> CodedReadings:
    """Check the arrays (n,) and code their labels. Scores become hits (1 or 0) for every figure except AUC.

    Raises ValueError, starting with the name of the argument that is wrong.
    """
    if figure not in FIGURES:
        raise ValueError(f"figure must be one of {', '.join(FIGURES)}, not {figure!r}.")
    if design not in DESIGNS:
        raise ValueError(f"design must be one of {', '.join(DESIGNS)}, not {design!r}.")
    if figure != "auc" and (threshold is None or np.isnan(threshold)):
        raise ValueError(f"threshold is needed for figure {figure!r}: scores of at least it are positive calls.")
    scores = _numbers("score", score)
    if np.isnan(scores).any():
        raise ValueError("score contains NaN: omit missing readings from all arrays.")
    positive = signal_mask(truth)
    columns = {name: _column(name, c) for name, c in (("reader", reader), ("case", case), ("condition", condition))}
    for name, length in (("truth", positive.size), *((name, column.size) for name, column in columns.items())):
        if length != scores.size:
            raise ValueError(f"{name} has {length} elements, score has {scores.size}: give one per reading.")
    reader_codes, readers = code_labels(columns["reader"])
    condition_codes, conditions = code_labels(columns["condition"])
    case_codes, labels = code_labels(columns["case"])
    if design == "cases_in_condition":
        case_codes = case_codes * len(conditions) + condition_codes
    if design == "cases_in_reader":
        case_codes = case_codes * len(readers) + reader_codes
    if design != "crossed":
        case_codes, labels = code_labels(case_codes)
    if figure != "auc" and threshold is not None:
        scores = ((scores >= threshold) == positive).astype(float)
    keep = {"sensitivity": positive, "specificity": ~positive}.get(figure, np.ones(positive.size, dtype=bool))
    _check_truth(positive, case_codes, columns["case"], len(labels))
    if not keep.all():
        if not keep.any():
            raise ValueError(f"truth has no case of the class that {figure} is computed from.")
        scores, positive, reader_codes = scores[keep], positive[keep], reader_codes[keep]
        condition_codes, (case_codes, labels) = condition_codes[keep], code_labels(case_codes[keep])
    return CodedReadings(
        scores, positive, condition_codes, reader_codes, case_codes, conditions, readers, len(labels), figure
    )


def signal_mask(truth: ArrayLike) -> NDArray[np.bool_]:
    """Return True for the signal class (1) and False for 0, (n,). Raises ValueError for other values."""
    column = _column("truth", truth)
    positive: NDArray[np.bool_] = column == 1
    if not (positive | (column == 0)).all():
        raise ValueError("truth must be 1 for the signal class and 0 for the other class.")
    return positive


def code_labels(labels: NDArray[Any]) -> tuple[Integers, list[Any]]:
    """Return the index of each label among the sorted distinct labels, and those as Python ints or strings."""
    if labels.dtype.kind in "iu" and labels.size:
        low, high = int(labels.min()), int(labels.max())
        if high - low <= 4 * labels.size:  # a look-up table instead of a sort
            seen = np.zeros(high - low + 1, dtype=np.int64)
            seen[labels - low] = 1
            return (np.cumsum(seen) - 1)[labels - low], (np.flatnonzero(seen) + low).tolist()
    if labels.dtype.kind == "U" and labels.dtype.itemsize:
        ranks = _string_ranks(labels)
        example = np.empty(int(ranks.max()) + 1, dtype=np.int64)
        example[ranks] = np.arange(ranks.size)
        return ranks, labels[example].tolist()
    distinct, inverse = np.unique(labels, return_inverse=True)
    return inverse.reshape(-1).astype(np.int64), distinct.tolist()


def _string_ranks(labels: NDArray[Any]) -> Integers:
    """Return the ranks of strings in sorted order. Sorts integers, because NumPy sorts text slowly.

    Several characters at a time are packed into one integer with the same order; the ranks so far are its leading
    digits.
    """
    letters = np.ascontiguousarray(labels).view(np.uint32).reshape(labels.size, -1).astype(np.int64)
    base = int(letters.max()) + 1
    keys, count = np.zeros(labels.size, dtype=np.int64), 1
    for column in letters.T:
        if count * base >= 2**62:
            keys, count = _ranked(keys)
        keys = keys * base + column
        count *= base
    return _ranked(keys)[0]


def _ranked(keys: Integers) -> tuple[Integers, int]:
    distinct, inverse = np.unique(keys, return_inverse=True)
    return inverse.reshape(-1).astype(np.int64), distinct.size


def independent_blocks(readings: CodedReadings) -> Iterator[CellBlock]:
    """Yield the readings as tables, one block per condition (or reader) if no case is shared between them.

    Cells of different blocks have no case in common, so their estimates do not covary over cases.
    """
    nest = _nest(readings)
    if nest is None:
        yield single_block(readings)
        return
    order = np.argsort(nest, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(nest))[:-1]):
        yield _block(readings, rows)


def single_block(readings: CodedReadings) -> CellBlock:
    """Return all readings as one block."""
    return _block(readings, np.arange(readings.score.size))


def _nest(readings: CodedReadings) -> Integers | None:
    """Return the codes (n,) of the conditions or readers that cases are nested in, or None."""
    for nest in (readings.condition, readings.reader):
        last = np.zeros(readings.cases, dtype=np.int64)
        last[readings.case] = nest
        if nest.max() > 0 and (last[readings.case] == nest).all():
            return nest
    return None


def _block(readings: CodedReadings, rows: Integers) -> CellBlock:
    cell, cells = code_labels(readings.cell[rows])
    two_samples = readings.figure in ("auc", "balanced_accuracy")
    tables = []
    for chosen in (~readings.positive[rows], readings.positive[rows]) if two_samples else (np.full(rows.size, True),):
        case, labels = code_labels(readings.case[rows[chosen]])
        table = np.full((len(cells), len(labels)), np.nan)
        table[cell[chosen], case] = readings.score[rows[chosen]]
        tables.append(table)
    if sum(int((~np.isnan(table)).sum()) for table in tables) < rows.size:
        raise ValueError("case: a reader has two readings of the same case in the same condition.")
    return CellBlock(np.asarray(cells, dtype=np.int64), tuple(tables))


def _column(name: str, values: ArrayLike) -> NDArray[Any]:
    column = np.asarray(values)
    if column.dtype == object:  # columns of data frames hold strings or numbers as objects
        column = np.asarray(column.tolist())
    if column.ndim != 1 or not column.size:
        raise ValueError(f"{name} must be a one-dimensional array with at least one reading.")
    if column.dtype == object or (column.dtype.kind == "f" and name != "score" and np.isnan(column).any()):
        raise ValueError(f"{name} contains an empty or mixed label: give every reading a number or a string.")
    return column


def _numbers(name: str, values: ArrayLike) -> Floats:
    try:
        return _column(name, values).astype(float)
    except ValueError as error:
        raise ValueError(f"{name} must be numbers in a one-dimensional array, one per reading.") from error


def _check_truth(positive: NDArray[np.bool_], case: Integers, names: NDArray[Any], cases: int) -> None:
    """Raise ValueError if a case has readings with different truths."""
    truth = np.zeros(cases, dtype=bool)
    truth[case] = positive
    if (wrong := truth[case] != positive).any():
        raise ValueError(f"truth: case {names[int(np.flatnonzero(wrong)[0])]} is given as 0 and as 1.")
