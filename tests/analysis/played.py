"""Studies of sessions 3 and 5 from letters: what each reader says about the same images, in one or two arms."""

from collections.abc import Mapping

from readerstudy.analysis.record.codes import ADVERSARIAL, POSITIVE, REAL
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import mrmc_comparisons, mrmc_table
from readerstudy.layout.table import Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from tests.analysis import small
from tests.analysis.long_readings import LongReadings, ReadingRow

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
    return small.record(readings=LongReadings.of(rows(said, shown)), **{"readers": readers, **changes})


def mrmc(study: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return the MRMC table of the study."""
    return mrmc_table(study, plan, mrmc_comparisons(study, plan))
