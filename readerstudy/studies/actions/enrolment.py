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
from readerstudy.studies.repeats import add_repeats, place_repeats


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
    plans = {plan.number: plan for plan in enrollment.study.session_plans.prefetch_related(allocations)}
    for place, number in enumerate(_session_order(enrollment), start=1):
        plan = plans[number]
        reading_list = ReadingList.objects.create(
            enrollment=enrollment, session_plan=plan, place=place, washout_days=plans[place].washout_days
        )
        drawn = [(row.stimulus_id, row.is_repeat) for row in plan.allocations.all()]
        Presentation.objects.bulk_create(
            Presentation(reading_list=reading_list, position=position, stimulus_id=stimulus, is_repeat=is_repeat)
            for position, (stimulus, is_repeat) in enumerate(_in_order(drawn, enrollment, plan), start=1)
        )


def _session_order(enrollment: Enrollment) -> tuple[int, ...]:
    """Return the numbers of the reader's sessions in their order.

    In a crossover, one of every two readers, in the order of enrolment, has the other order; which one depends on the
    sealed seed.
    """
    study = enrollment.study
    pair, second = divmod(Enrollment.objects.filter(study=study, pk__lt=enrollment.pk).count(), 2)
    swaps_first = Random(f"{study.seed}:crossover:{pair}").random() < 0.5
    order = study.protocol.reading_order(swapped=swaps_first != bool(second))
    return order or tuple(study.session_plans.values_list("number", flat=True))


def _in_order(drawn: list[tuple[int, bool]], enrollment: Enrollment, plan: SessionPlan) -> list[tuple[int, bool]]:
    """Return stimuli, and whether each is shown again, in the order in which this reader sees them.

    That is as drawn, or an order of the reader's own. Like the draw, it depends on the sealed seed and on what was
    drawn.
    """
    if plan.order != ReadingOrder.PER_READER:
        return drawn
    firsts, repeats = ([stimulus for stimulus, again in drawn if again is kind] for kind in (False, True))
    rng = Random(f"{enrollment.study.seed}:{enrollment.code}:{plan.number}:{sorted(firsts)}")
    order = rng.sample(firsts, k=len(firsts))
    session = enrollment.study.protocol.sessions[plan.number - 1]
    if session.repeat_of:
        return add_repeats(order, repeats, rng=rng)
    return place_repeats(order, set(repeats), distance=session.repeat_distance, rng=rng)
