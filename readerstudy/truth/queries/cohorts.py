"""Counts of a cohort's truth. They name no image, so they may be shown in any report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from readerstudy.cohort.models import Cohort
from readerstudy.truth.models import ImageTruth, Truth
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import Pathology


@dataclass(frozen=True)
class SplitPathology:
    """Images of one split: all, those that are positive, and the patients with a positive image."""

    images: int
    positive_images: int
    positive_patients: int


def count_pathologies(cohort: Cohort) -> dict[str, int]:
    """Return the number of images of the cohort by pathology."""
    rows = ImageTruth.objects.filter(image__exam__patient__cohort=cohort).order_by().values_list("pathology")
    return dict(rows.annotate(count=Count("pk")))


def pathology_sources(cohort: Cohort) -> tuple[str, ...]:
    """Return where the pathology of the cohort's images comes from, in order."""
    rows = ImageTruth.objects.filter(image__exam__patient__cohort=cohort)
    return tuple(rows.order_by("source").values_list("source", flat=True).distinct())


def count_pathologies_by_split(cohort: Cohort) -> dict[str, SplitPathology]:
    """Return counts of the cohort's images by split; splits without images are left out."""
    is_positive = Q(pathology=Pathology.POSITIVE)
    rows = (
        ImageTruth.objects.filter(image__exam__patient__cohort=cohort)
        .values_list("image__exam__patient__split")
        .annotate(
            images=Count("pk"),
            positive_images=Count("pk", filter=is_positive),
            positive_patients=Count("image__exam__patient", filter=is_positive, distinct=True),
        )
        .order_by()
    )
    return {split: SplitPathology(*counts) for split, *counts in rows}


@dataclass(frozen=True)
class CohortCounts:
    """Images of a cohort by split and pathology, and images that each attack has changed."""

    images: Mapping[tuple[str, str], int]
    attacks: Mapping[str, int]


def count_cohorts() -> dict[int, CohortCounts]:
    """Return the counts of every cohort by its key. An image counts once for an attack, whatever its resolutions."""
    patient = "image__exam__patient"
    images: dict[int, dict[tuple[str, str], int]] = {}
    rows = ImageTruth.objects.order_by().values_list(f"{patient}__cohort", f"{patient}__split", "pathology")
    for cohort, split, pathology, count in rows.annotate(count=Count("pk")):
        images.setdefault(cohort, {})[split, pathology] = count
    attacks: dict[int, dict[str, int]] = {}
    altered = Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL).order_by()
    pairs = altered.values_list(f"stimulus__{patient}__cohort", "generator")
    for cohort, attack, count in pairs.annotate(count=Count("stimulus__image", distinct=True)):
        attacks.setdefault(cohort, {})[attack] = count
    return {key: CohortCounts(counts, attacks.get(key, {})) for key, counts in images.items()}


def count_adversarial_images_by_resolution(cohort: Cohort, generators: Sequence[str]) -> dict[str, int]:
    """Return the number of the cohort's adversarial images by these attacks, by resolution."""
    truths = Truth.objects.filter(
        authenticity=Authenticity.ADVERSARIAL,
        generator__in=generators,
        stimulus__image__exam__patient__cohort=cohort,
    )
    return dict(truths.values_list("stimulus__resolution").annotate(count=Count("pk")).order_by())
