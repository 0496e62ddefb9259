"""The moves of a study that do not need the truth: open, pause, resume, close, archive, and back to draft."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, StudyError
from readerstudy.studies.lifecycle import UNDER_WAY
from readerstudy.studies.models import (
    Allocation,
    Arm,
    DisplayedAid,
    Draw,
    Presentation,
    ReadingList,
    SessionPlan,
    Study,
    WrongStatus,
)

LONGEST_REASON = 2000


class StudyBegun(StudyError):
    """A reader has begun, so the draw is final."""


@transaction.atomic
def open_study(*, study: Study, actor: User | None, at: datetime) -> None:
    """Let readers read a locked study."""
    study.open(at=at)
    record("study.opened", actor=actor, subject=study, at=at)


@transaction.atomic
def pause_study(*, study: Study, actor: User | None, reason: str, at: datetime) -> None:
    """Accept no readings until the study is resumed. Nothing that was read is lost."""
    reason = require_reason(reason)
    study.pause(at=at)
    record("study.paused", actor=actor, subject=study, at=at, reason=reason)


@transaction.atomic
def resume_study(*, study: Study, actor: User | None, at: datetime, reason: str = "") -> None:
    """Accept readings again after a pause."""
    study.resume(at=at)
    record("study.resumed", actor=actor, subject=study, at=at, **({"reason": reason.strip()} if reason.strip() else {}))


@transaction.atomic
def close_study(*, study: Study, actor: User | None, reason: str, at: datetime) -> None:
    """Stop accepting readings. The truth stays sealed."""
    reason = require_reason(reason)
    study.close(at=at)
    record("study.closed", actor=actor, subject=study, at=at, reason=reason)


@transaction.atomic
def archive_study(*, study: Study, actor: User | None, reason: str, at: datetime) -> None:
    """Put an unsealed study away; its report stays available."""
    reason = require_reason(reason)
    study.archive(at=at)
    record("study.archived", actor=actor, subject=study, at=at, reason=reason)


def has_begun(study: Study) -> bool:
    """Return whether a reader has opened a session or checked a display for one; then the draw is final."""
    begun = Q(session__isnull=False) | Q(checked_displays__isnull=False)
    return ReadingList.objects.filter(begun, enrollment__study=study).exists()


@transaction.atomic
def unlock_study(*, study: Study, actor: User | None, reason: str, at: datetime) -> Draw:
    """Return a drawn study to draft. Its draw is kept on record, and the enrolled readers get new lists at next lock.

    Raises WrongStatus unless the study is locked, open or paused, StudyBegun once a reader has opened a session or
    checked a display for one.
    """
    reason = require_reason(reason)
    drawn = Study.objects.select_for_update().get(pk=study.pk)
    if drawn.status not in UNDER_WAY:
        raise WrongStatus(_("The study %(code)s is %(state)s.") % {"code": drawn.code, "state": drawn.state})
    if has_begun(drawn):
        raise StudyBegun(
            _("A reader has begun the study %(code)s, so it cannot be changed any more. Close it instead.")
            % {"code": drawn.code}
        )
    draw = _keep_draw(drawn, by=actor, reason=reason, at=at)
    _remove_lists(drawn)
    drawn.unlock()
    study.refresh_from_db()
    hashes = {"plan_sha256": draw.plan_sha256, "analysis_sha256": draw.analysis_sha256}
    record("study.unlocked", actor=actor, subject=study, at=at, reason=reason, draw=draw.pk, **hashes)
    return draw


def require_reason(reason: str) -> str:
    """Return the reason without blanks around it. Raises BadInput if there is none, or if it is too long."""
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON or "\0" in reason:
        text = _("Enter a reason of at most %(most)d characters. It is kept on record.")
        raise BadInput(text % {"most": LONGEST_REASON})
    return reason


def _keep_draw(study: Study, *, by: User | None, reason: str, at: datetime) -> Draw:
    assert study.locked_at is not None
    return Draw.objects.create(
        study=study,
        plan=study.plan,
        lists=_drawn_lists(study),
        plan_sha256=study.plan_sha256,
        analysis_sha256=study.analysis_sha256,
        drawn_at=study.locked_at,
        drawn_by=study.locked_by,
        replaced_at=at,
        replaced_by=by,
        reason=reason,
    )


def _drawn_lists(study: Study) -> dict[str, Any]:
    """Return the stimuli in reading order by session and arm, and the practice images by session."""
    sessions: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    rows = Allocation.objects.filter(session_plan__study=study).order_by("session_plan__number", "arm", "position")
    for number, arm, stimulus in rows.values_list("session_plan__number", "arm__name", "stimulus_id"):
        sessions[str(number)][arm].append(stimulus)
    practice = study.session_plans.exclude(practice=None).values_list("number", "practice_id")
    return {"sessions": sessions, "practice": {str(number): stimulus for number, stimulus in practice}}


def _remove_lists(study: Study) -> None:
    """Delete the rows of the draw and the readers' lists. The enrolments stay."""
    Presentation.objects.filter(reading_list__enrollment__study=study).delete()
    ReadingList.objects.filter(enrollment__study=study).delete()
    study.enrollments.update(arm=None)
    Allocation.objects.filter(session_plan__study=study).delete()
    DisplayedAid.objects.filter(session_plan__study=study).delete()
    SessionPlan.objects.filter(study=study).delete()
    Arm.objects.filter(study=study).delete()
