"""Exclusions of images from the analysis of a study, until its truth is known."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import StudyError
from readerstudy.studies.actions.moves import require_reason
from readerstudy.studies.models import Allocation, AnalysisExclusion, Presentation, Study


@transaction.atomic
def exclude_from_analysis(
    *, presentation: Presentation, actor: User | None, reason: str, at: datetime
) -> AnalysisExclusion:
    """Leave the image of this presentation out of the analysis of its session, for all readers of the arm.

    Another session that shows the same images loses it too, so that both conditions have the same images. Readers
    still see it: the lists are locked. Raises BadInput without a reason, StudyError if the image is excluded already
    or the truth of the study is known, because results could then be chosen.
    """
    reason = require_reason(reason)
    study = _sealed_study(presentation)
    allocations = _allocations(presentation)
    if AnalysisExclusion.objects.filter(allocation__in=allocations, withdrawn_at=None).exists():
        raise StudyError(_("This image is excluded from the analysis already."))
    exclusion, *_others = AnalysisExclusion.objects.bulk_create(
        AnalysisExclusion(allocation=allocation, reason=reason, by=actor, at=at) for allocation in allocations
    )
    _record_exclusion("image.excluded", presentation, study, actor=actor, reason=reason, at=at)
    return exclusion


@transaction.atomic
def include_in_analysis(*, presentation: Presentation, actor: User | None, reason: str, at: datetime) -> None:
    """Withdraw an exclusion. Raises BadInput without a reason, StudyError if there is none or the truth is known."""
    reason = require_reason(reason)
    study = _sealed_study(presentation)
    excluded = AnalysisExclusion.objects.filter(allocation__in=_allocations(presentation), withdrawn_at=None)
    if not excluded.update(withdrawn_at=at):
        raise StudyError(_("This image is not excluded from the analysis."))
    _record_exclusion("image.included", presentation, study, actor=actor, reason=reason, at=at)


def _sealed_study(presentation: Presentation) -> Study:
    """Return the study, locked. Raises StudyError once it is unsealed."""
    study = Study.objects.select_for_update().get(session_plans__reading_lists__presentations=presentation)
    if study.unsealed_at is not None:
        raise StudyError(
            _("The study %(study)s is unsealed; the images of its analysis are fixed.") % {"study": study.code}
        )
    return study


def _allocations(presentation: Presentation) -> list[Allocation]:
    """Return the allocation of the image in the session of the presentation, of its first showing there if any.

    If it is a first showing, those in sessions that show the same images follow.
    """
    reading_list = presentation.reading_list
    showings = Allocation.objects.filter(arm=reading_list.enrollment.arm_id, stimulus=presentation.stimulus_id)
    own = showings.filter(session_plan=reading_list.session_plan_id).order_by("is_repeat")[0]
    return [own, *([] if own.is_repeat else showings.filter(is_repeat=False).exclude(pk=own.pk))]


def _record_exclusion(
    verb: str, presentation: Presentation, study: Study, *, actor: User | None, reason: str, at: datetime
) -> None:
    """Record the image by the reader and position at which it was reported: which image it is stays hidden."""
    reading_list = presentation.reading_list
    record(
        verb,
        actor=actor,
        subject=study,
        at=at,
        session=reading_list.session_plan.number,
        reader=reading_list.enrollment.code,
        position=presentation.position,
        reason=reason,
    )
