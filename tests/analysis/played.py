"""Studies of sessions 3 and 5 from letters: what each reader says about the same images, in one or two arms."""

from collections.abc import Mapping

from readerstudy.analysis.record.codes import ADVERSARIAL, POSITIVE, REAL
from readerstudy.analysis.record.readings import ReadingRow, Readings
from readerstudy.analysis.record.study import StudyRecord
from tests.analysis import small

KINDS = {"R": REAL, "F": ADVERSARIAL}
VERDICTS = {"r": "real", "n": "not_real", "u": "unsure"}


def rows(said: Mapping[str, Mapping[int, str]], shown: str = "RRRFFF") -> list[ReadingRow]:
    """`said` gives each reader's letters by session, about the images `shown`."""
    return [
        ReadingRow(
            reader, session, place, VERDICTS[letter], KINDS[kind], POSITIVE, 1000 * place, case=f"{session}-{place}"
        )
        for reader, by_session in said.items()
        for session, letters in by_session.items()
        for place, (letter, kind) in enumerate(zip(letters, shown, strict=True), start=1)
    ]


def record(said: Mapping[str, Mapping[int, str]], shown: str = "RRRFFF", **changes: object) -> StudyRecord:
    readers = dict.fromkeys(said, "high")
    return small.record(readings=Readings.of(rows(said, shown)), **{"readers": readers, **changes})
