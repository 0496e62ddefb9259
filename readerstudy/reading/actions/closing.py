"""Store the answers to the questions at the end of a session, once, even if the network repeats or loses requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotItsTurn
from readerstudy.protocol.questions import check_answers
from readerstudy.reading.actions.sessions import get_rest, hold_if_rested, require_newest_page, require_open_study
from readerstudy.reading.actions.verdicts import MAX_ELAPSED_MS, NotCurrent
from readerstudy.reading.models import ClosingAnswers, ReadingSession
from readerstudy.reading.queries import get_reading_list


@dataclass(frozen=True)
class SubmittedAnswers:
    """Answers as they were sent. `key`: made by the browser, the same in every attempt to send them."""

    answers: Mapping[str, Any]
    elapsed_ms: int
    key: UUID
    page: UUID | None = None  # the browser page that sends them


@dataclass(frozen=True)
class StoredAnswers:
    """The receipt of stored answers. `is_new` is False if they were stored before."""

    receipt: UUID
    is_new: bool


@transaction.atomic
def record_closing_answers(
    *, reader: User, study: str, number: int, submitted: SubmittedAnswers, at: datetime
) -> StoredAnswers:
    """Store the answers and finish the session; the same key again returns the same receipt.

    Raises NotCurrent if they were answered under another key, NotItsTurn before the last image or if the session or
    the study is not open, TakenOver if another page holds the session, BadInput for an answer that is not possible.
    """
    reading_list = get_reading_list(reader, study, number)
    session = ReadingSession.objects.select_for_update().filter(reading_list=reading_list).first()
    if session is None:
        raise NotItsTurn(_("Session %(number)d has not been opened.") % {"number": number})
    session.reading_list = reading_list  # with its plan
    earlier = ClosingAnswers.objects.filter(session=session).first()
    if earlier and earlier.key == submitted.key:
        return StoredAnswers(earlier.receipt, is_new=False)
    require_open_study(reading_list)
    require_newest_page(reading_list, submitted.page)
    plan = reading_list.session_plan
    if earlier or session.finished_at:
        raise NotCurrent(_("These questions are answered already, perhaps in another window."))
    if not plan.closing_questions or session.answered < plan.total:
        raise NotItsTurn(_("These questions come after the last image."))
    if not 0 <= submitted.elapsed_ms <= MAX_ELAPSED_MS:
        raise BadInput(f"elapsed_ms must be between 0 and {MAX_ELAPSED_MS}.")
    stored = _store(session, submitted, at=at)
    hold_if_rested(session, get_rest(session, at=at), reader=reader, at=at)
    session.finished_at = at
    session.save(update_fields=["finished_at"])
    record("session.finished", actor=reader, subject=reading_list, at=at, session=number)
    return StoredAnswers(stored.receipt, is_new=True)


def _store(session: ReadingSession, submitted: SubmittedAnswers, *, at: datetime) -> ClosingAnswers:
    answers = check_answers(session.reading_list.session_plan.closing_questions, "", submitted.answers)
    try:
        with transaction.atomic():
            return ClosingAnswers.objects.create(
                session=session,
                answers=answers,
                elapsed_ms=submitted.elapsed_ms,
                answered_at=at,
                key=submitted.key,
            )
    except IntegrityError as error:
        # Everything else was checked under the session's lock: another session has answers with this key.
        raise BadInput("The key of these answers was used before; send answers under a key of their own.") from error
