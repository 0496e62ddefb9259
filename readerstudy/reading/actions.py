"""What a reader can do: open a session, see where they are, give a verdict. The server owns the position."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotItsTurn
from readerstudy.reading.flow import Read, Ready, Step, Teach, Wait, next_step
from readerstudy.reading.models import Reading, ReadingSession, Showing
from readerstudy.reading.pages import progress_of, reading_list_of
from readerstudy.studies.models import Presentation, ReadingList, StudyStatus
from readerstudy.studies.protocol import ASKED, SessionKind, Verdict

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


@dataclass(frozen=True)
class Accepted:
    """The stored reading; `is_new` is False when the same verdict came a second time."""

    reading: Reading
    is_new: bool


@transaction.atomic
def open_session(*, reader: User, study: str, number: int, at: datetime) -> ReadingList:
    """Open a session when it is its turn; opening an open one changes nothing.

    Raises NotItsTurn with the reason otherwise.
    """
    reading_list = reading_list_of(reader, study, number)
    _require_open_study(reading_list)
    step = next_step(progress_of(reading_list), now=at)
    if isinstance(step, Wait):
        raise NotItsTurn(_reason_to_wait(step, number))
    if isinstance(step, Ready):
        # Two tabs may press Start at once; the unique constraint lets one row in.
        _, is_new = ReadingSession.objects.get_or_create(reading_list=reading_list, defaults={"opened_at": at})
        if is_new:
            _show(reading_list, position=1, at=at)
            record("session.opened", actor=reader, subject=reading_list, at=at, session=number)
    return reading_list


def current_step(reading_list: ReadingList, *, at: datetime) -> Step:
    """The reader's next step in this session; raises NotItsTurn where the study was closed before its end."""
    step = next_step(progress_of(reading_list), now=at)
    if isinstance(step, Read | Teach):
        _require_open_study(reading_list)
    return step


def record_verdict(*, reader: User, study: str, number: int, answer: Answer, at: datetime) -> Accepted:
    """Store one verdict on the current presentation, once.

    The same key again gives the same reading back. Anything that is not the current presentation, or has been
    answered under another key, raises NotCurrent; a verdict that the session does not ask for raises BadInput.
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
        raise NotItsTurn(f"Session {reading_list.session_plan.number} has not been opened.")
    earlier = Reading.objects.filter(key=answer.key, presentation__reading_list=reading_list).first()
    if earlier:
        if earlier.presentation.code != answer.code or earlier.verdict != answer.verdict:
            raise NotCurrent("This key belongs to another verdict.")
        return Accepted(earlier, is_new=False)
    _require_open_study(reading_list)
    presentation = _current(reading_list, session)
    if presentation is None or presentation.code != answer.code:
        raise NotCurrent("This image is not the current one; it may have been answered in another window.")
    reading = Reading.objects.create(
        presentation=presentation,
        verdict=answer.verdict,
        elapsed_ms=answer.elapsed_ms,
        shown_at=_shown_at(presentation, at=at),
        answered_at=at,
        key=answer.key,
        paradata=answer.paradata,
    )
    _advance(session, reader=reader, at=at)
    return Accepted(reading, is_new=True)


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
        _show(session.reading_list, position=session.answered + 1, at=at)


def _current(reading_list: ReadingList, session: ReadingSession) -> Presentation | None:
    return Presentation.objects.filter(reading_list=reading_list, position=session.answered + 1).first()


def _show(reading_list: ReadingList, *, position: int, at: datetime) -> None:
    presentation = Presentation.objects.get(reading_list=reading_list, position=position)
    Showing.objects.get_or_create(presentation=presentation, defaults={"at": at})


def _shown_at(presentation: Presentation, *, at: datetime) -> datetime:
    # The clock of the machine may have been set back between the two stamps.
    return min(Showing.objects.get(presentation=presentation).at, at)


def _require_open_study(reading_list: ReadingList) -> None:
    study = reading_list.session_plan.study
    if study.status != StudyStatus.OPEN:
        raise NotItsTurn(f"The study {study.title} is closed; no more readings are taken.")


def _require_asked(reading_list: ReadingList, answer: Answer) -> None:
    asked = ASKED[SessionKind(reading_list.session_plan.kind)]
    if answer.verdict not in asked:
        raise BadInput(f"verdict must be one of: {', '.join(asked)}.")
    if not 0 <= answer.elapsed_ms <= LONGEST_MS:
        raise BadInput(f"elapsed_ms must be between 0 and {LONGEST_MS}.")
    if len(answer.paradata) > PARADATA_KEYS:
        raise BadInput(f"paradata has {len(answer.paradata)} entries; {PARADATA_KEYS} are the most.")


def _reason_to_wait(step: Wait, number: int) -> str:
    if step.until is None:
        return f"Session {number} opens when session {number - 1} is finished."
    return f"Session {number} opens on {step.until:%d %B %Y, %H:%M} UTC."
