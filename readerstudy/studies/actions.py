"""Enrolment of readers, and closing of studies."""

from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput
from readerstudy.studies.models import (
    Allocation,
    Arm,
    Enrollment,
    Presentation,
    ReadingList,
    Study,
    StudyStatus,
)


@transaction.atomic
def enroll(
    *, study: Study, reader: User, at: datetime, actor: User | None = None, arm: Arm | None = None
) -> Enrollment:
    """Enroll a reader and create their reading lists: the study's draw in its order, under new random codes."""
    # Locks the study: two coordinators at once must not create the same reader code.
    study = Study.objects.select_for_update().get(pk=study.pk)
    if not reader.is_reader:
        values = {"person": reader, "role": reader.get_role_display()}
        raise BadInput(_("%(person)s is a %(role)s; only readers can be enrolled.") % values)
    if study.status != StudyStatus.OPEN:
        values = {"study": study.code, "state": study.get_status_display().lower()}
        raise BadInput(_("The study %(study)s is %(state)s; nobody can be enrolled.") % values)
    if Enrollment.objects.filter(study=study, reader=reader).exists():
        values = {"person": reader, "study": study.code}
        raise BadInput(_("%(person)s is enrolled in %(study)s already.") % values)
    arm = arm or study.arms.get()
    number = Enrollment.objects.filter(study=study).count() + 1
    enrollment = Enrollment.objects.create(study=study, arm=arm, reader=reader, code=f"R{number}", enrolled_at=at)
    _give_lists(enrollment)
    record("reader.enrolled", actor=actor, subject=enrollment, at=at, reader=enrollment.code)
    return enrollment


def _give_lists(enrollment: Enrollment) -> None:
    allocations = Prefetch("allocations", Allocation.objects.filter(arm=enrollment.arm).order_by("position"))
    for plan in enrollment.study.session_plans.prefetch_related(allocations):
        reading_list = ReadingList.objects.create(enrollment=enrollment, session_plan=plan)
        Presentation.objects.bulk_create(
            Presentation(reading_list=reading_list, position=row.position, stimulus_id=row.stimulus_id)
            for row in plan.allocations.all()
        )


@transaction.atomic
def close_study(*, study: Study, actor: User | None, at: datetime) -> None:
    """Stop accepting readings."""
    study.close(at=at)
    record("study.closed", actor=actor, subject=study, at=at)
