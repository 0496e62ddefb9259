"""Studies of any number of readers, drawn at random from a fixed seed, for pictures and the gallery."""

from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np

from readerstudy.analysis.record.codes import ADVERSARIAL, NEGATIVE, PAIR, POSITIVE, REAL
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.protocol.analysis_plan import AnalysisPlan
from tests.analysis import small
from tests.analysis.long_readings import LongReadings, ReadingRow

SEEN = {1: REAL, 4: PAIR}
WITH_FAKES = (3, 5)


@cache
def record(readers: int, *, images: int = 40, arms: int = 1, unsure: str = "wrong") -> StudyRecord:
    """Five sessions of `images` each; every second one of sessions 3 and 5 is adversarial."""
    rng = np.random.default_rng(7)
    names = [f"R{number}" for number in range(1, readers + 1)]
    rows = [
        row(rng, name, session, place)
        for name in names
        for session in (1, 2, 3, 4, 5)
        for place in range(1, images + 1)
    ]
    by_arm = {name: ("high", "low")[place % arms] for place, name in enumerate(names)}
    image_sets = small.image_sets() + (
        tuple(replace(image_set, arm="low") for image_set in small.image_sets()) if arms == 2 else ()
    )
    return small.record(
        readings=LongReadings.of(rows), readers=by_arm, image_sets=image_sets, plan=AnalysisPlan(unsure=unsure)
    )


def row(rng: np.random.Generator, reader: str, session: int, place: int) -> ReadingRow:
    is_fake = session in WITH_FAKES and place % 2 == 0
    verdict = "seen" if session in SEEN else str(rng.choice(["real", "not_real", "unsure"], p=[0.5, 0.4, 0.1]))
    return ReadingRow(
        reader=reader,
        session=session,
        position=place,
        verdict=verdict,
        authenticity=SEEN.get(session, ADVERSARIAL if is_fake else REAL),
        source_pathology=POSITIVE if place % 4 < 2 else NEGATIVE,
        elapsed_ms=int(rng.integers(3000, 30_000)),
        case=str(1000 * session + place),
    )


def repeated(study: StudyRecord, times: int) -> StudyRecord:
    """Return the study with its readers repeated under new names: a large crowd, without compared readings."""
    readings = study.readings
    names = tuple(f"R{number}" for number in range(1, times * len(readings.readers) + 1))

    def repeat(part: Any) -> Any:
        known = {field.name: getattr(part, field.name) for field in fields(part)}
        arrays = {name: np.concatenate([array] * times) for name, array in known.items() if array is not None}
        return replace(part, **arrays)

    verdicts = np.concatenate([readings.verdicts] * times)
    blocks = {groups: repeat(part) for groups, part in readings.blocks.items()}
    crowd = replace(readings, readers=names, verdicts=verdicts, times=repeat(readings.times), blocks=blocks)
    return replace(study, readers=dict.fromkeys(names, "high"), readings=crowd)


def scores(study: StudyRecord) -> dict[int, float]:
    rng = np.random.default_rng(8)
    return {int(case): float(rng.uniform()) for case in np.unique(study.readings.cases.case)}
