"""A study small enough to work out by hand: two readers, five sessions, twenty-two images."""

from dataclasses import replace
from typing import Any

from readerstudy.analysis.record.attack import StudyAttack
from readerstudy.analysis.record.codes import ADVERSARIAL, NEGATIVE, PAIR, POSITIVE, REAL
from readerstudy.analysis.record.study import SessionImages, StudyRecord
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.analysis_plan import AnalysisPlan
from tests import results
from tests.analysis.counting import aggregate
from tests.analysis.long_readings import LongReadings, ReadingRow

# What was shown, in order: (authenticity, the patient's pathology).
SHOWN = {
    1: [(REAL, POSITIVE), (REAL, NEGATIVE)],
    2: [(REAL, POSITIVE), (REAL, NEGATIVE), (REAL, NEGATIVE), (REAL, NEGATIVE)],
    3: [(REAL, POSITIVE), (ADVERSARIAL, POSITIVE), (REAL, NEGATIVE), (ADVERSARIAL, NEGATIVE)] * 2,
    4: [(PAIR, POSITIVE), (PAIR, NEGATIVE)],
    5: [(REAL, POSITIVE), (ADVERSARIAL, POSITIVE), (ADVERSARIAL, NEGATIVE), (REAL, NEGATIVE), (REAL, NEGATIVE)],
}
# What was said: r real, n not real, u unsure, s seen.
SAID = {
    "R1": {1: "ss", 2: "rrnu", 3: "rnrrrnun", 4: "ss", 5: "rrrrr"},
    "R2": {1: "ss", 2: "rrrr", 3: "nnnn", 4: "", 5: ""},
}
_VERDICTS = {"r": "real", "n": "not_real", "u": "unsure", "s": "seen"}
_TITLES = {1: "Getting to know the images", 2: "First", 3: "Second", 4: "Education", 5: "Third"}
SECONDS_BETWEEN = 10.0


def rows() -> list[ReadingRow]:
    """The reader takes 1 s for the first image of a session, 2 s for the second…; one comes every 10 s."""
    result = []
    for reader, by_session in SAID.items():
        for session, letters in by_session.items():
            for place, letter in enumerate(letters):
                authenticity, pathology = SHOWN[session][place]
                shown_at = 1000.0 * session + SECONDS_BETWEEN * place
                result.append(
                    ReadingRow(
                        reader=reader,
                        session=session,
                        position=place + 1,
                        verdict=_VERDICTS[letter],
                        authenticity=authenticity,
                        source_pathology=pathology,
                        elapsed_ms=1000 * (place + 1),
                        shown_at=shown_at,
                        answered_at=shown_at + place + 1,
                    )
                )
    return result


def image_sets() -> tuple[SessionImages, ...]:
    return tuple(
        SessionImages(
            number=number,
            title=_TITLES[number],
            arm="high",
            asks_for_verdict=number in (2, 3, 5),
            planned=len(shown),
            drawn={one: shown.count(one) for one in shown},
        )
        for number, shown in SHOWN.items()
    )


def record(*, readings: LongReadings | None = None, plan: AnalysisPlan | None = None, **changes: Any) -> StudyRecord:
    """The record of these readings, added up by the plan; of the study above by default."""
    plan = plan or AnalysisPlan()
    readings = LongReadings.of(rows()) if readings is None else readings
    readers = changes.get("readers", {"R1": "high", "R2": "high"})
    arms = {**dict.fromkeys(readings.readers, "high"), **readers}
    whole = StudyRecord(
        code="small",
        title="A small study",
        modality=MAMMOGRAPHY,
        is_rehearsal=False,
        readers={"R1": "high", "R2": "high"},
        image_sets=image_sets(),
        readings=aggregate(readings, arms, plan),
    )
    return replace(whole, **changes)


def attack(fooled: tuple[int, int] = (251, 363)) -> StudyAttack:
    """The evaluation of the study's attack, at two resolutions and with its baselines."""
    evaluation = results.attack_evaluation(fooled)
    return StudyAttack("cad-1", results.RUNS, {"high": evaluation, "low": evaluation}, {"high": results.CONTROLS})
