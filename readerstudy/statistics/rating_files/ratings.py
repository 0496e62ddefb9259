"""Ratings in long form, checked: what every file format of this package holds."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Names = NDArray[np.str_]
Floats = NDArray[np.float64]
# Separators of the formats, and the words that mark iMRMC's rows of the truth.
_UNSAFE = re.compile(r'[,;"\'\s]|^$|^truth$|^-1$')


class UnsafeLabel(ValueError):
    """A label of a reader, a case or a condition that not every format can hold."""

    def __init__(self, kind: str, label: str) -> None:
        super().__init__(f"{kind}: {label!r} cannot be written: no blanks, commas, quotes, 'truth' or '-1'.")
        self.kind, self.label = kind, label


@dataclass(frozen=True)
class Ratings:
    """One element per rating, (n,) each. `truth` is 1 for the signal class; a higher `score` speaks for the signal."""

    score: Floats
    truth: NDArray[np.int8]
    reader: Names
    case: Names
    condition: Names

    @property
    def columns(self) -> tuple[Floats, NDArray[np.int8], Names, Names, Names]:
        """The arrays in the order in which `mrmc.obuchowski_rockette` and `mrmc.u_statistic` take them."""
        return self.score, self.truth, self.reader, self.case, self.condition

    def rows(self) -> Iterator[tuple[str, str, str, int, float]]:
        """Yield reader, case, condition, truth and score of each rating."""
        columns = (self.reader, self.case, self.condition, self.truth, self.score)
        yield from zip(*(column.tolist() for column in columns), strict=True)

    def truth_of_cases(self) -> dict[str, int]:
        """Return the truth by case: first those without the signal, each kind in the order of appearance."""
        known = dict(zip(self.case.tolist(), self.truth.tolist(), strict=True))
        return {case: truth for kind in (0, 1) for case, truth in known.items() if truth == kind}


def ratings_of(
    score: ArrayLike, truth: ArrayLike, reader: Iterable[Any], case: Iterable[Any], condition: Iterable[Any]
) -> Ratings:
    """Return the ratings; labels become texts.

    Raises ValueError if lengths differ, a score is not finite, a truth is neither 0 nor 1, a case has two truths, or a
    reader rates a case twice under one condition; UnsafeLabel if a label cannot be written to every format.
    """
    names = {
        name: np.array([str(label) for label in labels], dtype=np.str_)
        for name, labels in (("reader", reader), ("case", case), ("condition", condition))
    }
    scores, truths = np.asarray(score, dtype=float), np.asarray(truth, dtype=float)
    lengths = {column.shape for column in (scores, truths, *names.values())}
    if len(lengths) > 1 or scores.ndim != 1:
        raise ValueError("score, truth, reader, case and condition must be one-dimensional and of the same length.")
    if not np.isfinite(scores).all():
        raise ValueError("score: every score must be a finite number; leave missing ratings out.")
    if not np.isin(truths, (0, 1)).all():
        raise ValueError("truth: must be 0 or 1.")
    for name, labels in names.items():
        for label in np.unique(labels).tolist():
            if _UNSAFE.search(label):
                raise UnsafeLabel(name, label)
    found = Ratings(scores, truths.astype(np.int8), names["reader"], names["case"], names["condition"])
    _require_one_truth(found)
    _require_one_rating(found)
    return found


def _require_one_truth(ratings: Ratings) -> None:
    pairs = set(zip(ratings.case.tolist(), ratings.truth.tolist(), strict=True))
    twice = sorted(case for case, count in Counter(case for case, _ in pairs).items() if count > 1)
    if twice:
        raise ValueError(f"truth: case {twice[0]} has both truths.")


def _require_one_rating(ratings: Ratings) -> None:
    keys = Counter(zip(ratings.reader.tolist(), ratings.case.tolist(), ratings.condition.tolist(), strict=True))
    for (reader, case, condition), count in keys.items():
        if count > 1:
            raise ValueError(f"Reader {reader} rates case {case} {count} times under condition {condition}.")
