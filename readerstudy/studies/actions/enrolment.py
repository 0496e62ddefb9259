"""Enrolment of readers, and the lists that they get from the draw."""

from datetime import datetime
from random import Random

from django.db import transaction
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput
from readerstudy.studies.models import Allocation, Arm, Enrollment, Presentation, ReadingList, SessionPlan, Study
from readerstudy.studies.protocol_document import ReadingOrder


@transaction.atomic
def enroll(
    *, study: Study, reader: User, at: datetime, actor: User | None = None, arm: Arm | None = None
) -> Enrollment:
    """Enroll a reader. The reading lists are created now if the study is locked, otherwise when it is locked.

    A list is the study's draw in the order of its session, under new random codes.
    """
    # Locks the study: two coordinators at once must not create the same reader code, and a draw must not miss a reader.
    study = Study.objects.select_for_update().get(pk=study.pk)
    if not reader.is_reader:
        values = {"person": reader, "role": reader.get_role_display()}
        raise BadInput(_("%(person)s is a %(role)s; only readers can be enrolled.") % values)
    if not study.takes_readers:
        values = {"study": study.code, "state": study.state}
        raise BadInput(_("The study %(study)s is %(state)s; nobody can be enrolled.") % values)
    if Enrollment.objects.filter(study=study, reader=reader).exists():
        values = {"person": reader, "study": study.code}
        raise BadInput(_("%(person)s is enrolled in %(study)s already.") % values)
    number = Enrollment.objects.filter(study=study).count() + 1
    enrollment = Enrollment.objects.create(study=study, reader=reader, code=f"R{number}", enrolled_at=at)
    if not study.is_editable:
        give_lists(enrollment, arm=arm or study.arms.get())
    record("reader.enrolled", actor=actor, subject=enrollment, at=at, reader=enrollment.code)
    return enrollment


def give_lists(enrollment: Enrollment, *, arm: Arm) -> None:
    """Allocate the reader to an arm of the draw and create a list for each session. Called by actions only."""
    enrollment.arm = arm
    enrollment.save(update_fields=["arm"])
    allocations = Prefetch("allocations", Allocation.objects.filter(arm=arm).order_by("position"))
    for plan in enrollment.study.session_plans.prefetch_related(allocations):
        reading_list = ReadingList.objects.create(enrollment=enrollment, session_plan=plan)
        stimuli = _in_order([row.stimulus_id for row in plan.allocations.all()], enrollment, plan)
        Presentation.objects.bulk_create(
            Presentation(reading_list=reading_list, position=position, stimulus_id=stimulus)
            for position, stimulus in enumerate(stimuli, start=1)
        )


def _in_order(stimuli: list[int], enrollment: Enrollment, plan: SessionPlan) -> list[int]:
    """Return the stimuli in the order in which this reader sees them: as drawn, or an order of the reader's own.

    Like the draw, the reader's own order depends on the sealed seed and on what was drawn.
    """
    if plan.order != ReadingOrder.PER_READER:
        return stimuli
    rng = Random(f"{enrollment.study.seed}:{enrollment.code}:{plan.number}:{sorted(stimuli)}")
    return rng.sample(stimuli, k=len(stimuli))
