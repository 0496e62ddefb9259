"""Excluding an unsuitable adversarial image from all future studies."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.models import Image, Stimulus
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.models import Allocation, Study
from readerstudy.truth.models import Exclusion, Truth
from readerstudy.truth.queries import find_exclusion
from readerstudy.truth.terms import Authenticity


@sealed_work()
@transaction.atomic
def exclude_image(*, stimulus: Stimulus, actor: User | None, reason: str, at: datetime) -> Exclusion:
    """Exclude this adversarial image, at every resolution, from every future draw. It cannot be undone.

    `actor` is None for a person at the server's terminal. Raises NotAllowed unless the actor is a researcher, BadInput
    without a reason or for a real image, StudyError if a study has drawn it or it is excluded already.
    """
    truth = Truth.objects.get(stimulus=stimulus)
    if actor is not None and not actor.is_researcher:
        raise NotAllowed(_("Only a researcher may exclude an image."))
    if truth.authenticity != Authenticity.ADVERSARIAL:
        raise BadInput(_("Only adversarial images can be excluded; a real one belongs to its cohort."))
    if not reason.strip():
        raise BadInput(_("Say why the image is excluded; the reason is kept with it."))
    # Lock the image: of two researchers at the same time, the second one gets an error.
    image = Image.objects.select_for_update().get(pk=stimulus.image_id)
    if find_exclusion(stimulus):
        raise StudyError(_("This image is excluded already."))
    if study := _study_with(image, truth.generator):
        message = _("The study %(study)s was drawn with this image; it can no longer be excluded.")
        raise StudyError(message % {"study": study})
    exclusion = Exclusion.objects.create(stimulus=stimulus, by=actor, at=at, reason=reason.strip())
    record("stimulus.excluded", actor=actor, subject=stimulus, at=at, reason=reason.strip())
    return exclusion


def _study_with(image: Image, generator: str) -> str | None:
    """Return the code of a study that shows this image and draws from this attack, or None.

    The image may be shown as real there, because triptychs show its adversarial version too.
    """
    studies = Study.objects.filter(plan__generators__contains=generator)
    held = Allocation.objects.filter(stimulus__image=image, session_plan__study__in=studies)
    return held.values_list("session_plan__study__code", flat=True).first()
