"""What the checklist says about enrolled readers: their consent, and images that other studies show them."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort
from readerstudy.designer.checklist.lines import Line
from readerstudy.participation.models import ReaderRules
from readerstudy.participation.queries import ConsentState, consents_of
from readerstudy.studies.exposure import exposure_parts, images_shown_to_readers
from readerstudy.studies.models import Enrollment, Study


def reader_warnings(study: Study, cohort: Cohort, *, told_to: User) -> Iterator[Line]:
    """Yield what is to be known of the enrolled readers before a draft on this cohort is locked."""
    enrollments = list(
        Enrollment.objects.filter(study=study, withdrawn_at=None).select_related("reader").order_by("pk")
    )
    if not enrollments:
        text = _("Nobody is enrolled yet. Readers can be invited before and after the study is locked.")
        yield Line("", text, page="people")
        return
    if len(enrollments) == 1:
        yield Line("", _("A test over readers needs at least 2 of them; 1 is enrolled."), page="people")
    yield from _consent(study, enrollments)
    yield from _overlap(study, cohort, enrollments, told_to)


def _consent(study: Study, enrollments: list[Enrollment]) -> Iterator[Line]:
    """Yield how many readers have not agreed to the consent text; nothing if the study has none."""
    given = consents_of(study, [each.pk for each in enrollments])
    missing = [
        each.code for each in enrollments if given[each.pk].state in (ConsentState.MISSING, ConsentState.OUTDATED)
    ]
    if not missing:
        return
    text = ngettext(
        "%(count)d reader has not agreed to the consent text: %(codes)s.",
        "%(count)d readers have not agreed to the consent text: %(codes)s.",
        len(missing),
    ) % {"count": len(missing), "codes": ", ".join(missing)}
    if ReaderRules.of(study).consent_required:
        text += " " + _("No session opens for them until they agree.")
    yield Line("", text, page="people")


def _overlap(study: Study, cohort: Cohort, enrollments: list[Enrollment], told_to: User) -> Iterator[Line]:
    """Yield a line for each reader to whom other studies show images of the cohort."""
    shown = images_shown_to_readers(study, [each.reader for each in enrollments], cohort=cohort)
    for enrollment in enrollments:
        if not (exposures := shown.get(enrollment.reader_id)):
            continue
        values = {
            "reader": enrollment.code,
            "parts": exposure_parts(exposures, told_to=told_to),
            "reason": enrollment.override_reason,
        }
        if enrollment.override_reason:
            text = _("%(reader)s has seen or will see %(parts)s. It is allowed for this reason: %(reason)s")
        else:
            text = _(
                "%(reader)s has seen or will see %(parts)s. The lock is refused if one of these images is drawn and no "
                "reason to allow it is given; give one, withdraw this reader, or use another cohort."
            )
        yield Line("", text % values, page="reader", number=enrollment.pk)
