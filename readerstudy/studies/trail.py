"""The audit trail of studies: who may see which events, and reviews that are signed off."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.models import Event
from readerstudy.errors import BadInput
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Enrollment, Study

LONGEST_REMARK: Final = 1000


def event_scopes(person: User) -> list[Q]:
    """Return the parts of the trail that the person may see, as conditions that an index answers each.

    Superusers see everything, researchers their studies and what belongs to no study, such as sign-ins. Coordinators
    see their studies, what they did themselves, and sign-ins, links and accounts of themselves and their readers.
    """
    if person.is_superuser:
        return [Q()]
    codes = list(studies_of(person).values_list("code", flat=True))
    scopes = [Q(study=code) for code in codes]
    if person.is_researcher:
        return [*scopes, Q(study="")]
    readers = Enrollment.objects.filter(study__code__in=codes).values_list("reader", flat=True).distinct()
    own = [f"{User._meta.label_lower}:{pk}" for pk in {person.pk, *readers}]
    return [*scopes, Q(actor=person), Q(study="", subject__in=own)]


@transaction.atomic
def review_trail(*, study: Study, up_to: int, remark: str, actor: User, at: datetime) -> Event:
    """Sign off a review of the study's events up to this one.

    Raises BadInput without a remark, for an event of another study, or for one that was reviewed before.
    """
    remark = remark.strip()
    if not remark or len(remark) > LONGEST_REMARK:
        raise BadInput(_("Write a remark of at most %(most)d characters.") % {"most": LONGEST_REMARK})
    study = Study.objects.select_for_update().get(pk=study.pk)
    if not Event.objects.filter(pk=up_to, study=study.code).exists():
        raise BadInput(_("The trail of the study has no event %(number)d.") % {"number": up_to})
    last = Event.objects.filter(verb="trail.reviewed", study=study.code).order_by("-pk").first()
    if last is not None and last.data["up_to"] >= up_to:
        raise BadInput(_("The trail was reviewed up to event %(number)d before.") % {"number": last.data["up_to"]})
    return record("trail.reviewed", actor=actor, subject=study, at=at, up_to=up_to, remark=remark)
