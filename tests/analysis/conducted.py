"""How the small study was carried out, as a record: two arms, a reader held, one who never began."""

from datetime import timedelta
from typing import Any

from readerstudy.analysis.record.conduct import (
    AuditResult,
    CohortFacts,
    DrawnImages,
    GradeCounts,
    ImportCounts,
    NetworkRun,
    ReaderSession,
    SessionFacts,
    SoftwareVersions,
    SplitCounts,
    StartingWeights,
    StudyConduct,
    StudyEvent,
    StudyHashes,
)
from tests import make
from tests.analysis import small

PLANNED = {number: len(shown) for number, shown in small.SHOWN.items()}


def reader_session(reader: str, session: int, read: int, **changes: Any) -> ReaderSession:
    """With `read` of the planned images read; begun where anything was, finished where all was."""
    planned = PLANNED[session]
    values: dict[str, Any] = {
        "arm": "high",
        "allocated": planned,
        "presented": min(read + 1, planned) if read else 0,
        "grades": GradeCounts(a=read),
        "opened_at": make.MONDAY if read else None,
        "finished_at": make.MONDAY + timedelta(hours=1) if read == planned else None,
    }
    return ReaderSession(reader=reader, session=session, read=read, **{**values, **changes})


def conduct(**changes: Any) -> StudyConduct:
    """As small.SAID has it: R1 read everything, R2 stopped in session 3 and was held there."""
    reader_sessions = [reader_session("R1", number, count) for number, count in PLANNED.items()]
    read = {1: 2, 2: 4, 3: 4, 4: 0, 5: 0}
    held = {3: {"is_held": True, "times_held": 1}}
    reader_sessions += [reader_session("R2", number, count, **held.get(number, {})) for number, count in read.items()]
    values: dict[str, Any] = {
        "cohort": CohortFacts(
            name="films",
            splits=(
                SplitCounts("train", 10, 40, 3, 9),
                SplitCounts("tuning", 2, 8, 1, 3),
                SplitCounts("test", 5, 13, 2, 4),
            ),
            imports=(ImportCounts(make.MONDAY, 61, 0, 7),),
            pathologies={"positive": 16, "normal": 45},
            pathology_sources=("biopsy",),
            modalities=("MG",),
            source_bits=(12, 16),
            fractions=(0.8, 0.1, 0.1),
            adversarial_images={"high": 60},
        ),
        "resolutions": {"high": "high"},
        "sessions": tuple(
            SessionFacts(
                image_set.number,
                image_set.title,
                image_set.asks_for_verdict,
                image_set.planned,
                0,
                0,
                "advised",
                False,
                (),
                order="same",
            )
            for image_set in small.image_sets()
        ),
        "drawn": tuple(DrawnImages("high", number, "test", count, count) for number, count in PLANNED.items()),
        "patients_drawn": {"high": 17},
        "reader_sessions": tuple(reader_sessions),
        "created": StudyEvent(make.MONDAY, "Rosa Research"),
        "closed": StudyEvent(make.MONDAY + timedelta(days=2), "Clara Coordinator"),
        "unsealed": StudyEvent(make.MONDAY + timedelta(days=3), "Rosa Research", "All have read."),
        "is_declared": True,
        "hashes": StudyHashes(plan="a" * 64, draw="b" * 64, readings="c" * 64),
        "generators": (
            NetworkRun("gan-insert", "generator", "demo", 4, "feed", "beef"),
            NetworkRun("gan-remove", "generator"),
        ),
        "classifier": NetworkRun(
            "cad-1",
            "classifier",
            "demo",
            5,
            "feed",
            "beef",
            start=StartingWeights.FILE,
            config={"images_per_class": 4, "betas": [0.5, 0.9], "length": {"steps": 0, "epochs": 301}},
            metrics={"tuning_auc": 0.8756, "steps": 700},
        ),
        "software": SoftwareVersions("0.1.0", "d" * 64, {"Python": "3.11.7", "numpy": "2.4.6"}),
        "audits": (AuditResult(make.MONDAY, True, 74),),
    }
    return StudyConduct(**{**values, **changes})
