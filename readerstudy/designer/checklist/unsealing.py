"""What the checklist says about the later unsealing: who can confirm it, and studies that may share images."""

from collections.abc import Iterator

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort
from readerstudy.designer.checklist.lines import Line
from readerstudy.protocol.document import Protocol
from readerstudy.studies.access import studies_of
from readerstudy.studies.lifecycle import REVEALED, UNDER_WAY
from readerstudy.studies.models import Study, StudyMember


def unsealing_warnings(study: Study, cohort: Cohort, protocol: Protocol, *, told_to: User) -> Iterator[Line]:
    """Yield what could keep a draft on this cohort from being unsealed later, or makes its truth known before."""
    members = StudyMember.objects.filter(study=study, removed_at=None).count()
    if protocol.persons_to_unseal > 1 and members < protocol.persons_to_unseal:
        text = ngettext(
            "Two persons unseal this study, and only %(count)d takes part in it. Add another one.",
            "Two persons unseal this study, and %(count)d take part in it. Add another one.",
            members,
        )
        yield Line("persons_to_unseal", text % {"count": members}, page="team")
    yield from _same_cohort(study, cohort, told_to)


def _same_cohort(study: Study, cohort: Cohort, told_to: User) -> Iterator[Line]:
    """Yield a line for each other study that was drawn from the cohort and is read, or whose truth is known."""
    own = set(studies_of(told_to).values_list("pk", flat=True))
    drawn = Study.objects.filter(cohort=cohort, is_rehearsal=False, status__in=(*UNDER_WAY, *REVEALED))
    images = Count("session_plans__allocations__stimulus__image", distinct=True)
    for other in drawn.exclude(pk=study.pk).annotate(images=images).order_by("code"):
        values = {"study": other.code if other.pk in own else _("another study"), "images": other.images}
        if other.status in UNDER_WAY:
            text = _(
                "%(images)s images of this cohort are being read in %(study)s. If this study draws images of the same "
                "patients, neither can be unsealed before the other is closed."
            )
        else:
            text = _(
                "The truth of %(images)s images of this cohort was unsealed in %(study)s. This study may draw some of "
                "them."
            )
        yield Line("", text % values)
