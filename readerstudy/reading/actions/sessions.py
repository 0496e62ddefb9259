"""Open, take over, hold and resume sessions. The server decides the position of a reader."""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotItsTurn
from readerstudy.participation.queries import lacks_consent
from readerstudy.protocol.rules import DisplayCheck
from readerstudy.reading.display_check import STANDS_FOR
from readerstudy.reading.flow import Ask, Done, Held, Practise, Read, Ready, SessionStep, Teach, Wait, next_step
from readerstudy.reading.models import Claim, HoldCause, Reading, ReadingSession, Showing
from readerstudy.reading.place import Place
from readerstudy.reading.queries import (
    ReaderState,
    get_progress,
    get_reading_list,
    has_checked_display,
    number_at,
    reader_state,
)
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, Study


class TakenOver(NotItsTurn):
    """Another page holds the session now."""

    def __init__(self) -> None:
        super().__init__(gettext("You are reading in another window or on another device."))


class StudyPaused(NotItsTurn):
    """The study accepts no readings for a time. A verdict that is refused for this reason can be sent again later."""


class ReaderPaused(StudyPaused):
    """The study accepts no readings of this reader for a time."""


class Withdrawn(NotItsTurn):
    """The reader has been withdrawn from the study."""


class ConsentMissing(NotItsTurn):
    """The reader has not agreed to the newest consent text of the study."""


class SessionHeld(NotItsTurn):
    """Nothing was read for longer than the plan allows; a coordinator has to resume the session."""


def open_session(*, reader: User, study: str, number: int, at: datetime, page: UUID | None = None) -> ReadingList:
    """Open a session. If it is open already, only the page that holds it changes.

    `page`: the browser page of the request; it takes the session over from any other. Raises NotItsTurn with the
    reason if the session cannot be read now, SessionHeld if it is on hold, TakenOver without a page if one holds it.
    """
    reading_list = get_reading_list(reader, study, number)
    if page is None:
        require_newest_page(reading_list, page)
    if isinstance(next_step(get_progress(reading_list), now=at), Done):
        return reading_list
    session = _open(reading_list, reader=reader, page=page, at=at)
    if session.held_at:  # raised after the transaction, which has to store the hold
        raise SessionHeld(hold_message(reading_list, session.held_for))
    return reading_list


@transaction.atomic
def _open(reading_list: ReadingList, *, reader: User, page: UUID | None, at: datetime) -> ReadingSession:
    require_open_study(reading_list)
    _require_consent(reading_list)
    step = next_step(get_progress(reading_list), now=at)
    number = reading_list.session_plan.number
    if isinstance(step, Wait):
        raise NotItsTurn(_reason_to_wait(step, number, number_at(reading_list, reading_list.place - 1)))
    _require_checked_display(reading_list, at=at)
    if isinstance(step, Ready):
        keep_open(reading_list)
        # Two tabs may press Start at once; the unique constraint lets one row in.
        _, is_new = ReadingSession.objects.get_or_create(reading_list=reading_list, defaults={"opened_at": at})
        if is_new:
            record("session.opened", actor=reader, subject=reading_list, at=at, session=number)
            if reading_list.session_plan.total and not reading_list.session_plan.practice_id:
                show(reading_list, position=1, at=at)
    session = locked_session(reading_list)
    assert session is not None  # opened above, or before
    require_open_study(reading_list)
    rested = get_rest(session, at=at)
    hold_if_rested(session, rested, reader=reader, at=at)
    if page and not session.held_at:
        _claim(session, page, rested, reader=reader, at=at)
    return session


def current_step(place: Place, *, at: datetime) -> SessionStep:
    """Return the reader's next step in this session.

    Raises NotItsTurn if the study was closed before its end, StudyPaused if it is paused.
    """
    step = next_step(get_progress(place.reading_list, place.session), now=at)
    if isinstance(step, Read | Teach | Practise | Ask | Held):
        require_open_study(place.reading_list)
    return step


def require_newest_page(reading_list: ReadingList, page: UUID | None) -> None:
    """Raise TakenOver if another page holds the session. A page holds it from its first claim on.

    A request without a page id is answered only in a session that no page has ever claimed: that of a program.
    """
    newest = Claim.objects.filter(session__reading_list=reading_list).order_by("-id").first()
    require_page(page, newest=newest.page if newest else None)


def require_page(page: UUID | None, *, newest: UUID | None) -> None:
    """Raise TakenOver if the page of the newest claim is another one."""
    if newest is not None and newest != page:
        raise TakenOver


@transaction.atomic
def allow_resume(*, session: ReadingSession, actor: User | None, reason: str, at: datetime) -> None:
    """Resume a session that is on hold. Raises BadInput without a reason, NotItsTurn if it is not on hold."""
    if not reason.strip():
        raise BadInput(gettext("Enter a reason for resuming the session. It is stored with the study."))
    held = ReadingSession.objects.filter(pk=session.pk, held_at__isnull=False, finished_at=None)
    if not held.update(held_at=None, held_for="", allowed_at=at):
        raise NotItsTurn(gettext("%(session)s is not on hold.") % {"session": session})
    session.refresh_from_db()
    record("session.allowed", actor=actor, subject=session.reading_list, at=at, reason=reason.strip())


def locked_session(reading_list: ReadingList) -> ReadingSession | None:
    """Return the session of the list, locked with its reader's enrolment for this transaction; None if not opened.

    A reader who is paused or withdrawn at the same moment has either finished this transaction, or is seen as such.
    """
    rows = ReadingSession.objects.select_related("reading_list__enrollment").select_for_update(
        of=("self", "reading_list__enrollment"), no_key=True
    )
    session = rows.filter(reading_list=reading_list).first()
    if session:
        reading_list.enrollment = session.reading_list.enrollment
        session.reading_list = reading_list  # with its plan, which callers need
    return session


def get_rest(session: ReadingSession, *, at: datetime) -> timedelta:
    """Return the time since the current image was shown, or since the session, its study or its reader was resumed.

    After the last image it is the time since its verdict.
    """
    current = Showing.objects.filter(
        presentation__reading_list_id=session.reading_list_id, presentation__position=session.answered + 1
    ).first()
    last = None
    if current is None:
        last = Reading.objects.filter(presentation__reading_list=session.reading_list_id).order_by("-id").first()
    return rest_since(current.at if current else last.answered_at if last else None, session, at=at)


def rest_since(at_image: datetime | None, session: ReadingSession, *, at: datetime) -> timedelta:
    """Return the time since the image, or since the session, its study or its reader was resumed."""
    reading_list = session.reading_list
    resumed = (reading_list.session_plan.study.resumed_at, reading_list.enrollment.resumed_at)
    stamps = (session.opened_at, session.allowed_at, *resumed, at_image)
    return max(at - max(stamp for stamp in stamps if stamp), timedelta(0))


def hold_if_rested(session: ReadingSession, rested: timedelta, *, reader: User, at: datetime) -> None:
    """Put a session on hold if nothing was read for longer than its plan allows."""
    limit = session.reading_list.session_plan.rules.rest_hours
    if session.held_at or session.finished_at or not limit or rested <= timedelta(hours=limit):
        return
    session.held_at, session.held_for = at, HoldCause.REST
    session.save(update_fields=["held_at", "held_for"])
    hours = round(rested.total_seconds() / 3600, 1)
    record("session.held", actor=reader, subject=session.reading_list, at=at, rested_hours=hours, limit_hours=limit)


@transaction.atomic
def stop_for_changed_file(*, reader: User, reading_list: ReadingList, at: datetime) -> None:
    """Put an open session on hold because the file of its current image is not the one that was drawn.

    The event names the reader's position, which tells nothing about the image.
    """
    session = locked_session(reading_list)
    if session is None or session.held_at or session.finished_at:
        return
    session.held_at, session.held_for = at, HoldCause.FILE
    session.save(update_fields=["held_at", "held_for"])
    place = {"session": reading_list.session_plan.number, "position": session.answered + 1}
    record("session.stopped", actor=reader, subject=reading_list, at=at, **place)


def hold_message(reading_list: ReadingList, cause: str) -> str:
    """Return why a session is on hold, in the reader's words."""
    if cause == HoldCause.FILE:
        return gettext(
            "This session is on hold: the file of the image is damaged or was changed, so it is not shown. Ask the "
            "study coordinator to restore it and to resume the session. Nothing you have read is lost."
        )
    return gettext(
        "This session is on hold: nothing was read for longer than the study allows (%(hours)d h). "
        "Ask the study coordinator to resume it. Nothing you have read is lost."
    ) % {"hours": reading_list.session_plan.rules.rest_hours}


def show(reading_list: ReadingList, *, position: int, at: datetime) -> None:
    """Store the time at which this presentation becomes the current one."""
    presentation = Presentation.objects.get(reading_list=reading_list, position=position)
    Showing.objects.get_or_create(presentation=presentation, defaults={"at": at})


def require_open_study(reading_list: ReadingList) -> None:
    """Raise StudyPaused while the study or its reader is paused, NotItsTurn before it begins, once it is closed, and
    for a reader who has been withdrawn."""
    study = reading_list.session_plan.study
    title = {"title": study.title}
    match _state(reading_list, study):
        case "open":
            return
        case "not_begun":
            raise NotItsTurn(gettext("The study %(title)s has not begun.") % title)
        case "paused":
            raise StudyPaused(
                gettext(
                    "The study %(title)s is paused. Nothing you have read is lost. "
                    "You can continue once the study coordinator resumes it."
                )
                % title
            )
        case "reader_paused":
            raise ReaderPaused(
                gettext(
                    "Your readings in the study %(title)s are paused. Nothing you have read is lost. "
                    "You can continue once the study coordinator resumes them."
                )
                % title
            )
        case "withdrawn":
            raise Withdrawn(
                gettext("You no longer take part in the study %(title)s, which accepts no more of your readings.")
                % title
            )
        case "closed":
            raise NotItsTurn(gettext("The study %(title)s is closed and accepts no more readings.") % title)
        case state:
            assert_never(state)


def _state(reading_list: ReadingList, study: Study) -> ReaderState:
    enrollment = reading_list.enrollment
    enrollment.study = study  # the newest that the caller has
    return reader_state(enrollment)


def keep_open(reading_list: ReadingList) -> None:
    """Keep the study open for this transaction, in which its reader begins: unlocking it would remove the list.

    Raises StudyPaused or NotItsTurn if the study is not open any more.
    """
    plan = reading_list.session_plan
    plan.study = Study.objects.select_related("cohort").select_for_update(of=("self",)).get(pk=plan.study_id)
    # Locked as well, so that a reader who is paused or withdrawn meanwhile opens nothing.
    reading_list.enrollment = Enrollment.objects.select_for_update(no_key=True).get(pk=reading_list.enrollment_id)
    require_open_study(reading_list)
    if not ReadingList.objects.filter(pk=reading_list.pk).exists():
        raise NotItsTurn(
            gettext("The study %(title)s was changed. Load this page again.") % {"title": plan.study.title}
        )


def _claim(session: ReadingSession, page: UUID, rested: timedelta, *, reader: User, at: datetime) -> None:
    newest = session.claims.order_by("-id").first()
    if newest and newest.page == page:
        return
    seconds = round(rested.total_seconds())
    Claim.objects.create(session=session, page=page, at=at, rested_s=seconds if newest else None)
    gap = timedelta(minutes=session.reading_list.session_plan.rules.gap_minutes)
    if newest and rested > gap:
        record("session.resumed", actor=reader, subject=session.reading_list, at=at, rested_s=seconds)


def _require_consent(reading_list: ReadingList) -> None:
    if lacks_consent(reading_list.enrollment):
        raise ConsentMissing(
            gettext("The study %(title)s needs your consent before a session. Your start page leads to the text.")
            % {"title": reading_list.session_plan.study.title}
        )


def _require_checked_display(reading_list: ReadingList, *, at: datetime) -> None:
    if not reading_list.session_plan.total or reading_list.session_plan.rules.display_check != DisplayCheck.REQUIRED:
        return
    if not has_checked_display(reading_list, at=at, passed=True):
        raise NotItsTurn(
            gettext("Session %(number)d requires a passed display check. None was passed in the last %(hours)d hours.")
            % {"number": reading_list.session_plan.number, "hours": STANDS_FOR.total_seconds() // 3600}
        )


def _reason_to_wait(step: Wait, number: int, before: int | None) -> str:
    if step.until is None:
        return gettext("Session %(number)d is locked until session %(before)d is done.") % {
            "number": number,
            "before": before,
        }
    until = date_format(localtime(step.until), "DATETIME_FORMAT")
    return gettext("Session %(number)d opens on %(until)s.") % {"number": number, "until": until}
