"""Confidence ratings as values: from long arrays, or drawn at random for pictures."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from readerstudy.analysis.record.codes import reader_sort_key
from readerstudy.analysis.record.confidence import ConfidenceRatings, RatedReadings, RatingCounts
from readerstudy.analysis.record.study import StudyRecord
from tests.analysis import small


def ratings_of(
    rating: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    session: ArrayLike,
    *,
    steps: int,
    compared: tuple[int, int] = (3, 5),
) -> ConfidenceRatings:
    """Return the ratings of columns (n,); every session asks for `steps` answers."""
    rating, truth, reader, case, session = map(np.asarray, (rating, truth, reader, case, session))
    readers = tuple(sorted(set(reader.tolist()), key=reader_sort_key))
    cells = {}
    for name in readers:
        for number in sorted(set(session[reader == name].tolist())):
            counts = np.zeros((2, 2 * steps + 1), dtype=np.int64)
            own = (reader == name) & (session == number)
            np.add.at(counts, (truth[own], rating[own] + steps), 1)
            cells[name, number] = RatingCounts(counts, unrated=0)
    kept = np.isin(session, compared)
    index = np.array([readers.index(name) for name in reader.tolist()], dtype=np.int32)
    columns = (index, session.astype(np.int16), case.astype(np.int64), truth.astype(bool), rating.astype(np.int8))
    rows = RatedReadings(*(column[kept] for column in columns))
    return ConfidenceRatings(dict.fromkeys(set(session.tolist()), steps), readers, cells, rows)


def record(ratings: ConfidenceRatings | None, **changes: object) -> StudyRecord:
    """Return a study of one arm with these ratings; its verdicts are those of the small study."""
    readers = dict.fromkeys(ratings.readers if ratings else (), "high")
    return replace(small.record(), confidence=ratings, **{"readers": readers, **changes})


def crowd(readers: int, *, images: int = 40, steps: int = 5) -> ConfidenceRatings:
    """Return random ratings of sessions 3 and 5, better than chance; every second image is adversarial."""
    rng = np.random.default_rng(3)
    reader, session, image = (axis.ravel() for axis in np.indices((readers, 2, images)))
    truth = image % 2
    rating = np.clip(np.round(rng.normal(1.5 * truth - 0.75, 2.0)), -steps, steps).astype(int)
    names = np.array([f"R{number + 1}" for number in range(readers)])[reader]
    return ratings_of(rating, truth, names, 1000 * session + image, np.array([3, 5])[session], steps=steps)
