"""How the small study was carried out, as a record: two arms, a reader held, one who never began."""

from datetime import timedelta
from typing import Any

from readerstudy.analysis.record.conduct import (
    Audit,
    CohortFacts,
    Conduct,
    Drawn,
    Grades,
    Hashes,
    Import,
    Part,
    Run,
    SessionFacts,
    Sitting,
    Software,
    Step,
)
from tests import make
from tests.analysis import small

PLANNED = {number: len(shown) for number, shown in small.SHOWN.items()}


def sitting(reader: str, session: int, read: int, **changes: Any) -> Sitting:
    """With `read` of the planned images read; begun where anything was, finished where all was."""
    planned = PLANNED[session]
    values: dict[str, Any] = {
        "arm": "high",
        "allocated": planned,
        "presented": min(read + 1, planned) if read else 0,
        "grades": Grades(a=read),
        "opened_at": make.MONDAY if read else None,
        "finished_at": make.MONDAY + timedelta(hours=1) if read == planned else None,
    }
    return Sitting(reader=reader, session=session, read=read, **{**values, **changes})


def conduct(**changes: Any) -> Conduct:
    """As small.SAID has it: R1 read everything, R2 stopped in session 3 and was held there."""
    sittings = [sitting("R1", number, count) for number, count in PLANNED.items()]
    read = {1: 2, 2: 4, 3: 4, 4: 0, 5: 0}
    held = {3: {"is_held": True, "times_held": 1}}
    sittings += [sitting("R2", number, count, **held.get(number, {})) for number, count in read.items()]
    values: dict[str, Any] = {
        "cohort": CohortFacts(
            name="films",
            parts=(Part("train", 10, 40, 3, 9), Part("tuning", 2, 8, 1, 3), Part("test", 5, 13, 2, 4)),
            imports=(Import(make.MONDAY, 61, 0, 7),),
            pathologies={"malignant": 16, "normal": 45},
            pathology_sources=("biopsy",),
            modalities=("MG",),
            source_bits=(12, 16),
            fractions=(0.8, 0.1, 0.1),
            twins={"high": 60},
        ),
        "resolutions": {"high": "high"},
        "sessions": tuple(
            SessionFacts(one.number, one.title, one.asks, one.planned, 0, 0, "advised", False, ())
            for one in small.sets()
        ),
        "drawn": tuple(Drawn("high", number, "test", count, count) for number, count in PLANNED.items()),
        "patients_drawn": {"high": 17},
        "sittings": tuple(sittings),
        "created": Step(make.MONDAY, "Rosa Research"),
        "closed": Step(make.MONDAY + timedelta(days=2), "Clara Coordinator"),
        "unsealed": Step(make.MONDAY + timedelta(days=3), "Rosa Research", "All have read."),
        "is_declared": True,
        "hashes": Hashes(plan="a" * 64, draw="b" * 64, readings="c" * 64),
        "generators": (Run("gan-insert", "generator", "demo", 4, "feed", "beef"), Run("gan-remove", "generator")),
        "classifier": Run("cad-1", "classifier", "demo", 5, "feed", "beef"),
        "software": Software("0.1.0", "d" * 64, {"Python": "3.11.7", "numpy": "2.4.6"}),
        "audits": (Audit(make.MONDAY, True, 74),),
    }
    return Conduct(**{**values, **changes})
