"""What is done with one reader of a study, by name, for the pages and for the API."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readerstudy.accounts.models import User
from readerstudy.errors import NotFound
from readerstudy.reading.actions import allow_resume
from readerstudy.reading.models import ReadingSession
from readerstudy.studies.actions import (
    allow_early,
    allow_repeated_images,
    pause_reader,
    resume_reader,
    withdraw_reader,
)
from readerstudy.studies.models import Enrollment, ReadingList, WithdrawalCause


@dataclass(frozen=True)
class ReaderAct:
    """One act: its sentence afterwards, and its action, which takes the enrolment, a session and a cause."""

    done: Promise
    carry_out: Callable[..., object]


def _allow_early(*, enrollment: Enrollment, session: int, **values: Any) -> None:
    rows = ReadingList.objects.select_related("session_plan", "enrollment")
    reading_list = rows.filter(enrollment=enrollment, session_plan__number=session).first()
    if reading_list is None:
        raise _no_session(enrollment, session)
    allow_early(reading_list=reading_list, **values)


def _allow_resume(*, enrollment: Enrollment, session: int, **values: Any) -> None:
    rows = ReadingSession.objects.filter(reading_list__enrollment=enrollment)
    held = rows.filter(reading_list__session_plan__number=session).first()
    if held is None:
        raise _no_session(enrollment, session)
    allow_resume(session=held, **values)


def _no_session(enrollment: Enrollment, session: int) -> NotFound:
    values = {"reader": enrollment.code, "number": session}
    return NotFound(_("%(reader)s has no session %(number)d.") % values)


ACTS: Final[dict[str, ReaderAct]] = {
    "pause": ReaderAct(
        gettext_lazy("%(reader)s is paused."), lambda *, session, cause, **values: pause_reader(**values)
    ),
    "resume": ReaderAct(
        gettext_lazy("%(reader)s can read again."), lambda *, session, cause, **values: resume_reader(**values)
    ),
    "withdraw": ReaderAct(
        gettext_lazy("%(reader)s is withdrawn from the study."),
        lambda *, session, **values: withdraw_reader(**values),
    ),
    "repeats": ReaderAct(
        gettext_lazy("%(reader)s may see images again that other studies show."),
        lambda *, session, cause, **values: allow_repeated_images(**values),
    ),
    "early": ReaderAct(
        gettext_lazy("%(reader)s can begin the session now."), lambda *, cause, **values: _allow_early(**values)
    ),
    "continue": ReaderAct(
        gettext_lazy("%(reader)s can continue the session."), lambda *, cause, **values: _allow_resume(**values)
    ),
}


def carry_out(
    name: str,
    *,
    enrollment: Enrollment,
    actor: User,
    at: datetime,
    reason: str,
    session: int = 0,
    cause: WithdrawalCause = WithdrawalCause.STUDY_TEAM,
) -> str:
    """Carry out an act of `ACTS` and return the sentence that says so.

    `session` is its number, for an early or a held session. Raises NotFound if the reader has no such session, and
    the errors of the action.
    """
    act = ACTS[name]
    act.carry_out(enrollment=enrollment, actor=actor, at=at, reason=reason, session=session, cause=cause)
    return str(act.done) % {"reader": enrollment.code}
