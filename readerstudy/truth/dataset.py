"""Reads that join pictures with the truth."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.errors import StudyError
from readerstudy.studies.models import Enrollment, Presentation, Study
from readerstudy.truth.models import Authenticity, ImageTruth, Score, Truth


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
    labels = {row.image_id: row.label for row in ImageTruth.objects.filter(image__exam__patient__cohort=cohort)}
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
    pictures = [
        Picture(
            stimulus_id=stimulus.pk,
            image_id=stimulus.image_id,
            path=stimulus.path,
            label=labels[stimulus.image_id],
            patient=stimulus.image.exam.patient.pseudonym,
            split=stimulus.image.exam.patient.split,
        )
        for stimulus in stimuli
        if stimulus.pk in truths
    ]
    if not pictures:
        raise StudyError(f"The cohort {cohort.name} has no images at {resolution} resolution.")
    return pictures


def adversarial_codes(enrollment: Enrollment) -> set[str]:
    """The codes under which this reader sees adversarial stimuli; for simulated readers and audits only."""
    altered = Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL).values("stimulus_id")
    rows = Presentation.objects.filter(reading_list__enrollment=enrollment, stimulus_id__in=altered)
    return set(rows.values_list("code", flat=True))


def twins(cohort: Cohort, resolution: str, generators: list[str]) -> dict[int, Truth]:
    """The adversarial truths made by these generators, by the image they were made from."""
    rows: Any = Truth.objects.filter(
        authenticity=Authenticity.ADVERSARIAL,
        generator__in=generators,
        stimulus__resolution=resolution,
        stimulus__image__exam__patient__cohort=cohort,
    ).select_related("stimulus", "parent")
    return {row.stimulus.image_id: row for row in rows}


def scores_by(classifier: str, stimuli: Collection[int]) -> dict[int, float]:
    """Stored probabilities of malignancy of these stimuli by this run, by stimulus; without those never judged."""
    rows = Score.objects.filter(classifier=classifier, stimulus__in=stimuli)
    return dict(rows.values_list("stimulus_id", "probability"))
