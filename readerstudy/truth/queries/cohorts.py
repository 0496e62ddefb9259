"""Counts of a cohort's truth. They name no image, so they may be shown in any report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from readerstudy.cohort.models import Cohort, Image
from readerstudy.sealed_work import sealed_work
from readerstudy.truth.models import ImageTruth, Truth
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import Pathology


@dataclass(frozen=True)
class SplitPathology:
    """Real images of one split: all, those that are positive; and patients: all, those with a positive image."""

    images: int
    positive_images: int
    patients: int
    positive_patients: int


def _of_real_images() -> "QuerySet[ImageTruth]":
    """Return the pathologies without those of synthetic images, which no patient of a cohort has."""
    real = Truth.objects.filter(stimulus__image=OuterRef("image"), authenticity=Authenticity.REAL)
    return ImageTruth.objects.filter(Exists(real))


def real_images_of(cohort: Cohort) -> "QuerySet[Image]":
    """Return the images of the cohort without synthetic ones."""
    real = Truth.objects.filter(stimulus__image=OuterRef("pk"), authenticity=Authenticity.REAL)
    return Image.objects.filter(Exists(real), exam__patient__cohort=cohort)


@sealed_work()
def count_synthetic_patients(cohort: Cohort) -> int:
    """Return the number of groups of synthetic images, which are stored as patients of the cohort."""
    patient = "stimulus__image__exam__patient"
    rows = Truth.objects.filter(
        authenticity=Authenticity.ADVERSARIAL, source_image=None, **{f"{patient}__cohort": cohort}
    )
    return len(set(rows.values_list(patient, flat=True)))


@sealed_work()
def count_pathologies(cohort: Cohort) -> dict[str, int]:
    """Return the number of real images of the cohort by pathology."""
    rows = _of_real_images().filter(image__exam__patient__cohort=cohort).order_by().values_list("pathology")
    return dict(rows.annotate(count=Count("pk")))


@sealed_work()
def pathology_sources(cohort: Cohort) -> tuple[str, ...]:
    """Return where the pathology of the cohort's real images comes from, in order."""
    rows = _of_real_images().filter(image__exam__patient__cohort=cohort)
    return tuple(rows.order_by("source").values_list("source", flat=True).distinct())


@sealed_work()
def count_pathologies_by_split(cohort: Cohort) -> dict[str, SplitPathology]:
    """Return counts of the cohort's real images by split; splits without images are left out."""
    is_positive = Q(pathology=Pathology.POSITIVE)
    rows = (
        _of_real_images()
        .filter(image__exam__patient__cohort=cohort)
        .values_list("image__exam__patient__split")
        .annotate(
            images=Count("pk"),
            positive_images=Count("pk", filter=is_positive),
            patients=Count("image__exam__patient", distinct=True),
            positive_patients=Count("image__exam__patient", filter=is_positive, distinct=True),
        )
        .order_by()
    )
    return {split: SplitPathology(*counts) for split, *counts in rows}


@dataclass(frozen=True)
class CohortCounts:
    """Real images of a cohort by split and pathology, its patients, and images that each attack has made."""

    images: Mapping[tuple[str, str], int]
    attacks: Mapping[str, int]
    patients: int = 0


@sealed_work()
def count_cohorts() -> dict[int, CohortCounts]:
    """Return the counts of every cohort by its key. An image counts once for an attack, whatever its resolutions."""
    patient = "image__exam__patient"
    images: dict[int, dict[tuple[str, str], int]] = {}
    real = _of_real_images().order_by()
    rows = real.values_list(f"{patient}__cohort", f"{patient}__split", "pathology")
    for cohort, split, pathology, count in rows.annotate(count=Count("pk")):
        images.setdefault(cohort, {})[split, pathology] = count
    patients = dict(real.values_list(f"{patient}__cohort").annotate(count=Count(patient, distinct=True)))
    attacks: dict[int, dict[str, int]] = {}
    altered = Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL).order_by()
    pairs = altered.values_list(f"stimulus__{patient}__cohort", "generator")
    for cohort, attack, count in pairs.annotate(count=Count("stimulus__image", distinct=True)):
        attacks.setdefault(cohort, {})[attack] = count
    return {key: CohortCounts(counts, attacks.get(key, {}), patients[key]) for key, counts in images.items()}


@sealed_work()
def count_adversarial_images_by_resolution(cohort: Cohort, generators: Sequence[str]) -> dict[str, int]:
    """Return the number of the cohort's adversarial images by these attacks, by resolution."""
    truths = Truth.objects.filter(
        authenticity=Authenticity.ADVERSARIAL,
        generator__in=generators,
        stimulus__image__exam__patient__cohort=cohort,
    )
    return dict(truths.values_list("stimulus__resolution").annotate(count=Count("pk")).order_by())
