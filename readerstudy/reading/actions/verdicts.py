"""Store verdicts: each once, on the current presentation only, even if the network repeats or loses requests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from psycopg2.extras import Json

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotItsTurn
from readerstudy.prepared import PreparedStatement
from readerstudy.protocol.questions import ImageSize, check_answers
from readerstudy.protocol.sessions import Verdict
from readerstudy.reading.actions.sessions import (
    SessionHeld,
    hold_if_rested,
    hold_message,
    require_open_study,
    require_page,
    rest_since,
    show,
)
from readerstudy.reading.models import HoldCause, Reading, ReadingSession
from readerstudy.reading.place import Place, lock_place
from readerstudy.reading.timing_grade import grade
from readerstudy.studies.models import Presentation, ReadingList, SessionPlan

MAX_ELAPSED_MS = 24 * 3600 * 1000
# The reading page sends about 30 entries, 1 kB and 2 levels.
MAX_PARADATA_ENTRIES = 64
MAX_PARADATA_BYTES = 16_384
MAX_PARADATA_DEPTH = 5
SCALES = ("one_to_one", "reduced", "enlarged", "not_exact")  # how the screen's pixels come from those of the image
_USED_KEY: Final = "The key of this verdict was used before; send each verdict under a key of its own."


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
    """The receipt of a verdict, None after practice, and the reader's place after it.

    `is_new` is False if the verdict was stored before.
    """

    receipt: UUID | None
    is_new: bool
    place: Place


@transaction.atomic
def record_verdict(
    *, reader: User, study: str, number: int, submitted: SubmittedVerdict, at: datetime
) -> StoredVerdict:
    """Store one verdict on the current presentation, once; the same key again returns the same receipt.

    Raises NotCurrent if the presentation is not the current one or was answered under another key, TakenOver if
    another page holds the session, NotItsTurn if the session or the study is not open, BadInput for a verdict or an
    answer that the session does not ask for.
    """
    place = lock_place(reader, study, number)
    reading_list, session, plan = place.reading_list, place.session, place.reading_list.session_plan
    _check_values(submitted, plan.verdicts)
    if session is None:
        raise NotItsTurn(_("Session %(number)d has not been opened.") % {"number": number})
    is_current = place.current is not None and place.current.code == submitted.code
    if not is_current and (earlier := _same_key(reading_list, submitted)):
        if earlier.presentation.code != submitted.code or earlier.verdict != submitted.verdict:
            raise NotCurrent(_("This key belongs to another verdict."))
        return StoredVerdict(earlier.receipt, is_new=False, place=place)
    require_open_study(reading_list)
    require_page(submitted.page, newest=place.newest_page)
    if session.held_for == HoldCause.FILE:  # nobody has seen the image
        raise SessionHeld(hold_message(reading_list, session.held_for))
    if plan.practice_id and submitted.code == session.practice_code:
        return _practise(place, session, submitted, reader=reader, at=at)
    if not is_current:
        raise NotCurrent(_("This is not the current image; you may have answered it in another window."))
    current, *later = place.coming
    rested = rest_since(current.showing.at, session, at=at)
    receipt = _store(current, later, session, submitted, reader=reader, at=at)
    hold_if_rested(session, rested, reader=reader, at=at)
    return StoredVerdict(receipt, is_new=True, place=replace(place, coming=later))


def _same_key(reading_list: ReadingList, submitted: SubmittedVerdict) -> Reading | None:
    readings = Reading.objects.filter(key=submitted.key, presentation__reading_list=reading_list)
    return readings.select_related("presentation").first()


# The reading, the position of the reader and the time at which the next image is shown: all or nothing.
_GIVE: Final = PreparedStatement(
    """
    WITH given AS (
        INSERT INTO reading_reading (presentation_id, verdict, elapsed_ms, shown_at, answered_at, key, receipt,
                                     answers, paradata, quality, quality_reasons)
        VALUES ({presentation}, {verdict}, {elapsed_ms}, {shown_at}, {at}, {key}, {receipt},
                {answers}, {paradata}, {quality}, {reasons})
        ON CONFLICT (key) DO NOTHING RETURNING id
    ), moved AS (
        UPDATE reading_readingsession SET answered = {answered}, finished_at = {finished_at}
        WHERE id = {session} AND EXISTS (SELECT FROM given)
    ), shown AS (
        INSERT INTO reading_showing (presentation_id, at)
        SELECT following.id, {at} FROM studies_presentation following
        WHERE following.id = {following} AND EXISTS (SELECT FROM given)
        ON CONFLICT (presentation_id) DO NOTHING
    )
    SELECT id FROM given
    """,
    *("presentation", "verdict", "elapsed_ms", "shown_at", "at", "key", "receipt", "answers", "paradata", "quality"),
    *("reasons", "answered", "finished_at", "session", "following"),
)


def _store(
    current: Presentation,
    later: Sequence[Presentation],
    session: ReadingSession,
    submitted: SubmittedVerdict,
    *,
    reader: User,
    at: datetime,
) -> UUID:
    """Store the verdict, and move to the next presentation or finish; return the receipt."""
    plan = session.reading_list.session_plan
    session.answered += 1
    is_last = session.answered >= plan.total
    if is_last and not plan.closing_questions:
        session.finished_at = at
    values = _reading(current, plan, submitted, at=at)
    try:
        stored = _GIVE.rows(
            **values,
            answered=session.answered,
            finished_at=session.finished_at,
            session=session.pk,
            following=None if is_last else later[0].pk,
        )
    except IntegrityError as error:
        raise BadInput(_USED_KEY) from error
    if not stored:  # nothing was
        if _same_key(session.reading_list, submitted):
            raise NotCurrent(_("This key belongs to another verdict."))
        raise BadInput(_USED_KEY)
    if session.finished_at:
        record("session.finished", actor=reader, subject=session.reading_list, at=at, session=plan.number)
    receipt: UUID = values["receipt"]
    return receipt


def _reading(
    presentation: Presentation, plan: SessionPlan, submitted: SubmittedVerdict, *, at: datetime
) -> dict[str, Any]:
    """Return the values of the reading, checked."""
    rules, stimulus = plan.rules, presentation.stimulus
    # The server's clock may have been set back since the image was shown.
    shown_at = min(presentation.showing.at, at)
    quality = grade(
        elapsed_ms=submitted.elapsed_ms,
        server_ms=round((at - shown_at).total_seconds() * 1000),
        paradata=submitted.paradata,
        after_gap=at - shown_at > timedelta(minutes=rules.gap_minutes),
    )
    size = ImageSize(width=stimulus.columns, height=stimulus.rows)
    answers = check_answers(rules.questions, submitted.verdict, submitted.answers, image=size)
    return {
        "presentation": presentation.pk,
        "verdict": submitted.verdict.value,
        "elapsed_ms": submitted.elapsed_ms,
        "shown_at": shown_at,
        "at": at,
        "key": submitted.key,
        "receipt": uuid4(),
        "answers": Json(answers),
        "paradata": Json(submitted.paradata),
        "quality": quality.grade.value,
        "reasons": Json(list(quality.reasons)),
    }


def _practise(
    place: Place, session: ReadingSession, submitted: SubmittedVerdict, *, reader: User, at: datetime
) -> StoredVerdict:
    """End the practice. Its verdict is checked like any other and not stored."""
    if session.practised_at:
        return StoredVerdict(None, is_new=False, place=place)
    plan = session.reading_list.session_plan
    practice = plan.practice
    assert practice is not None  # its code was sent
    size = ImageSize(width=practice.columns, height=practice.rows)
    check_answers(plan.rules.questions, submitted.verdict, submitted.answers, image=size)
    session.practised_at = at
    session.save(update_fields=["practised_at"])
    record("session.practised", actor=reader, subject=session.reading_list, at=at, session=plan.number)
    show(session.reading_list, position=1, at=at)
    return StoredVerdict(None, is_new=True, place=place)


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
