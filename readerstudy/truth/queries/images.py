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
from django.utils.translation import gettext as _

from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.errors import StudyError
from readerstudy.imaging.image import WHITE
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.models import SessionPlan
from readerstudy.truth.models import Exclusion, ImageTruth, Truth
from readerstudy.truth.strata import Kind
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
    """A stored adversarial image: a synthetic one, or one of a pair with its source image."""

    stimulus_id: int
    image_id: int  # shared with the source image
    generator: str
    path: Path
    bytes: int
    sha256: str
    difference_path: Path | None  # signed, from the source image; None: synthetic, made from no image of the cohort
    difference_bytes: int
    difference_sha256: str

    @property
    def is_synthetic(self) -> bool:
        return self.difference_path is None


@sealed_work()
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
        text = _("The cohort %(cohort)s has no images at %(resolution)s resolution.")
        raise StudyError(text % {"cohort": cohort.name, "resolution": resolution})
    return images


@sealed_work()
def synthetic_images(cohort: Cohort, resolution: str, attacks: Collection[str]) -> list[RealImage]:
    """Return the synthetic images of these attacks at this resolution, described as real images are, in a fixed order.

    Excluded images are among them.
    """
    rows = _altered(cohort.name, resolution).filter(generator__in=attacks, source_image=None)
    stimuli = Stimulus.objects.filter(pk__in=rows.values("stimulus")).select_related("image__exam__patient")
    truths = ImageTruth.objects.filter(image__in=stimuli.values("image")).in_bulk(field_name="image_id")
    images = [_real_image(stimulus, truths[stimulus.image_id]) for stimulus in stimuli]
    return sorted(images, key=lambda image: (image.patient, image.image_id))


@sealed_work()
def find_own_file(image_id: int, *, resolution: str) -> Path | None:
    """Return the file of the image's real stimulus at this resolution, or of a synthetic image; None if there is none.

    Adversarial versions of an image are not its own.
    """
    truth = Truth.objects.filter(stimulus__image_id=image_id, stimulus__resolution=resolution, source_image=None)
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


@sealed_work()
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


@sealed_work()
def find_adversarial_image(source: Stimulus, plan: SessionPlan) -> AdversarialImage:
    """Return the adversarial image of a real stimulus that the session shows, by the attacks of the session."""
    generators = plan.study.plan["sessions"][plan.number - 1]["generators"]
    rows = Truth.objects.filter(source_image=source, generator__in=generators)
    return _adversarial_image(rows.select_related("stimulus").get())


@sealed_work()
def find_direction(source: Stimulus, plan: SessionPlan) -> str:
    """Return the direction of the adversarial image of a real stimulus that the session shows."""
    generators = plan.study.plan["sessions"][plan.number - 1]["generators"]
    return Truth.objects.values_list("direction", flat=True).get(source_image=source, generator__in=generators)


@sealed_work()
def greatest_changes(sources: Collection[int], plan: SessionPlan) -> list[float]:
    """Return the greatest change of a pixel, a share of full scale, in each adversarial image of the session.

    `sources` are the keys of the real stimuli. Images whose quality was not measured are left out.
    """
    generators = plan.study.plan["sessions"][plan.number - 1]["generators"]
    rows = Truth.objects.filter(source_image__in=sources, generator__in=generators)
    figures = rows.values_list("quality", flat=True)
    return [each["linf_levels"] / WHITE for each in figures if each and "linf_levels" in each]


def _adversarial_image(row: Any) -> AdversarialImage:
    return AdversarialImage(
        stimulus_id=row.stimulus_id,
        image_id=row.stimulus.image_id,
        generator=row.generator,
        path=row.stimulus.path,
        bytes=row.stimulus.bytes,
        sha256=row.stimulus.sha256,
        difference_path=Path(settings.MEDIA_ROOT) / row.difference_file if row.difference_file else None,
        difference_bytes=row.difference_bytes or 0,
        difference_sha256=row.difference_sha256,
    )


@sealed_work()
def named_files(files: Collection[str]) -> set[str]:
    """Return those of the media files that a row names, as a stimulus or as a difference image."""
    stimuli = Stimulus.objects.filter(file__in=files).values_list("file", flat=True)
    differences = Truth.objects.filter(difference_file__in=files).values_list("difference_file", flat=True)
    return {*stimuli, *differences}


@dataclass(frozen=True)
class MediaRow:
    """A media file as a row names it: of a stimulus, or a difference image. Which of the two is not said."""

    file: str
    bytes: int | None
    sha256: str


@sealed_work()
def media_rows(prefix: str) -> list[MediaRow]:
    """Return the media files that rows name and that begin with the prefix, in the order of their random names."""
    stimuli = Stimulus.objects.filter(file__startswith=prefix).values_list("file", "bytes", "sha256")
    differences = Truth.objects.filter(difference_file__startswith=prefix).exclude(difference_file="")
    sizes = differences.values_list("difference_file", "difference_bytes", "difference_sha256")
    return sorted((MediaRow(*row) for row in (*stimuli, *sizes)), key=lambda row: row.file)


# --- attacks ------------------------------------------------------------------------------------------------
@sealed_work()
def attacks_by_direction(cohort: Cohort, resolution: str) -> dict[Direction, set[str]]:
    """Return the names of the attacks that made pairs of the cohort at a resolution, for each direction."""
    pairs = set(_altered(cohort.name, resolution).values_list("direction", "generator"))
    return {direction: {name for made, name in pairs if made == direction} for direction in Direction}


@sealed_work()
def synthetic_attacks(cohort: Cohort, resolution: str) -> set[str]:
    """Return the names of the attacks with synthetic images of the cohort at a resolution."""
    return set(_altered(cohort.name, resolution).filter(source_image=None).values_list("generator", flat=True))


@sealed_work()
def count_kinds(cohort: Cohort, drawn_from: Mapping[int, tuple[str, Collection[str]]]) -> Counter[Kind]:
    """Return how many images of each kind the cohort has for a draw.

    `drawn_from` has resolution and attacks by session; the real images are those at the resolution of session 1.
    Excluded adversarial images do not count.
    """
    own = Truth.objects.filter(stimulus__image__exam__patient__cohort=cohort)
    real = set(
        own.filter(authenticity=Authenticity.REAL, stimulus__resolution=drawn_from[1][0]).values_list(
            "stimulus__image_id", flat=True
        )
    )
    attacked: dict[int, set[int]] = {}
    for number, (resolution, attacks) in drawn_from.items():
        excluded = _excluded(cohort, list(attacks), before=None)
        made = _altered(cohort.name, resolution).filter(generator__in=attacks)
        for image, attack in made.values_list("stimulus__image_id", "generator"):
            if (image, attack) not in excluded:
                attacked.setdefault(image, set()).add(number)
    rows = ImageTruth.objects.filter(image__exam__patient__cohort=cohort)
    return Counter(
        Kind(split, int(pathology == Pathology.POSITIVE), frozenset(attacked.get(image, ())), image not in real)
        for image, split, pathology in rows.values_list("image_id", "image__exam__patient__split", "pathology")
        if image in real or image in attacked
    )


@sealed_work()
def attacks_with_images(cohort: str, resolution: str) -> list[str]:
    """Return the names of the attacks with images of the cohort at a resolution, in order."""
    return sorted(_altered(cohort, resolution).values_list("generator", flat=True).distinct())


@sealed_work()
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


@sealed_work()
def count_adversarial_images(generators: Collection[str]) -> int:
    """Return the number of adversarial images by these attacks, at all resolutions."""
    return Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL, generator__in=generators).count()


@sealed_work()
def count_real_images(cohort: str) -> int:
    """Return the number of real images of the cohort with this name, at all resolutions."""
    return Truth.objects.filter(
        authenticity=Authenticity.REAL, stimulus__image__exam__patient__cohort__name=cohort
    ).count()


# --- pathology ----------------------------------------------------------------------------------------------
@sealed_work()
def lesions_by_image(images: Collection[int]) -> dict[int, list[dict[str, float]]]:
    """Return the boxes of known lesions by image, as `ImageTruth.lesions`; images without one are left out."""
    rows = ImageTruth.objects.filter(image__in=images).values_list("image_id", "lesions")
    return {image: lesions for image, lesions in rows if lesions}


@sealed_work()
def worst_pathology_by_patient(cohort: str) -> dict[str, Pathology]:
    """Return the worst pathology over the images of each patient of the cohort with this name, by pseudonym."""
    rows = ImageTruth.objects.filter(image__exam__patient__cohort__name=cohort)
    worst: dict[str, Pathology] = {}
    for patient, pathology in rows.values_list("image__exam__patient__pseudonym", "pathology"):
        worst[patient] = Pathology.worst((worst.get(patient, pathology), pathology))
    return worst
