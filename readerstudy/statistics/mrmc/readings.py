"""Readings in long form, checked once and laid out as dense tables of cells × cases.

A cell is one reader in one condition. Which readings share a case is a matter of the design: in a nested one the
same label in two conditions (or with two readers) names two different cases.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Design = Literal["crossed", "cases_in_condition", "cases_in_reader"]
Figure = Literal["auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy"]
Label = Hashable

DESIGNS = ("crossed", "cases_in_condition", "cases_in_reader")
FIGURES = ("auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy")


@dataclass(frozen=True)
class Readings:
    """One element per reading; `condition`, `reader` and `case` are codes, and codes of cases know the design."""

    score: Floats
    positive: NDArray[np.bool_]
    condition: Integers
    reader: Integers
    case: Integers
    conditions: list[Any]  # sorted labels: the code is the place
    readers: list[Any]
    cases: int
    figure: Figure

    @property
    def cell(self) -> Integers:
        """Condition-major number of the reader and condition of each reading."""
        return self.condition * len(self.readers) + self.reader

    def name_of(self, cell: int) -> str:
        """The cell in words, for errors."""
        condition, reader = divmod(cell, len(self.readers))
        return f"reader {self.readers[reader]} in condition {self.conditions[condition]}"


@dataclass(frozen=True)
class Block:
    """Cells that may share cases, and per class of truth a table (cells, cases) with NaN where nothing was read.

    For figures from a single sample of cases (all but AUC and balanced accuracy) there is one table, of hits.
    """

    cells: Integers
    tables: tuple[Floats, ...]


def readings_of(
    score: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    condition: ArrayLike,
    *,
    figure: Figure,
    threshold: float | None,
    design: Design,
) -> Readings:
    """Check the arrays and code their labels; scores become hits (1 or 0) for every figure but AUC."""
    if figure not in FIGURES:
        raise ValueError(f"figure is one of {', '.join(FIGURES)}, not {figure!r}.")
    if design not in DESIGNS:
        raise ValueError(f"design is one of {', '.join(DESIGNS)}, not {design!r}.")
    if figure != "auc" and (threshold is None or np.isnan(threshold)):
        raise ValueError(f"threshold is needed for figure {figure!r}: scores from it upwards are positive calls.")
    scores = _numbers("score", score)
    if np.isnan(scores).any():
        raise ValueError("score holds NaN: leave readings that are missing out of all arrays.")
    positive = truths(truth)
    columns = {name: _column(name, c) for name, c in (("reader", reader), ("case", case), ("condition", condition))}
    for name, length in (("truth", positive.size), *((name, column.size) for name, column in columns.items())):
        if length != scores.size:
            raise ValueError(f"{name} has {length} elements, score has {scores.size}: give one per reading.")
    reader_codes, readers = codes(columns["reader"])
    condition_codes, conditions = codes(columns["condition"])
    case_codes, labels = codes(columns["case"])
    if design == "cases_in_condition":
        case_codes = case_codes * len(conditions) + condition_codes
    if design == "cases_in_reader":
        case_codes = case_codes * len(readers) + reader_codes
    if design != "crossed":
        case_codes, labels = codes(case_codes)
    if figure != "auc":
        assert threshold is not None
        scores = ((scores >= threshold) == positive).astype(float)
    keep = {"sensitivity": positive, "specificity": ~positive}.get(figure, np.ones(positive.size, dtype=bool))
    _check_truth(positive, case_codes, columns["case"], len(labels))
    if not keep.all():
        if not keep.any():
            raise ValueError(f"truth holds no case of the class that {figure} is about.")
        scores, positive, reader_codes = scores[keep], positive[keep], reader_codes[keep]
        condition_codes, (case_codes, labels) = condition_codes[keep], codes(case_codes[keep])
    return Readings(
        scores, positive, condition_codes, reader_codes, case_codes, conditions, readers, len(labels), figure
    )


def truths(truth: ArrayLike) -> NDArray[np.bool_]:
    """True for the signal class (1), False for 0; anything else is refused."""
    column = _column("truth", truth)
    positive: NDArray[np.bool_] = column == 1
    if not (positive | (column == 0)).all():
        raise ValueError("truth is 1 for the signal class and 0 for the rest, nothing else.")
    return positive


def codes(labels: NDArray[Any]) -> tuple[Integers, list[Any]]:
    """Each label's place among the sorted distinct labels, and these as Python's own ints or strings."""
    if labels.dtype.kind in "iu" and labels.size:
        low, high = int(labels.min()), int(labels.max())
        if high - low <= 4 * labels.size:  # a look-up table instead of a sort
            seen = np.zeros(high - low + 1, dtype=np.int64)
            seen[labels - low] = 1
            return (np.cumsum(seen) - 1)[labels - low], (np.flatnonzero(seen) + low).tolist()
    if labels.dtype.kind == "U" and labels.dtype.itemsize:
        places = _string_places(labels)
        first = np.empty(int(places.max()) + 1, dtype=np.int64)
        first[places] = np.arange(places.size)
        return places, labels[first].tolist()
    distinct, inverse = np.unique(labels, return_inverse=True)
    return inverse.reshape(-1).astype(np.int64), distinct.tolist()


def _string_places(labels: NDArray[Any]) -> Integers:
    """Places of strings in sorted order, by sorting whole numbers: NumPy is slow at sorting text.

    A few characters at a time make a number that sorts as they do; the places so far are the leading digits.
    """
    letters = np.ascontiguousarray(labels).view(np.uint32).reshape(labels.size, -1).astype(np.int64)
    base = int(letters.max()) + 1
    places, count = np.zeros(labels.size, dtype=np.int64), 1
    for column in letters.T:
        if count * base >= 2**62:
            places, count = _ranked(places)
        places = places * base + column
        count *= base
    return _ranked(places)[0]


def _ranked(keys: Integers) -> tuple[Integers, int]:
    distinct, inverse = np.unique(keys, return_inverse=True)
    return inverse.reshape(-1).astype(np.int64), distinct.size


def blocks(readings: Readings) -> Iterator[Block]:
    """The readings as tables; where no case is read in two conditions (or by two readers), one block of each.

    Cells of different blocks have no case in common, so that their estimates do not covary over cases.
    """
    nest = _nest(readings)
    if nest is None:
        yield whole(readings)
        return
    order = np.argsort(nest, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(nest))[:-1]):
        yield _block(readings, rows)


def whole(readings: Readings) -> Block:
    """All readings as one block, whatever they share."""
    return _block(readings, np.arange(readings.score.size))


def _nest(readings: Readings) -> Integers | None:
    """The conditions or readers that the cases are nested in, if in any."""
    for codes_of_nest in (readings.condition, readings.reader):
        last = np.zeros(readings.cases, dtype=np.int64)
        last[readings.case] = codes_of_nest
        if codes_of_nest.max() > 0 and (last[readings.case] == codes_of_nest).all():
            return codes_of_nest
    return None


def _block(readings: Readings, rows: Integers) -> Block:
    cell, cells = codes(readings.cell[rows])
    two_samples = readings.figure in ("auc", "balanced_accuracy")
    tables = []
    for chosen in (~readings.positive[rows], readings.positive[rows]) if two_samples else (np.full(rows.size, True),):
        case, labels = codes(readings.case[rows[chosen]])
        table = np.full((len(cells), len(labels)), np.nan)
        table[cell[chosen], case] = readings.score[rows[chosen]]
        tables.append(table)
    if sum(int((~np.isnan(table)).sum()) for table in tables) < rows.size:
        raise ValueError("case: a reader has two readings of the same case in the same condition.")
    return Block(np.asarray(cells, dtype=np.int64), tuple(tables))


def _column(name: str, values: ArrayLike) -> NDArray[Any]:
    column = np.asarray(values)
    if column.dtype == object:  # columns of data frames: strings or numbers in a coat
        column = np.asarray(column.tolist())
    if column.ndim != 1 or not column.size:
        raise ValueError(f"{name} must be a one-dimensional array with at least one reading.")
    if column.dtype == object or (column.dtype.kind == "f" and name != "score" and np.isnan(column).any()):
        raise ValueError(f"{name} holds an empty or mixed label: give every reading a number or a string.")
    return column


def _numbers(name: str, values: ArrayLike) -> Floats:
    try:
        return _column(name, values).astype(float)
    except ValueError as error:
        raise ValueError(f"{name} must be numbers in a one-dimensional array, one per reading.") from error


def _check_truth(positive: NDArray[np.bool_], case: Integers, names: NDArray[Any], cases: int) -> None:
    """A case has one truth."""
    truth = np.zeros(cases, dtype=bool)
    truth[case] = positive
    if (wrong := truth[case] != positive).any():
        raise ValueError(f"truth: case {names[int(np.flatnonzero(wrong)[0])]} is given as 0 and as 1.")
