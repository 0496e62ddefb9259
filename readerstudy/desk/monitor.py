"""The progress of the readers of one study, without their verdicts: one query, whatever was read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from django.db import connection

from readerstudy.accounts.models import User
from readerstudy.reading.models import CheckedDisplay, Reading, ReadingSession, Showing
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, SessionPlan, Study

RECENT = 20  # readings that pace is computed from
QUICK_MS = 1000  # nobody judges an image faster
QUICK_SHARE = 0.5
FEWEST = 10  # readings before a pace is judged

# The current image of a list is at the position after the last answer, so both joins below are index look-ups.
_ROWS = f"""
SELECT list.id, enrollment.code, person.first_name, person.last_name, person.username, plan.number, plan.total,
       list.washout_days, session.id, session.answered, session.opened_at, session.finished_at, session.held_at,
       showing.at, pace.median_ms, pace.readings, pace.quick, display.passed
FROM {ReadingList._meta.db_table} list
JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = list.enrollment_id
JOIN {User._meta.db_table} person ON person.id = enrollment.reader_id
JOIN {SessionPlan._meta.db_table} plan ON plan.id = list.session_plan_id
LEFT JOIN {ReadingSession._meta.db_table} session ON session.reading_list_id = list.id
LEFT JOIN {Presentation._meta.db_table} shown
       ON shown.reading_list_id = list.id AND shown.position = session.answered + 1
LEFT JOIN {Showing._meta.db_table} showing ON showing.presentation_id = shown.id
LEFT JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY reading.elapsed_ms) AS median_ms, count(*) AS readings,
           count(*) FILTER (WHERE reading.elapsed_ms < {QUICK_MS}) AS quick
    FROM {Presentation._meta.db_table} recent
    JOIN {Reading._meta.db_table} reading ON reading.presentation_id = recent.id
    WHERE recent.reading_list_id = list.id
      AND recent.position BETWEEN session.answered - {RECENT - 1} AND session.answered
) pace ON true
LEFT JOIN LATERAL (
    SELECT checked.passed FROM {CheckedDisplay._meta.db_table} checked
    WHERE checked.reading_list_id = list.id ORDER BY checked.id DESC LIMIT 1
) display ON true
WHERE enrollment.study_id = %s
ORDER BY enrollment.id, list.place
"""


class SessionState(StrEnum):
    """How far a reader is in a session."""

    LOCKED = "locked"  # the session before is not finished
    WASHOUT = "washout"
    READY = "ready"
    READING = "reading"
    HELD = "held"
    DONE = "done"


@dataclass(frozen=True)
class ReaderSession:
    """One reader in one session. `pace_s` is the median time of the last readings, in seconds."""

    number: int
    state: SessionState
    answered: int
    total: int
    session: int | None  # key of the reading session, to resume it
    finished_at: datetime | None
    opens_at: datetime | None  # while the washout lasts
    pace_s: float | None
    is_too_quick: bool
    display_failed: bool


@dataclass(frozen=True)
class ReaderProgress:
    """One reader in a study. `last_seen` is when the current image was shown, or the last session ended."""

    code: str
    name: str
    sessions: tuple[ReaderSession, ...]
    last_seen: datetime | None

    @property
    def answered(self) -> int:
        return sum(each.answered for each in self.sessions)

    @property
    def total(self) -> int:
        return sum(each.total for each in self.sessions)

    @property
    def has_begun(self) -> bool:
        return any(each.session for each in self.sessions)


def readers_of(study: Study, *, at: datetime) -> list[ReaderProgress]:
    """Return the progress of every enrolled reader, in the order of enrolment."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [study.pk])
        rows = [_Row(*row) for row in cursor.fetchall()]
    return [_reader(code, list(of_reader), at=at) for code, of_reader in groupby(rows, lambda row: row.code)]


@dataclass(frozen=True)
class _Row:
    list_id: int
    code: str
    first_name: str
    last_name: str
    username: str
    number: int
    total: int
    washout_days: int
    session: int | None
    answered: int | None
    opened_at: datetime | None
    finished_at: datetime | None
    held_at: datetime | None
    shown_at: datetime | None
    median_ms: float | None
    readings: int
    quick: int
    passed: bool | None


def _reader(code: str, rows: list[_Row], *, at: datetime) -> ReaderProgress:
    sessions = []
    previous: _Row | None = None
    for row in rows:
        sessions.append(_session(row, previous, at=at))
        previous = row
    stamps = [stamp for row in rows for stamp in (row.opened_at, row.shown_at, row.finished_at) if stamp]
    name = f"{rows[0].first_name} {rows[0].last_name}".strip() or rows[0].username
    return ReaderProgress(code, name, tuple(sessions), max(stamps, default=None))


def _session(row: _Row, previous: _Row | None, *, at: datetime) -> ReaderSession:
    opens_at = None
    if previous and previous.finished_at and row.session is None:
        due = previous.finished_at + timedelta(days=row.washout_days)
        opens_at = due if due > at else None
    return ReaderSession(
        number=row.number,
        state=_state(row, previous, opens_at),
        answered=row.answered or 0,
        total=row.total,
        session=row.session,
        finished_at=row.finished_at,
        opens_at=opens_at,
        pace_s=None if row.median_ms is None else row.median_ms / 1000,
        is_too_quick=row.readings >= FEWEST and row.quick >= QUICK_SHARE * row.readings,
        display_failed=row.passed is False and row.finished_at is None,
    )


def _state(row: _Row, previous: _Row | None, opens_at: datetime | None) -> SessionState:
    if row.finished_at:
        return SessionState.DONE
    if row.held_at:
        return SessionState.HELD
    if row.session:
        return SessionState.READING
    if previous and not previous.finished_at:
        return SessionState.LOCKED
    return SessionState.WASHOUT if opens_at else SessionState.READY
