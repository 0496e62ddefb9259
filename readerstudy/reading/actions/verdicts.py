"""Store verdicts: each once, on the current presentation only, even if the network repeats or loses requests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.models import Stimulus
from readerstudy.errors import BadInput, NotItsTurn
from readerstudy.reading.actions.sessions import (
    SessionHeld,
    get_rest,
    hold_if_rested,
    hold_message,
    locked_session,
    require_newest_page,
    require_open_study,
    show,
)
from readerstudy.reading.models import HoldCause, Reading, ReadingSession, Showing
from readerstudy.reading.queries import get_reading_list
from readerstudy.reading.timing_grade import grade
from readerstudy.studies.models import Presentation, SessionPlan
from readerstudy.studies.protocol import Verdict
from readerstudy.studies.questions import ImageSize, check_answers

MAX_ELAPSED_MS = 24 * 3600 * 1000
# The reading page sends about 30 entries, 1 kB and 2 levels.
MAX_PARADATA_ENTRIES = 64
MAX_PARADATA_BYTES = 16_384
MAX_PARADATA_DEPTH = 5
SCALES = ("one_to_one", "reduced", "enlarged", "not_exact")  # how the screen's pixels come from those of the image


class NotCurrent(NotItsTurn):
    """A verdict on an image that is not, or no longer, the current one."""


@dataclass(frozen=True)
class SubmittedVerdict:
    """A verdict as it was sent. `code`: of the presentation; `key`: made by the browser, one for each verdict."""

    code: str
    verdict: Verdict
    elapsed_ms: int
    key: UUID
    paradata: dict[str, Any]
    answers: Mapping[str, Any] = field(default_factory=dict)
    page: UUID | None = None  # the browser page that sends it


@dataclass(frozen=True)
class StoredVerdict:
    """The receipt of a verdict, None after practice. `is_new` is False if the verdict was stored before."""

    receipt: UUID | None
    is_new: bool


@transaction.atomic
def record_verdict(
    *, reader: User, study: str, number: int, submitted: SubmittedVerdict, at: datetime
) -> StoredVerdict:
    """Store one verdict on the current presentation, once; the same key again returns the same receipt.

    Raises NotCurrent if the presentation is not the current one or was answered under another key, TakenOver if
    another page holds the session, NotItsTurn if the session or the study is not open, BadInput for a verdict or an
    answer that the session does not ask for.
    """
    reading_list = get_reading_list(reader, study, number)
    plan = reading_list.session_plan
    _check_values(submitted, plan.verdicts)
    session = locked_session(reading_list)
    if session is None:
        raise NotItsTurn(_("Session %(number)d has not been opened.") % {"number": number})
    earlier = Reading.objects.filter(key=submitted.key, presentation__reading_list=reading_list).first()
    if earlier:
        if earlier.presentation.code != submitted.code or earlier.verdict != submitted.verdict:
            raise NotCurrent(_("This key belongs to another verdict."))
        return StoredVerdict(earlier.receipt, is_new=False)
    require_open_study(reading_list)
    require_newest_page(reading_list, submitted.page)
    if session.held_for == HoldCause.FILE:  # nobody has seen the image
        raise SessionHeld(hold_message(reading_list, session.held_for))
    if plan.practice and submitted.code == session.practice_code:
        return _practise(session, plan.practice, submitted, reader=reader, at=at)
    presentation = current_presentation(session)
    if presentation is None or presentation.code != submitted.code:
        raise NotCurrent(_("This is not the current image; you may have answered it in another window."))
    rested = get_rest(session, at=at)
    reading = _store(presentation, plan, submitted, at=at)
    _advance(session, reader=reader, at=at)
    hold_if_rested(session, rested, reader=reader, at=at)
    return StoredVerdict(reading.receipt, is_new=True)


def _store(presentation: Presentation, plan: SessionPlan, submitted: SubmittedVerdict, *, at: datetime) -> Reading:
    rules, stimulus = plan.rules, presentation.stimulus
    # The server's clock may have been set back since the image was shown.
    shown_at = min(Showing.objects.get(presentation=presentation).at, at)
    quality = grade(
        elapsed_ms=submitted.elapsed_ms,
        server_ms=round((at - shown_at).total_seconds() * 1000),
        paradata=submitted.paradata,
        after_gap=at - shown_at > timedelta(minutes=rules.gap_minutes),
    )
    size = ImageSize(width=stimulus.columns, height=stimulus.rows)
    answers = check_answers(rules.questions, submitted.verdict, submitted.answers, image=size)
    try:
        with transaction.atomic():
            return Reading.objects.create(
                presentation=presentation,
                verdict=submitted.verdict,
                elapsed_ms=submitted.elapsed_ms,
                shown_at=shown_at,
                answered_at=at,
                key=submitted.key,
                answers=answers,
                paradata=submitted.paradata,
                quality=quality.grade,
                quality_reasons=list(quality.reasons),
            )
    except IntegrityError as error:
        # Everything else was checked under the session's lock: another reading list has a reading with this key.
        raise BadInput("The key of this verdict was used before; send each verdict under a key of its own.") from error


def _practise(
    session: ReadingSession, practice: Stimulus, submitted: SubmittedVerdict, *, reader: User, at: datetime
) -> StoredVerdict:
    """End the practice. Its verdict is checked like any other and not stored."""
    if session.practised_at:
        return StoredVerdict(None, is_new=False)
    plan = session.reading_list.session_plan
    size = ImageSize(width=practice.columns, height=practice.rows)
    check_answers(plan.rules.questions, submitted.verdict, submitted.answers, image=size)
    session.practised_at = at
    session.save(update_fields=["practised_at"])
    record("session.practised", actor=reader, subject=session.reading_list, at=at, session=plan.number)
    show(session.reading_list, position=1, at=at)
    return StoredVerdict(None, is_new=True)


def _advance(session: ReadingSession, *, reader: User, at: datetime) -> None:
    """Move to the next presentation or finish. One UPDATE, because a trigger rejects changes of a finished row."""
    plan = session.reading_list.session_plan
    session.answered += 1
    is_last = session.answered >= plan.total
    if is_last and not plan.closing_questions:
        session.finished_at = at
    session.save(update_fields=["answered", "finished_at"])
    if session.finished_at:
        record("session.finished", actor=reader, subject=session.reading_list, at=at, session=plan.number)
    elif not is_last:
        show(session.reading_list, position=session.answered + 1, at=at)


def current_presentation(session: ReadingSession) -> Presentation | None:
    """Return the presentation to be answered next; None while the practice is due or at the end."""
    if session.reading_list.session_plan.practice_id and not session.practised_at:
        return None
    return (
        Presentation.objects.filter(reading_list=session.reading_list, position=session.answered + 1)
        .select_related("stimulus")
        .first()
    )


def _check_values(submitted: SubmittedVerdict, verdicts: Sequence[Verdict]) -> None:
    """Raise BadInput for a verdict that the session does not ask for, or for values out of range."""
    if submitted.verdict not in verdicts:
        raise BadInput(f"verdict must be one of: {', '.join(verdicts)}.")
    if not 0 <= submitted.elapsed_ms <= MAX_ELAPSED_MS:
        raise BadInput(f"elapsed_ms must be between 0 and {MAX_ELAPSED_MS}.")
    _check_paradata(submitted.paradata)


def _check_paradata(paradata: Mapping[str, Any]) -> None:
    """Raise BadInput for more paradata than a reading may have."""
    if len(paradata) > MAX_PARADATA_ENTRIES:
        raise BadInput(f"paradata has {len(paradata)} entries; at most {MAX_PARADATA_ENTRIES} are allowed.")
    depth = _depth(paradata)
    if depth > MAX_PARADATA_DEPTH:
        raise BadInput(f"paradata is nested {depth} levels deep; at most {MAX_PARADATA_DEPTH} are allowed.")
    size = len(json.dumps(paradata, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_PARADATA_BYTES:
        raise BadInput(f"paradata is {size} bytes of JSON; at most {MAX_PARADATA_BYTES} are allowed.")
    _check_scale(paradata.get("settings"))


def _check_scale(settings: Any) -> None:
    """Raise BadInput for a scale that no viewer has. A client that is no browser sends none."""
    scale = settings.get("scale") if isinstance(settings, Mapping) else None
    if scale is not None and scale not in SCALES:
        raise BadInput(f"paradata.settings.scale must be one of: {', '.join(SCALES)}.")


def _depth(value: Any) -> int:
    """Return the number of objects and lists around the innermost value."""
    if not isinstance(value, dict | list):
        return 0
    parts = value.values() if isinstance(value, dict) else value
    return 1 + max((_depth(part) for part in parts), default=0)
