"""Keeping a bad twin out of every study to come."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.models import Image
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.studies.models import Allocation, Study
from readerstudy.truth.models import Authenticity, Exclusion, Truth


@transaction.atomic
def exclude_twin(*, truth: Truth, actor: User | None, reason: str, at: datetime) -> Exclusion:
    """Leave this twin, at both resolutions, out of every draw to come. For good: there is no way back.

    `actor` is None where a person at the server's terminal does it. Raises NotAllowed for anybody but a
    researcher, BadInput without a reason or for a real picture, StudyError where a study has drawn it or it is
    excluded already.
    """
    if actor is not None and not actor.is_researcher:
        raise NotAllowed(_("Only a researcher may exclude an image."))
    if truth.authenticity != Authenticity.ADVERSARIAL:
        raise BadInput(_("Only adversarial images can be excluded; a real one belongs to its cohort."))
    if not reason.strip():
        raise BadInput(_("Say why the image is excluded; the reason is kept with it."))
    # One at a time per image: two researchers at once get one exclusion and one sentence.
    image = Image.objects.select_for_update().get(pk=truth.stimulus.image_id)
    if exclusion_of(truth):
        raise StudyError(_("This image is excluded already."))
    if held_by := _study_with(image, truth.generator):
        raise StudyError(_("The study %(study)s was drawn with this image; it can no longer be excluded.") % held_by)
    exclusion = Exclusion.objects.create(stimulus=truth.stimulus, by=actor, at=at, reason=reason.strip())
    record("stimulus.excluded", actor=actor, subject=truth.stimulus, at=at, reason=reason.strip())
    return exclusion


def exclusion_of(truth: Truth) -> Exclusion | None:
    """The exclusion of this twin, at whichever resolution it was said."""
    same = Truth.objects.filter(stimulus__image=truth.stimulus.image_id, generator=truth.generator)
    return Exclusion.objects.filter(stimulus__in=same.values("stimulus")).select_related("by").first()


def _study_with(image: Image, generator: str) -> dict[str, str] | None:
    """A study that shows this image and draws from this attack: its triptychs show the twin of a real one too."""
    studies = Study.objects.filter(plan__generators__contains=generator)
    held = Allocation.objects.filter(stimulus__image=image, session_plan__study__in=studies)
    code = held.values_list("session_plan__study__code", flat=True).first()
    return {"study": code} if code else None
