"""Storing verdicts: each once, on the current presentation only, whatever the network does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotItsTurn
from readerstudy.reading.actions.sessions import hold_if_rested, require_newest_page, require_open_study, rest_of, show
from readerstudy.reading.models import Reading, ReadingSession, Showing
from readerstudy.reading.queries import reading_list_of
from readerstudy.reading.timing_grade import grade
from readerstudy.studies.models import Presentation, ReadingList
from readerstudy.studies.protocol import ASKED, SessionKind, Verdict
from readerstudy.studies.rules import check_answers

LONGEST_MS = 24 * 3600 * 1000
PARADATA_KEYS = 64


class NotCurrent(NotItsTurn):
    """A verdict on something that is not, or no longer, the current image."""


@dataclass(frozen=True)
class Answer:
    """A verdict as it came in: what, on which presentation, after how long, under the browser's key."""

    code: str
    verdict: Verdict
    elapsed_ms: int
    key: UUID
    paradata: dict[str, Any]
    answers: Mapping[str, Any] = field(default_factory=dict)
    page: UUID | None = None  # the browser page that sends it


@dataclass(frozen=True)
class Accepted:
    """The stored reading, none for practice; `is_new` is False when the same verdict came a second time."""

    reading: Reading | None
    is_new: bool


def record_verdict(*, reader: User, study: str, number: int, answer: Answer, at: datetime) -> Accepted:
    """Store one verdict on the current presentation, once.

    The same key again gives the same reading back. Anything that is not the current presentation, or has been
    answered under another key, raises NotCurrent; a page that another has taken over from, TakenOver; a verdict or
    an answer that the session does not ask for, BadInput.
    """
    reading_list = reading_list_of(reader, study, number)
    try:
        return _record(reading_list, answer, reader=reader, at=at)
    except IntegrityError as error:
        # Only a key that another reading already carries gets here: everything else is checked under the lock.
        raise BadInput("The key of this verdict was used before; send each verdict under a key of its own.") from error


@transaction.atomic
def _record(reading_list: ReadingList, answer: Answer, *, reader: User, at: datetime) -> Accepted:
    _require_asked(reading_list, answer)
    session = ReadingSession.objects.select_for_update().filter(reading_list=reading_list).first()
    if session is None:
        number = reading_list.session_plan.number
        raise NotItsTurn(_("Session %(number)d has not been opened.") % {"number": number})
    session.reading_list = reading_list  # with its plan: asked for at every turn
    earlier = Reading.objects.filter(key=answer.key, presentation__reading_list=reading_list).first()
    if earlier:
        if earlier.presentation.code != answer.code or earlier.verdict != answer.verdict:
            raise NotCurrent(_("This key belongs to another verdict."))
        return Accepted(earlier, is_new=False)
    require_open_study(reading_list)
    require_newest_page(reading_list, answer.page)
    if answer.code == session.practice_code and reading_list.session_plan.practice_id:
        return _practise(session, answer, reader=reader, at=at)
    presentation = _current(reading_list, session)
    if presentation is None or presentation.code != answer.code:
        raise NotCurrent(_("This image is not the current one; it may have been answered in another window."))
    rested = rest_of(session, at=at)
    reading = _store(presentation, answer, at=at)
    _advance(session, reader=reader, at=at)
    hold_if_rested(session, rested, reader=reader, at=at)
    return Accepted(reading, is_new=True)


def _store(presentation: Presentation, answer: Answer, *, at: datetime) -> Reading:
    plan, stimulus = presentation.reading_list.session_plan, presentation.stimulus
    rules = plan.rules
    shown_at = _shown_at(presentation, at=at)
    quality = grade(
        elapsed_ms=answer.elapsed_ms,
        server_ms=round((at - shown_at).total_seconds() * 1000),
        paradata=answer.paradata,
        after_gap=at - shown_at > timedelta(minutes=rules.gap_minutes),
    )
    return Reading.objects.create(
        presentation=presentation,
        verdict=answer.verdict,
        elapsed_ms=answer.elapsed_ms,
        shown_at=shown_at,
        answered_at=at,
        key=answer.key,
        answers=check_answers(
            rules.questions, answer.verdict, answer.answers, width=stimulus.columns, height=stimulus.rows
        ),
        paradata=answer.paradata,
        quality=quality.grade,
        quality_reasons=list(quality.reasons),
    )


def _practise(session: ReadingSession, answer: Answer, *, reader: User, at: datetime) -> Accepted:
    """The practice is over; its verdict is checked like any other and kept nowhere."""
    if session.practised_at:
        return Accepted(None, is_new=False)
    plan = session.reading_list.session_plan
    assert plan.practice  # the caller looked
    size = {"width": plan.practice.columns, "height": plan.practice.rows}
    check_answers(plan.rules.questions, answer.verdict, answer.answers, **size)
    session.practised_at = at
    session.save(update_fields=["practised_at"])
    record("session.practised", actor=reader, subject=session.reading_list, at=at, session=plan.number)
    show(session.reading_list, position=1, at=at)
    return Accepted(None, is_new=True)


def _advance(session: ReadingSession, *, reader: User, at: datetime) -> None:
    """Move to the next presentation, or finish. One UPDATE, so that the trigger sees a finished row only once."""
    total = session.reading_list.session_plan.total
    session.answered += 1
    if session.answered >= total:
        session.finished_at = at
    session.save(update_fields=["answered", "finished_at"])
    if session.finished_at:
        record(
            "session.finished",
            actor=reader,
            subject=session.reading_list,
            at=at,
            session=session.reading_list.session_plan.number,
        )
    else:
        show(session.reading_list, position=session.answered + 1, at=at)


def _current(reading_list: ReadingList, session: ReadingSession) -> Presentation | None:
    if session.reading_list.session_plan.practice_id and not session.practised_at:
        return None
    return (
        Presentation.objects.filter(reading_list=reading_list, position=session.answered + 1)
        .select_related("stimulus", "reading_list__session_plan")
        .first()
    )


def _shown_at(presentation: Presentation, *, at: datetime) -> datetime:
    # The clock of the machine may have been set back between the two stamps.
    return min(Showing.objects.get(presentation=presentation).at, at)


def _require_asked(reading_list: ReadingList, answer: Answer) -> None:
    asked = ASKED[SessionKind(reading_list.session_plan.kind)]
    if answer.verdict not in asked:
        raise BadInput(f"verdict must be one of: {', '.join(asked)}.")
    if not 0 <= answer.elapsed_ms <= LONGEST_MS:
        raise BadInput(f"elapsed_ms must be between 0 and {LONGEST_MS}.")
    if len(answer.paradata) > PARADATA_KEYS:
        raise BadInput(f"paradata has {len(answer.paradata)} entries; {PARADATA_KEYS} are the most.")
