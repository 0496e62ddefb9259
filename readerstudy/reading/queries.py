"""Queries for a reader's pages and API: plain values about the reader's own sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, assert_never

from django.db.models import QuerySet
from django.utils.translation import gettext

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Stimulus
from readerstudy.errors import StudyError
from readerstudy.prepared import Given, PreparedQuery
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.display_check import STANDS_FOR
from readerstudy.reading.flow import (
    Ask,
    Done,
    Held,
    Practice,
    Practise,
    Progress,
    Read,
    Ready,
    SessionStep,
    Teach,
    Wait,
    next_step,
)
from readerstudy.reading.forms import form_of
from readerstudy.reading.minutes import Pace, minutes_for, own_paces
from readerstudy.reading.models import CheckedDisplay, HoldCause, ReadingSession
from readerstudy.studies.lifecycle import StudyStatus
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, SessionPlan, Study

State = Literal["waiting", "open", "under_way", "done"]
# What a study's status means for its readers.
StudyState = Literal["not_begun", "open", "paused", "closed"]
# The same for one reader, who may be paused or withdrawn.
ReaderState = Literal["not_begun", "open", "paused", "closed", "reader_paused", "withdrawn"]


# How many images after the current one a browser may fetch, so that a reader on a slow line does not wait for them.
IMAGES_AHEAD: Final = 2

# What is long in a session plan and its study, and needed by no step.
LONG: Final = ("instructions", "texts", "study__protocol_data", "study__plan")


class NoSuchSession(StudyError):
    """The reader is not enrolled in the study, or the study has no such session."""


@dataclass(frozen=True)
class SessionSummary:
    """One session in the reader's list."""

    number: int
    title: str
    kind: str
    state: State
    answered: int
    total: int
    waits_until: datetime | None
    before: int | None  # the number of the session that the reader reads before it
    minutes: int  # that its images take which are left


@dataclass(frozen=True)
class StudySummary:
    """One study in the reader's list."""

    code: str
    title: str
    form: str  # of all its images
    state: ReaderState
    sessions: list[SessionSummary]


def study_state(study: Study) -> StudyState:
    """Return what the study's status means for its readers."""
    match StudyStatus(study.status):
        case StudyStatus.DRAFT | StudyStatus.REHEARSED | StudyStatus.LOCKED:
            return "not_begun"
        case StudyStatus.OPEN:
            return "open"
        case StudyStatus.PAUSED:
            return "paused"
        case StudyStatus.CLOSED | StudyStatus.UNSEALED | StudyStatus.ARCHIVED:
            return "closed"
        case status:
            assert_never(status)


def reader_state(enrollment: Enrollment) -> ReaderState:
    """Return what the study's status and the reader's own participation mean for the reader."""
    if enrollment.withdrawn_at:
        return "withdrawn"
    state = study_state(enrollment.study)
    return "reader_paused" if enrollment.paused_at and state == "open" else state


def get_reading_list(reader: User, study: str, number: int) -> ReadingList:
    """Return the reader's list of this session. Raises NoSuchSession."""
    reading_list = (
        ReadingList.objects.filter(
            enrollment__reader=reader, session_plan__study__code=study, session_plan__number=number
        )
        .select_related("session_plan__study__cohort", "session_plan__practice__image", "enrollment")
        .first()
    )
    if reading_list is None:
        raise no_such_session(study, number)
    return reading_list


def no_such_session(study: str, number: int) -> NoSuchSession:
    """Return the error of a session that the reader does not have."""
    sentence = gettext("You have no session %(number)d in a study %(study)s.")
    return NoSuchSession(sentence % {"number": number, "study": study})


def get_progress(reading_list: ReadingList, session: ReadingSession | None = None) -> Progress:
    """Return the reader's progress in this session. `session`: the opened one, if the caller has it."""
    if session is not None:
        return _progress(reading_list, {reading_list.place: session})
    sessions = {
        session.reading_list.place: session
        for session in ReadingSession.objects.filter(
            reading_list__enrollment=reading_list.enrollment,
            reading_list__place__in=(reading_list.place, reading_list.place - 1),
        ).select_related("reading_list__session_plan")
    }
    return _progress(reading_list, sessions)


def _progress(reading_list: ReadingList, sessions: dict[int, ReadingSession]) -> Progress:
    plan, place = reading_list.session_plan, reading_list.place
    current, previous = sessions.get(place), sessions.get(place - 1)
    return Progress(
        number=plan.number,
        place=place,
        total=plan.total,
        answered=current.answered if current else 0,
        is_open=current is not None,
        previous_finished_at=previous.finished_at if previous else None,
        washout=reading_list.washout,
        teaches=plan.kind == SessionKind.EDUCATION,
        practice=_practice(plan, current),
        held_for=(current.held_for or HoldCause.REST) if current and current.held_at else "",
        asks_at_end=bool(plan.closing_questions) and not (current and current.finished_at),
    )


def _practice(plan: SessionPlan, session: ReadingSession | None) -> Practice | None:
    if session is None or session.practised_at or plan.practice is None:
        return None
    return Practice(session.practice_code, plan.practice)


def has_checked_display(reading_list: ReadingList, *, at: datetime, passed: bool | None = None) -> bool:
    """Return whether a display check of this session is still valid. `passed`: count only checks that passed."""
    checks = CheckedDisplay.objects.filter(reading_list=reading_list, at__gt=at - STANDS_FOR)
    return checks.filter(passed=True).exists() if passed else checks.exists()


def list_studies(reader: User, *, at: datetime) -> list[StudySummary]:
    """Return the reader's studies with their sessions, in the order of creation."""
    enrollments = (
        Enrollment.objects.filter(reader=reader)
        .select_related("study__cohort")
        .prefetch_related("reading_lists__session_plan__practice")
        .order_by("study__created_at", "study_id")
    )
    sessions: dict[int, dict[int, ReadingSession]] = {}
    for session in ReadingSession.objects.filter(reading_list__enrollment__reader=reader).select_related(
        "reading_list__session_plan"
    ):
        by_place = sessions.setdefault(session.reading_list.enrollment_id, {})
        by_place[session.reading_list.place] = session
    paces = own_paces(reader)
    return [
        StudySummary(
            code=enrollment.study.code,
            title=enrollment.study.title,
            form=form_of(enrollment.study).name,
            state=reader_state(enrollment),
            sessions=_summaries(
                list(enrollment.reading_lists.all()), sessions.get(enrollment.pk, {}), paces=paces, at=at
            ),
        )
        for enrollment in enrollments
    ]


def _summaries(
    lists: list[ReadingList], sessions: dict[int, ReadingSession], *, paces: Mapping[Pace, float], at: datetime
) -> list[SessionSummary]:
    """Return the summaries of a reader's sessions, in the order in which they are read."""
    numbers = {reading_list.place: reading_list.session_plan.number for reading_list in lists}
    return [
        _summary(
            reading_list,
            _progress(reading_list, sessions),
            before=numbers.get(reading_list.place - 1),
            paces=paces,
            at=at,
        )
        for reading_list in lists
    ]


def number_at(reading_list: ReadingList, place: int) -> int | None:
    """Return the number of the session that the same reader has at another place; None if there is none."""
    lists = ReadingList.objects.filter(enrollment=reading_list.enrollment_id, place=place)
    return lists.values_list("session_plan__number", flat=True).first()


def get_session_summary(reading_list: ReadingList, *, at: datetime) -> SessionSummary:
    """Return the summary of one session of one reader."""
    before = number_at(reading_list, reading_list.place - 1)
    paces = own_paces(reading_list.enrollment.reader)
    return _summary(reading_list, get_progress(reading_list), before=before, paces=paces, at=at)


def _summary(
    reading_list: ReadingList, progress: Progress, *, before: int | None, paces: Mapping[Pace, float], at: datetime
) -> SessionSummary:
    step, plan = next_step(progress, now=at), reading_list.session_plan
    left = max(0, progress.total - progress.answered)
    return SessionSummary(
        number=progress.number,
        title=plan.said_title,
        kind=plan.kind,
        state=_state(step),
        answered=progress.answered,
        total=progress.total,
        waits_until=step.until if isinstance(step, Wait) else None,
        before=before,
        minutes=minutes_for(left, plan, enrollment=reading_list.enrollment_id, paces=paces),
    )


def _state(step: SessionStep) -> State:
    match step:
        case Wait():
            return "waiting"
        case Ready():
            return "open"
        case Held() | Practise() | Read() | Teach() | Ask():
            return "under_way"
        case Done():
            return "done"
        case _:
            assert_never(step)


def _visible() -> QuerySet[Presentation]:
    return (
        Presentation.objects.filter(
            code=Given("code"),
            reading_list__enrollment__reader=Given("reader"),
            reading_list__session_plan__study__code=Given("study"),
            reading_list__session_plan__study__status=StudyStatus.OPEN,
            reading_list__enrollment__withdrawn_at=None,
            reading_list__enrollment__paused_at=None,
            reading_list__session__isnull=False,
            reading_list__session__finished_at=None,
        )
        .select_related("stimulus", "reading_list__session", "reading_list__session_plan__study")
        .defer(*(f"reading_list__session_plan__{name}" for name in LONG))
    )


_VISIBLE: Final = PreparedQuery(_visible)


def visible_presentation(reader: User, study: str, code: str) -> Presentation | None:
    """Return the presentation with this code if it is the reader's current one in an open session or one of the next.

    The next are as many as a step names: `IMAGES_AHEAD`, counted from the practice image while that is current.
    """
    presentation = _VISIBLE.first(reader=reader.pk, study=study, code=code)
    if presentation is None:
        return None
    session = presentation.reading_list.session
    practises = presentation.reading_list.session_plan.practice_id and not session.practised_at
    ahead = presentation.position - session.answered - (0 if practises else 1)
    return presentation if 0 <= ahead <= IMAGES_AHEAD else None


def visible_practice(reader: User, study: str, code: str) -> Stimulus | None:
    """Return the practice image with this code while it is the reader's current image."""
    session = (
        ReadingSession.objects.filter(
            practice_code=code,
            practised_at=None,
            reading_list__enrollment__reader=reader,
            reading_list__session_plan__study__code=study,
            reading_list__session_plan__study__status=StudyStatus.OPEN,
            reading_list__enrollment__withdrawn_at=None,
            reading_list__enrollment__paused_at=None,
        )
        .select_related("reading_list__session_plan__practice")
        .first()
    )
    return session.reading_list.session_plan.practice if session else None
