"""The progress of the readers of one study, without their verdicts: one query, whatever was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from statistics import median

from django.db import connection

from readerstudy.accounts.models import User
from readerstudy.participation.models import Consent, ConsentText, ReaderRules
from readerstudy.participation.queries import ConsentState, consent_state
from readerstudy.protocol.rules import SessionRules
from readerstudy.reading.models import CheckedDisplay, Claim, Reading, ReadingSession, Showing
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, SessionPlan, Study

DEFAULT = ReaderRules()

RECENT = 20  # readings that pace is computed from

# The current image of a list is at the position after the last answer, so both joins of it are index look-ups.
# `last_ms`: the times of the last readings, the newest first; `waits`: how many of them waited for the network.
_ROWS = f"""
SELECT list.id, enrollment.id, enrollment.code, person.first_name, person.last_name, person.username,
       enrollment.paused_at, enrollment.withdrawn_at, replacement.code,
       coalesce(rules.consent_required, true) AND newest.version IS NOT NULL, newest.version, consent.version,
       coalesce(rules.quick_ms, {DEFAULT.quick_ms}), coalesce(rules.quick_run, {DEFAULT.quick_run}),
       plan.number, plan.total, CASE WHEN list.washout_waived_at IS NULL THEN list.washout_days ELSE 0 END,
       session.id, session.answered, session.opened_at, session.finished_at, session.held_at,
       showing.at, pace.last_ms, pace.waits, breaks.count, display.passed
FROM {ReadingList._meta.db_table} list
JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = list.enrollment_id
JOIN {User._meta.db_table} person ON person.id = enrollment.reader_id
JOIN {SessionPlan._meta.db_table} plan ON plan.id = list.session_plan_id
LEFT JOIN {Enrollment._meta.db_table} replacement ON replacement.replaces_id = enrollment.id
LEFT JOIN {ReaderRules._meta.db_table} rules ON rules.study_id = enrollment.study_id
LEFT JOIN (
    SELECT max(version) AS version FROM {ConsentText._meta.db_table} WHERE study_id = %(study)s
) newest ON true
LEFT JOIN LATERAL (
    SELECT max(agreed.version) AS version FROM {Consent._meta.db_table} given
    JOIN {ConsentText._meta.db_table} agreed ON agreed.id = given.text_id
    WHERE given.enrollment_id = enrollment.id
) consent ON true
LEFT JOIN {ReadingSession._meta.db_table} session ON session.reading_list_id = list.id
LEFT JOIN {Presentation._meta.db_table} shown
       ON shown.reading_list_id = list.id AND shown.position = session.answered + 1
LEFT JOIN {Showing._meta.db_table} showing ON showing.presentation_id = shown.id
LEFT JOIN LATERAL (
    SELECT array_agg(reading.elapsed_ms ORDER BY recent.position DESC) AS last_ms,
           count(*) FILTER (WHERE reading.quality_reasons ? 'waited') AS waits
    FROM {Presentation._meta.db_table} recent
    JOIN {Reading._meta.db_table} reading ON reading.presentation_id = recent.id
    WHERE recent.reading_list_id = list.id AND recent.position <= session.answered
      AND recent.position > session.answered - greatest({RECENT}, coalesce(rules.quick_run, {DEFAULT.quick_run}))
) pace ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS count FROM {Claim._meta.db_table} claim
    WHERE claim.session_id = session.id
      AND claim.rested_s > 60 * coalesce((plan.rules_data->>'gap_minutes')::int, {SessionRules().gap_minutes})
) breaks ON true
LEFT JOIN LATERAL (
    SELECT checked.passed FROM {CheckedDisplay._meta.db_table} checked
    WHERE checked.reading_list_id = list.id ORDER BY checked.id DESC LIMIT 1
) display ON true
WHERE enrollment.study_id = %(study)s
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
    """One reader in one session. `pace_s` is the median time of the last readings, in seconds.

    `waits` counts those of them that waited for the network, `breaks` the returns after a longer gap.
    """

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
    waits: int
    breaks: int


@dataclass(frozen=True)
class ReaderProgress:
    """One reader in a study. `last_seen` is when the current image was shown, or the last session ended."""

    number: int  # key of the enrolment
    code: str
    name: str
    sessions: tuple[ReaderSession, ...]
    last_seen: datetime | None
    consent: ConsentState
    lacks_consent: bool  # and therefore opens no session
    paused_at: datetime | None
    withdrawn_at: datetime | None
    replaced_by: str  # code of the replacement, may be empty

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
        cursor.execute(_ROWS, {"study": study.pk})
        rows = [_Row(*row) for row in cursor.fetchall()]
    return [_reader(code, list(of_reader), at=at) for code, of_reader in groupby(rows, lambda row: row.code)]


@dataclass(frozen=True)
class _Row:
    list_id: int
    enrollment: int
    code: str
    first_name: str
    last_name: str
    username: str
    paused_at: datetime | None
    withdrawn_at: datetime | None
    replaced_by: str | None
    needs_consent: bool
    newest_version: int | None
    agreed_version: int | None
    quick_ms: int
    quick_run: int
    number: int
    total: int
    washout_days: int
    session: int | None
    answered: int | None
    opened_at: datetime | None
    finished_at: datetime | None
    held_at: datetime | None
    shown_at: datetime | None
    last_ms: list[int] | None
    waits: int
    breaks: int
    passed: bool | None


def _reader(code: str, rows: list[_Row], *, at: datetime) -> ReaderProgress:
    sessions = []
    previous: _Row | None = None
    for row in rows:
        sessions.append(_session(row, previous, at=at))
        previous = row
    stamps = [stamp for row in rows for stamp in (row.opened_at, row.shown_at, row.finished_at) if stamp]
    first = rows[0]
    consent = consent_state(newest=first.newest_version, agreed=first.agreed_version)
    return ReaderProgress(
        number=first.enrollment,
        code=code,
        name=f"{first.first_name} {first.last_name}".strip() or first.username,
        sessions=tuple(sessions),
        last_seen=max(stamps, default=None),
        consent=consent,
        lacks_consent=first.needs_consent and consent != ConsentState.GIVEN,
        paused_at=first.paused_at,
        withdrawn_at=first.withdrawn_at,
        replaced_by=first.replaced_by or "",
    )


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
        pace_s=median(row.last_ms[:RECENT]) / 1000 if row.last_ms else None,
        is_too_quick=_longest_run(row.last_ms or [], below=row.quick_ms) >= row.quick_run,
        display_failed=row.passed is False and row.finished_at is None,
        waits=row.waits,
        breaks=row.breaks,
    )


def _longest_run(times: Sequence[int], *, below: int) -> int:
    """Return the length of the longest run of times below a limit."""
    runs = (len(list(run)) for is_quick, run in groupby(times, lambda elapsed: elapsed < below) if is_quick)
    return max(runs, default=0)


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
