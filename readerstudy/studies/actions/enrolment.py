"""Enrolment of readers, and the lists that they get from the draw."""

from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput
from readerstudy.protocol.document import ReadingOrder
from readerstudy.protocol.repeats import add_repeats, place_repeats
from readerstudy.studies.actions.moves import require_reason
from readerstudy.studies.chance import chance_of_reader
from readerstudy.studies.exposure import require_new_images, require_reason_for_drawn
from readerstudy.studies.models import Allocation, Arm, Enrollment, Presentation, ReadingList, SessionPlan, Study


@transaction.atomic
def enroll(
    *,
    study: Study,
    reader: User,
    at: datetime,
    actor: User | None = None,
    arm: Arm | None = None,
    replaces: Enrollment | None = None,
    override_reason: str = "",
) -> Enrollment:
    """Enroll a reader. The reading lists are created now if the study is locked, otherwise when it is locked.

    A list is the study's draw in the order of its session, under new random codes. Raises BadInput if nobody, or not
    this person, can be enrolled, SeenBefore if other studies show them images of this one and `override_reason` is
    empty, BadInput if `replaces` is not a withdrawn reader of the study without a replacement.
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
    override_reason = require_reason(override_reason) if override_reason.strip() else ""
    require_new_images(study, reader, override_reason=override_reason, actor=actor)
    if replaces:
        _require_replaceable(replaces, study)
    number = Enrollment.objects.filter(study=study).count() + 1
    enrollment = Enrollment.objects.create(
        study=study,
        reader=reader,
        code=f"R{number}",
        enrolled_at=at,
        replaces=replaces,
        override_reason=override_reason,
    )
    if not study.is_editable:
        give_lists(enrollment, actor=actor, arm=(replaces.arm if replaces else None) or arm or study.arms.get())
    details = {"replaces": replaces.code} if replaces else {}
    details |= {"override_reason": override_reason} if override_reason else {}
    record("reader.enrolled", actor=actor, subject=enrollment, at=at, reader=enrollment.code, **details)
    return enrollment


def _require_replaceable(withdrawn: Enrollment, study: Study) -> None:
    if withdrawn.study_id != study.pk or withdrawn.takes_part:
        raise BadInput(_("Only a withdrawn reader of this study can be replaced."))
    if Enrollment.objects.filter(replaces=withdrawn).exists():
        raise BadInput(_("%(reader)s has been replaced already.") % {"reader": withdrawn.code})


def give_lists(enrollment: Enrollment, *, arm: Arm, actor: User | None = None) -> None:
    """Allocate the reader to an arm of the draw and create a list for each session. Called by actions only.

    Raises SeenBefore if other studies show the reader images that were drawn, and nobody gave a reason to allow it.
    """
    require_reason_for_drawn(enrollment, actor=actor)
    enrollment.arm = arm
    enrollment.save(update_fields=["arm"])
    allocations = Prefetch("allocations", Allocation.objects.filter(arm=arm).order_by("position"))
    plans = {plan.number: plan for plan in enrollment.study.session_plans.prefetch_related(allocations)}
    for place, number in enumerate(_session_order(enrollment), start=1):
        plan = plans[number]
        # Simulated readers do not wait.
        washout_days = 0 if enrollment.study.is_rehearsal else plans[place].washout_days
        reading_list = ReadingList.objects.create(
            enrollment=enrollment, session_plan=plan, place=place, washout_days=washout_days
        )
        drawn = [(row.stimulus_id, row.is_repeat) for row in plan.allocations.all()]
        Presentation.objects.bulk_create(
            Presentation(reading_list=reading_list, position=position, stimulus_id=stimulus, is_repeat=is_repeat)
            for position, (stimulus, is_repeat) in enumerate(_in_order(drawn, enrollment, plan), start=1)
        )


def _session_order(enrollment: Enrollment) -> tuple[int, ...]:
    """Return the numbers of the reader's sessions in their order.

    In a crossover, one of every two readers, in the order of enrolment, has the other order; which one depends on the
    sealed seed. A replacement has the order of the reader who was withdrawn.
    """
    replaced = ReadingList.objects.filter(enrollment=enrollment.replaces_id).order_by("place")
    if numbers := tuple(replaced.values_list("session_plan__number", flat=True)):
        return numbers
    study, protocol = enrollment.study, enrollment.study.protocol
    swapped = bool(protocol.crossover) and _is_swapped(enrollment)
    order = protocol.reading_order(swapped=swapped)
    return order or tuple(study.session_plans.values_list("number", flat=True))


def _is_swapped(enrollment: Enrollment) -> bool:
    study = enrollment.study
    pair, second = divmod(Enrollment.objects.filter(study=study, pk__lt=enrollment.pk).count(), 2)
    swaps_first = chance_of_reader(study, f"crossover:{pair}").random() < 0.5
    return swaps_first != bool(second)


def _in_order(drawn: list[tuple[int, bool]], enrollment: Enrollment, plan: SessionPlan) -> list[tuple[int, bool]]:
    """Return stimuli, and whether each is shown again, in the order in which this reader sees them.

    That is as drawn, or an order of the reader's own. Like the draw, it depends on the sealed seed and on what was
    drawn.
    """
    if plan.order != ReadingOrder.PER_READER:
        return drawn
    firsts, repeats = ([stimulus for stimulus, again in drawn if again is kind] for kind in (False, True))
    rng = chance_of_reader(enrollment.study, f"{enrollment.code}:{plan.number}:{sorted(firsts)}")
    order = rng.sample(firsts, k=len(firsts))
    session = enrollment.study.protocol.sessions[plan.number - 1]
    if session.repeat_of:
        return add_repeats(order, repeats, rng=rng)
    return place_repeats(order, set(repeats), distance=session.repeat_distance, rng=rng)
