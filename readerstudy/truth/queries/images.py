"""Images of a cohort with their truth, for training, attacks, evaluation and the draw of a study.

Only jobs and actions call these; no page shows what they return. The educational session is the exception
(`find_adversarial_image`): its caller asks `seal.may_show_triptych` first.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.errors import StudyError
from readerstudy.studies.models import SessionPlan
from readerstudy.truth.models import Exclusion, ImageTruth, Truth
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import Direction, Pathology


@dataclass(frozen=True)
class RealImage:
    """A stored real image with its label, 1 positive and 0 other. `source_` is the imported file.

    Attributes and groups are by name.
    """

    stimulus_id: int
    image_id: int
    path: Path
    label: int
    patient: str
    split: str
    source_rows: int
    source_columns: int
    source_bits: int
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    groups: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class AdversarialImage:
    """A stored adversarial image with the file of the signed difference from its source image."""

    stimulus_id: int
    source_id: int  # the stimulus that it was made from
    image_id: int  # shared by both
    generator: str
    direction: Direction
    path: Path
    bytes: int
    difference_path: Path
    difference_bytes: int


def real_images(cohort: Cohort, resolution: str) -> list[RealImage]:
    """Return every real image of the cohort at this resolution, in a fixed order. Raises StudyError without any."""
    rows = Truth.objects.filter(
        authenticity=Authenticity.REAL,
        stimulus__resolution=resolution,
        stimulus__image__exam__patient__cohort=cohort,
    )
    real = set(rows.values_list("stimulus_id", flat=True))
    truths = {row.image_id: row for row in ImageTruth.objects.filter(image__exam__patient__cohort=cohort)}
    stimuli = Stimulus.objects.filter(image__exam__patient__cohort=cohort, resolution=resolution)
    names = [attribute.name for attribute in cohort.modality.attributes if attribute.is_exported]

    def order(stimulus: Stimulus) -> tuple[str, ...]:
        image = stimulus.image
        return image.exam.patient.pseudonym, *(image.attributes.get(name, "") for name in names), image.fingerprint

    ordered = sorted(stimuli.select_related("image__exam__patient"), key=order)
    images = [_real_image(stimulus, truths[stimulus.image_id]) for stimulus in ordered if stimulus.pk in real]
    if not images:
        raise StudyError(f"The cohort {cohort.name} has no images at {resolution} resolution.")
    return images


def find_real_file(image_id: int, *, resolution: str) -> Path | None:
    """Return the file of the image's real stimulus at this resolution, None if there is none."""
    truth = Truth.objects.filter(
        stimulus__image_id=image_id, stimulus__resolution=resolution, authenticity=Authenticity.REAL
    )
    stimulus = Stimulus.objects.filter(pk__in=truth.values("stimulus")).first()
    return stimulus.path if stimulus else None


def _real_image(stimulus: Stimulus, truth: ImageTruth) -> RealImage:
    image = stimulus.image
    return RealImage(
        stimulus_id=stimulus.pk,
        image_id=image.pk,
        path=stimulus.path,
        label=truth.label,
        patient=image.exam.patient.pseudonym,
        split=image.exam.patient.split,
        source_rows=image.source_rows,
        source_columns=image.source_columns,
        source_bits=image.source_bits,
        attributes=image.attributes,
        groups=truth.groups,
    )


def adversarial_images(
    cohort: Cohort,
    resolution: str,
    generators: Sequence[str],
    *,
    with_excluded: bool = False,
    excluded_before: datetime | None = None,
) -> dict[int, AdversarialImage]:
    """Return the adversarial images of these attacks by image.

    An image whose adversarial version was excluded, at any resolution, is left out: the article's arms read the same
    images at both. With `excluded_before` only those excluded before that time are left out, so that a study can be
    drawn again.
    """
    rows: Any = Truth.objects.filter(
        authenticity=Authenticity.ADVERSARIAL,
        generator__in=generators,
        stimulus__resolution=resolution,
        stimulus__image__exam__patient__cohort=cohort,
    ).select_related("stimulus")
    excluded = set() if with_excluded else _excluded(cohort, generators, before=excluded_before)
    return {
        row.stimulus.image_id: _adversarial_image(row)
        for row in rows
        if (row.stimulus.image_id, row.generator) not in excluded
    }


def _excluded(cohort: Cohort, generators: Sequence[str], *, before: datetime | None) -> set[tuple[int, str]]:
    """Return image and attack of every excluded adversarial image of the cohort."""
    exclusions = Exclusion.objects.filter(stimulus__image__exam__patient__cohort=cohort)
    if before is not None:
        exclusions = exclusions.filter(at__lt=before)
    rows = Truth.objects.filter(generator__in=generators, stimulus__in=exclusions.values("stimulus"))
    return set(rows.values_list("stimulus__image_id", "generator"))


def find_adversarial_image(source: Stimulus, plan: SessionPlan) -> AdversarialImage:
    """Return the adversarial image of a real stimulus that the session shows, by the attacks of the session."""
    generators = plan.study.plan["sessions"][plan.number - 1]["generators"]
    rows = Truth.objects.filter(source_image=source, generator__in=generators)
    return _adversarial_image(rows.select_related("stimulus").get())


def _adversarial_image(row: Any) -> AdversarialImage:
    return AdversarialImage(
        stimulus_id=row.stimulus_id,
        source_id=row.source_image_id,
        image_id=row.stimulus.image_id,
        generator=row.generator,
        direction=Direction(row.direction),
        path=row.stimulus.path,
        bytes=row.stimulus.bytes,
        difference_path=Path(settings.MEDIA_ROOT) / row.difference_file,
        difference_bytes=row.difference_bytes or 0,
    )


# --- attacks ------------------------------------------------------------------------------------------------
def attacks_by_direction(cohort: Cohort, resolution: str) -> dict[Direction, set[str]]:
    """Return the names of the attacks with images of the cohort at a resolution, for each direction."""
    pairs = set(_altered(cohort.name, resolution).values_list("direction", "generator"))
    return {direction: {name for made, name in pairs if made == direction} for direction in Direction}


def count_supply(
    cohort: Cohort, resolution: str, generators: Collection[str]
) -> dict[tuple[str, int], tuple[int, int]]:
    """Return, by split and label, how many images there are and how many have an adversarial version of these attacks.

    Excluded adversarial images do not count.
    """
    rows = ImageTruth.objects.filter(image__exam__patient__cohort=cohort)
    pools = {
        image: (split, int(pathology == Pathology.POSITIVE))
        for image, split, pathology in rows.values_list("image_id", "image__exam__patient__split", "pathology")
    }
    excluded = _excluded(cohort, list(generators), before=None)
    pairs = _altered(cohort.name, resolution).filter(generator__in=generators)
    attacked = {pair[0] for pair in pairs.values_list("stimulus__image_id", "generator") if pair not in excluded}
    images, with_adversarial = Counter(pools.values()), Counter(pools[image] for image in attacked)
    return {pool: (count, with_adversarial[pool]) for pool, count in images.items()}


def attacks_with_images(cohort: str, resolution: str) -> list[str]:
    """Return the names of the attacks with images of the cohort at a resolution, in order."""
    return sorted(_altered(cohort, resolution).values_list("generator", flat=True).distinct())


def all_attacks_with_images() -> set[str]:
    """Return the names of the attacks with images of any cohort."""
    return set(
        Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL).values_list("generator", flat=True).distinct()
    )


def _altered(cohort: str, resolution: str) -> "QuerySet[Truth]":
    return Truth.objects.filter(
        authenticity=Authenticity.ADVERSARIAL,
        stimulus__resolution=resolution,
        stimulus__image__exam__patient__cohort__name=cohort,
    )


def count_adversarial_images(generators: Collection[str]) -> int:
    """Return the number of adversarial images by these attacks, at all resolutions."""
    return Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL, generator__in=generators).count()


def count_real_images(cohort: str) -> int:
    """Return the number of real images of the cohort with this name, at all resolutions."""
    return Truth.objects.filter(
        authenticity=Authenticity.REAL, stimulus__image__exam__patient__cohort__name=cohort
    ).count()


# --- pathology ----------------------------------------------------------------------------------------------
def lesions_by_image(images: Collection[int]) -> dict[int, list[dict[str, float]]]:
    """Return the boxes of known lesions by image, as `ImageTruth.lesions`; images without one are left out."""
    rows = ImageTruth.objects.filter(image__in=images).values_list("image_id", "lesions")
    return {image: lesions for image, lesions in rows if lesions}


def worst_pathology_by_patient(cohort: str) -> dict[str, Pathology]:
    """Return the worst pathology over the images of each patient of the cohort with this name, by pseudonym."""
    rows = ImageTruth.objects.filter(image__exam__patient__cohort__name=cohort)
    worst: dict[str, Pathology] = {}
    for patient, pathology in rows.values_list("image__exam__patient__pseudonym", "pathology"):
        worst[patient] = Pathology.worst((worst.get(patient, pathology), pathology))
    return worst
