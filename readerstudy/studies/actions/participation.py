"""The participation of one reader: withdraw, pause, resume, let a session begin early, let images be seen again."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, StudyError
from readerstudy.studies.actions.moves import require_reason
from readerstudy.studies.exposure import images_shown_elsewhere
from readerstudy.studies.models import Enrollment, ReadingList, Study, WithdrawalCause


@transaction.atomic
def withdraw_reader(
    *,
    enrollment: Enrollment,
    actor: User | None,
    reason: str,
    at: datetime,
    cause: WithdrawalCause = WithdrawalCause.STUDY_TEAM,
) -> None:
    """End the participation of a reader, for good. What becomes of their readings is a rule of the analysis plan.

    Readers who withdraw their own consent need no reason. Raises BadInput without a reason where one is needed,
    WrongReaderState if the reader has been withdrawn, StudyError once the study is unsealed, because the readers of
    its analysis could then be chosen by their results.
    """
    is_own = cause == WithdrawalCause.CONSENT and actor is not None and actor.pk == enrollment.reader_id
    reason = require_reason(reason) if reason.strip() or not is_own else ""
    study = Study.objects.select_for_update().get(pk=enrollment.study_id)
    if study.is_unsealed:
        raise StudyError(
            _("The study %(study)s is unsealed; the readers of its analysis are fixed.") % {"study": study.code}
        )
    enrollment.withdraw(cause=cause, reason=reason, by=actor, at=at)
    details = {"reader": enrollment.code, "cause": cause.value, "reason": reason}
    record("reader.withdrawn", actor=actor, subject=enrollment, at=at, **details)


@transaction.atomic
def pause_reader(*, enrollment: Enrollment, actor: User | None, reason: str, at: datetime) -> None:
    """Accept no readings of one reader until they are resumed. Nothing that they read is lost."""
    reason = require_reason(reason)
    _require_under_way(enrollment)
    enrollment.pause(at=at)
    record("reader.paused", actor=actor, subject=enrollment, at=at, reader=enrollment.code, reason=reason)


@transaction.atomic
def resume_reader(*, enrollment: Enrollment, actor: User | None, at: datetime, reason: str = "") -> None:
    """Accept readings of one reader again."""
    details = {"reason": require_reason(reason)} if reason.strip() else {}
    enrollment.resume(at=at)
    record("reader.resumed", actor=actor, subject=enrollment, at=at, reader=enrollment.code, **details)


@transaction.atomic
def allow_repeated_images(*, enrollment: Enrollment, actor: User | None, reason: str, at: datetime) -> None:
    """Let an enrolled reader of a draft see images again that other studies show them; it cannot be undone.

    Raises BadInput without a reason, StudyError if the study is no draft or no other study shows the reader its
    images, WrongReaderState if the reader has been withdrawn or there is a reason already.
    """
    reason = require_reason(reason)
    study = Study.objects.select_for_update().get(pk=enrollment.study_id)
    if not study.is_editable:
        values = {"study": study.code, "state": study.state}
        raise StudyError(_("The study %(study)s is %(state)s; its images are drawn already.") % values)
    if not images_shown_elsewhere(study, enrollment.reader):
        raise StudyError(_("No other study shows %(reader)s images of this one.") % {"reader": enrollment.code})
    enrollment.allow_repeated_images(reason=reason)
    details = {"reader": enrollment.code, "override_reason": reason}
    record("reader.repeats_allowed", actor=actor, subject=enrollment, at=at, **details)


@transaction.atomic
def allow_early(*, reading_list: ReadingList, actor: User | None, reason: str, at: datetime) -> None:
    """Let one reader begin a session before the end of its washout; the session before must still be finished.

    Raises BadInput without a reason, StudyError if the session has no washout, has begun or was allowed before.
    """
    reason = require_reason(reason)
    enrollment, number = reading_list.enrollment, reading_list.session_plan.number
    _require_under_way(enrollment)
    waiting = ReadingList.objects.filter(
        pk=reading_list.pk,
        washout_waived_at=None,
        session=None,
        washout_days__gt=0,
        enrollment__withdrawn_at=None,
    )
    if not waiting.update(washout_waived_at=at):
        values = {"number": number, "reader": enrollment.code}
        raise StudyError(_("Session %(number)d of %(reader)s has no washout left to waive.") % values)
    reading_list.refresh_from_db()
    record("session.allowed_early", actor=actor, subject=reading_list, at=at, session=number, reason=reason)


def _require_under_way(enrollment: Enrollment) -> None:
    study = Study.objects.get(pk=enrollment.study_id)
    if not study.takes_readers:
        values = {"study": study.code, "state": study.state}
        raise BadInput(_("The study %(study)s is %(state)s.") % values)
