"""Reads that join pictures with the truth."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.errors import StudyError
from readerstudy.studies.models import Enrollment, Presentation, Study
from readerstudy.truth.models import Authenticity, Exclusion, ImageTruth, Score, Truth
from readerstudy.truth.seal import require_rehearsal


@dataclass(frozen=True)
class Twin:
    """The adversarial twin of a real stimulus, and the signed difference between the two."""

    path: Path
    difference_path: Path


@dataclass(frozen=True)
class Picture:
    """One stored picture with what a network is trained on. `key` names it without saying anything."""

    stimulus_id: int
    image_id: int
    path: Path
    label: int
    patient: str
    split: str
    # For subgroups; "" where nobody said.
    view: str = ""
    laterality: str = ""
    lesion_kind: str = ""
    density: str = ""


def twin_of(stimulus: Stimulus, study: Study) -> Twin:
    """The twin that this study draws from, named by the generators in its plan."""
    truth = (
        Truth.objects.filter(parent=stimulus, generator__in=study.plan["generators"]).select_related("stimulus").get()
    )
    return Twin(path=truth.stimulus.path, difference_path=Path(settings.MEDIA_ROOT) / truth.difference_file)


def real_pictures(cohort: Cohort, resolution: str) -> list[Picture]:
    """Every real picture of the cohort at this resolution, in a fixed order."""
    truths = {
        truth.stimulus_id
        for truth in Truth.objects.filter(authenticity=Authenticity.REAL, stimulus__resolution=resolution)
    }
    sealed = {row.image_id: row for row in ImageTruth.objects.filter(image__exam__patient__cohort=cohort)}
    stimuli = (
        Stimulus.objects.filter(image__exam__patient__cohort=cohort, resolution=resolution)
        .select_related("image__exam__patient")
        .order_by(
            "image__exam__patient__pseudonym",
            "image__laterality",
            "image__view_position",
            "image__fingerprint",
        )
    )
    pictures = [_picture(stimulus, sealed[stimulus.image_id]) for stimulus in stimuli if stimulus.pk in truths]
    if not pictures:
        raise StudyError(f"The cohort {cohort.name} has no images at {resolution} resolution.")
    return pictures


def _picture(stimulus: Stimulus, sealed: ImageTruth) -> Picture:
    image = stimulus.image
    return Picture(
        stimulus_id=stimulus.pk,
        image_id=image.pk,
        path=stimulus.path,
        label=sealed.label,
        patient=image.exam.patient.pseudonym,
        split=image.exam.patient.split,
        view=image.view_position,
        laterality=image.laterality,
        lesion_kind=sealed.lesion_kind,
        density=sealed.density,
    )


def adversarial_codes(enrollment: Enrollment) -> set[str]:
    """Return the codes under which this reader sees adversarial images. Raises StudyError unless it is a rehearsal."""
    require_rehearsal(enrollment.study)
    altered = Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL).values("stimulus_id")
    rows = Presentation.objects.filter(reading_list__enrollment=enrollment, stimulus_id__in=altered)
    return set(rows.values_list("code", flat=True))


def twins(
    cohort: Cohort,
    resolution: str,
    generators: list[str],
    *,
    with_excluded: bool = False,
    excluded_before: datetime | None = None,
) -> dict[int, Truth]:
    """The adversarial truths made by these generators, by the image they were made from.

    An image whose twin was excluded, at whichever resolution, has none here: the article's arms read the same
    images at both. `excluded_before` looks away from what was excluded later, so that a study can be drawn again.
    """
    rows: Any = Truth.objects.filter(
        authenticity=Authenticity.ADVERSARIAL,
        generator__in=generators,
        stimulus__resolution=resolution,
        stimulus__image__exam__patient__cohort=cohort,
    ).select_related("stimulus", "parent")
    out = set() if with_excluded else _excluded(cohort, generators, before=excluded_before)
    return {row.stimulus.image_id: row for row in rows if (row.stimulus.image_id, row.generator) not in out}


def _excluded(cohort: Cohort, generators: list[str], *, before: datetime | None) -> set[tuple[int, str]]:
    """Image and generator of every excluded twin of the cohort."""
    exclusions = Exclusion.objects.filter(stimulus__image__exam__patient__cohort=cohort)
    if before is not None:
        exclusions = exclusions.filter(at__lt=before)
    rows = Truth.objects.filter(generator__in=generators, stimulus__in=exclusions.values("stimulus"))
    return set(rows.values_list("stimulus__image_id", "generator"))


def scores_by(classifier: str, stimuli: Collection[int]) -> dict[int, float]:
    """Stored probabilities of malignancy of these stimuli by this run, by stimulus; without those never judged."""
    rows = Score.objects.filter(classifier=classifier, stimulus__in=stimuli)
    return dict(rows.values_list("stimulus_id", "probability"))


def case_keys(stimuli: Collection[int]) -> dict[int, int]:
    """Return the key of the truth of each of these stimuli, by stimulus, in the order of those keys.

    An analysis names its cases by them: they are in the order of storing, while the keys of stimuli are random.
    """
    return dict(Truth.objects.filter(stimulus__in=stimuli).order_by("pk").values_list("stimulus_id", "pk"))


def count_of_twins(generator: str) -> int:
    """How many adversarial images there are by this attack."""
    return Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL, generator=generator).count()
