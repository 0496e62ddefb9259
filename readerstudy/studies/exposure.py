"""Images of a study that a reader has been shown, or will be shown, in other studies. Tells nothing about any image."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext, ngettext

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort, Image
from readerstudy.errors import StudyError
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Allocation, Enrollment, Presentation, Study


class SeenBefore(StudyError):
    """Other studies show the reader images of this one, and nobody has given a reason to enrol them nevertheless."""


@dataclass(frozen=True)
class Exposure:
    """The number of images of a study that another study shows to a reader."""

    study: str
    images: int


def images_shown_elsewhere(study: Study, reader: User) -> tuple[Exposure, ...]:
    """Return how many images of the study other studies show to the reader, by the code of the other study.

    Before the draw, every image of the cohort counts. An adversarial image counts as the image that it was made from.
    Rehearsals do not count, nor what a withdrawn reader was never shown.
    """
    return images_shown_to_readers(study, [reader]).get(reader.pk, ())


def images_shown_to_readers(
    study: Study, readers: Collection[User], *, cohort: Cohort | None = None
) -> dict[int, tuple[Exposure, ...]]:
    """Return the same for several readers, by their keys; one query. `cohort`: of a draft, in place of its own."""
    if study.is_rehearsal:
        return {}
    shown = Q(reading_list__enrollment__withdrawn_at=None) | Q(showing__isnull=False)
    rows = (
        Presentation.objects.filter(
            shown,
            reading_list__enrollment__reader__in=readers,
            reading_list__enrollment__study__is_rehearsal=False,
            stimulus__image__in=_images_of(study, cohort or study.cohort),
        )
        .exclude(reading_list__enrollment__study=study)
        .order_by()
        .values_list("reading_list__enrollment__reader", "reading_list__enrollment__study__code")
        .annotate(images=Count("stimulus__image", distinct=True))
        .order_by("reading_list__enrollment__study__code")
    )
    found: dict[int, tuple[Exposure, ...]] = {}
    for reader, code, images in rows:
        found[reader] = (*found.get(reader, ()), Exposure(code, images))
    return found


def require_new_images(study: Study, reader: User, *, override_reason: str, actor: User | None) -> None:
    """Raise SeenBefore if another study shows the reader images of this one, unless there is a reason to allow it."""
    exposures = () if override_reason else images_shown_elsewhere(study, reader)
    if exposures:
        raise SeenBefore(exposure_sentence(reader, exposures, told_to=actor))


def exposure_sentence(reader: User, exposures: tuple[Exposure, ...], *, told_to: User | None) -> str:
    """Return that the reader cannot be enrolled without a reason, with what `exposure_parts` tells."""
    sentence = gettext("%(person)s has seen or will see %(parts)s. Enrol them only with a reason.")
    return sentence % {"person": reader, "parts": exposure_parts(exposures, told_to=told_to)}


def require_reason_for_drawn(enrollment: Enrollment, *, actor: User | None) -> None:
    """Raise SeenBefore if another study shows an enrolled reader drawn images, and no reason to allow it is stored."""
    exposures = () if enrollment.override_reason else images_shown_elsewhere(enrollment.study, enrollment.reader)
    if exposures:
        sentence = gettext(
            "%(person)s (%(reader)s) has seen or will see %(parts)s. Give a reason to allow it on the page where the "
            "study is locked, or withdraw the reader."
        )
        parts = exposure_parts(exposures, told_to=actor)
        raise SeenBefore(sentence % {"person": enrollment.reader, "reader": enrollment.code, "parts": parts})


def exposed_without_reason(study: Study) -> list[Enrollment]:
    """Return the readers who take part and see images of the study elsewhere, without a stored reason to allow it."""
    rows = Enrollment.objects.filter(study=study, withdrawn_at=None, override_reason="").select_related("reader")
    enrollments = list(rows.order_by("pk"))
    shown = images_shown_to_readers(study, [each.reader for each in enrollments])
    return [each for each in enrollments if each.reader_id in shown]


def exposure_parts(exposures: tuple[Exposure, ...], *, told_to: User | None) -> str:
    """Return the numbers of images and the studies that show them, as far as the person takes part in these."""
    own = None if told_to is None else set(studies_of(told_to).values_list("code", flat=True))
    parts = [
        ngettext("%(images)d of its images in %(study)s", "%(images)d of its images in %(study)s", each.images)
        % {"images": each.images, "study": each.study if own is None or each.study in own else gettext("another study")}
        for each in exposures
    ]
    return ", ".join(parts)


def _images_of(study: Study, cohort: Cohort) -> QuerySet[Image]:
    if study.is_editable:
        return Image.objects.filter(exam__patient__cohort=cohort)
    drawn = Allocation.objects.filter(session_plan__study=study)
    return Image.objects.filter(pk__in=drawn.values("stimulus__image"))
