"""The simulated study of oracles/ and the figures that an independent program computed from it."""

import csv
from functools import cache
from pathlib import Path

from readerstudy.analysis.record.codes import NEGATIVE, POSITIVE
from tests.analysis.long_readings import LongReadings, ReadingRow

ORACLES = Path(__file__).parent / "oracles"
SHARED = Path(__file__).parents[3] / "shared" / "oracles"
SECONDS = 7

_LETTERS = {
    letter: (authenticity, pathology, verdict)
    for letters, authenticity, pathology in (
        ("ABC", "real", POSITIVE),
        ("DEF", "real", NEGATIVE),
        ("GHI", "adversarial", POSITIVE),
        ("JKL", "adversarial", NEGATIVE),
    )
    for letter, verdict in zip(letters, ("real", "unsure", "not_real"), strict=True)
}


@cache
def simulated_readings() -> LongReadings:
    """All 4,880 readings, each of SECONDS seconds."""
    cases = {
        (row["reader"], row["session"], int(row["order"])): row["case"] for row in expected(ORACLES / "simstudy.csv")
    }
    with (ORACLES / "simulated_study.csv").open() as lines:
        return LongReadings.of(
            ReadingRow(
                reader=line["reader"],
                session=int(line["session"]),
                position=position,
                verdict=verdict,
                authenticity=authenticity,
                source_pathology=pathology,
                elapsed_ms=1000 * SECONDS,
                case=cases[line["reader"], line["session"], position],
            )
            for line in csv.DictReader(lines)
            for position, (authenticity, pathology, verdict) in enumerate(
                (_LETTERS[letter] for letter in line["readings"]), start=1
            )
        )


def expected(path: Path) -> list[dict[str, str]]:
    with path.open() as lines:
        return list(csv.DictReader(lines))
