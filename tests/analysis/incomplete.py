"""A study of six readers, of whom R4 stopped after session 1 and R5 before session 5."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np

from readerstudy.analysis.record.conduct import GradeCounts, ReaderSession
from readerstudy.analysis.record.study import StudyRecord
from tests import make
from tests.analysis import conducted, crowd, small
from tests.analysis.long_readings import LongReadings

READERS = tuple(f"R{number}" for number in range(1, 7))
LAST_SESSION = {"R4": 1, "R5": 4}  # of all others: 5
IMAGES = 40


def has_read(reader: str, session: int) -> bool:
    return session <= LAST_SESSION.get(reader, 5)


@cache
def record() -> StudyRecord:
    rng = np.random.default_rng(7)
    rows = [
        crowd.row(rng, reader, session, place)
        for reader in READERS
        for session in small.SHOWN
        if has_read(reader, session)
        for place in range(1, IMAGES + 1)
    ]
    sets = tuple(
        replace(each, planned=IMAGES, drawn=dict.fromkeys(each.drawn, IMAGES // len(each.drawn)))
        for each in small.image_sets()
    )
    sessions = tuple(_session(reader, session) for reader in READERS for session in small.SHOWN)
    return small.record(
        readings=LongReadings.of(rows),
        readers=dict.fromkeys(READERS, "high"),
        image_sets=sets,
        conduct=conducted.conduct(reader_sessions=sessions),
        attack=small.attack(),
    )


def _session(reader: str, session: int) -> ReaderSession:
    begun = make.MONDAY + timedelta(days=7 * session)
    if not has_read(reader, session):
        return ReaderSession(reader, "high", session, IMAGES, 0, 0)
    return ReaderSession(
        reader,
        "high",
        session,
        IMAGES,
        IMAGES,
        IMAGES,
        GradeCounts(a=IMAGES),
        opened_at=begun,
        finished_at=begun + timedelta(hours=2),
    )
