"""Import of a cohort: `cohort` stores the images, their pathology is sealed here."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.checking import Preview, check_images
from readerstudy.cohort.importing import ImportResult, Progress, import_images, without_changed_patients
from readerstudy.cohort.models import Cohort
from readerstudy.cohort.storage import StoredImage, ensure_cohort, planned_cohort
from readerstudy.modalities import get_modality
from readerstudy.names import require_name
from readerstudy.sealed_work import sealed_work
from readerstudy.sources.affected_side import of_affected_sides
from readerstudy.sources.source import ImportBatch, without_contradictions
from readerstudy.truth.actions.import_rules import importing_into
from readerstudy.truth.models import ImageTruth, Truth
from readerstudy.truth.queries.cohorts import count_synthetic_patients
from readerstudy.truth.queries.images import find_own_file
from readerstudy.truth.terms import Authenticity

PAPER_SPLIT = (0.8, 0.1, 0.1)


def fractions_of(text: str) -> tuple[float, ...]:
    """Return the fractions of a text such as 80/10/10. Raises ValueError for anything else."""
    percents = [float(part) for part in text.split("/")]
    if len(percents) != 3 or abs(sum(percents) - 100) > 1e-9 or not all(percent > 0 for percent in percents):
        raise ValueError(text)
    return tuple(percent / 100 for percent in percents)


@sealed_work()
def import_cohort(
    name: str,
    batch: ImportBatch,
    *,
    seed: int,
    at: datetime,
    actor: User | None = None,
    fractions: Sequence[float] = PAPER_SPLIT,
    resolutions: Sequence[str] | None = None,
    pathology_per: Literal["patient", "image"] = "patient",
    affected_side_only: bool = False,
    pathology_source: str = "table",
    progress: Progress = lambda done, total: None,
    processes: int | None = None,
) -> ImportResult:
    """Import every image that can be imported; name the others. Importing twice adds nothing twice.

    `resolutions` are names of the modality's layouts, all of them by default. With `pathology_per` "patient", patients
    with two pathologies are left out. With "image", each image has its own: one side can be normal, the other not.
    `affected_side_only` leaves out the other side of patients with the finding (`sources.affected_side`).
    Near-copies stay in one split; an image that would lie in two is left out.

    Raises BadInput for a name that breaks the rule or a modality without sides, StudyError if the cohort exists with
    another modality or split, or if another import into it is running.
    """
    require_name(name, label="cohort")
    modality = get_modality(batch.modality)
    per_patient = pathology_per == "patient"
    batch, other_sides = of_affected_sides(batch, side=modality.side) if affected_side_only else (batch, 0)
    batch = without_contradictions(batch, modality.vocabulary) if per_patient else batch
    if not batch.images:
        return ImportResult(name, 0, 0, 0, batch.problems)
    resolutions = tuple(modality.layouts) if resolutions is None else resolutions
    plan: dict[str, Any] = {
        "seed": seed,
        "fractions": fractions,
        "resolutions": resolutions,
        "is_drawn": batch.is_drawn,
    }
    cohort = ensure_cohort(name, modality=modality, at=at, **plan)
    seal = partial(_seal, pathology_source=pathology_source)
    find_file = partial(find_own_file, resolution=cohort.resolutions[-1])
    with importing_into(cohort):
        if per_patient:
            batch = without_changed_patients(cohort, batch, _pathologies(cohort))
        result = import_images(cohort, batch, seal=seal, find_file=find_file, progress=progress, processes=processes)
    result = _without_synthetic(result, cohort)
    counts = {"new": result.images_new, "known": result.images_known, "problems": len(result.problems)}
    if affected_side_only:
        counts["other_sides"] = other_sides
    record("cohort.imported", actor=actor, subject=cohort, at=at, near_copies=len(result.near_copies), **counts)
    return result


@sealed_work()
def check_cohort_import(
    name: str,
    batch: ImportBatch,
    *,
    seed: int,
    preview: Preview,
    scratch: Path,
    fractions: Sequence[float] = PAPER_SPLIT,
    resolutions: Sequence[str] | None = None,
    pathology_per: Literal["patient", "image"] = "patient",
    affected_side_only: bool = False,
    progress: Progress = lambda done, total: None,
    processes: int | None = None,
) -> ImportResult:
    """Return what `import_cohort` would do now, without storing anything.

    `preview` is called with each image that would be imported or is there already; images wait in the folder `scratch`.
    Raises as `import_cohort` does, but for another import that is running.
    """
    require_name(name, label="cohort")
    modality = get_modality(batch.modality)
    per_patient = pathology_per == "patient"
    if affected_side_only:
        batch, _left_out = of_affected_sides(batch, side=modality.side)
    batch = without_contradictions(batch, modality.vocabulary) if per_patient else batch
    resolutions = tuple(modality.layouts) if resolutions is None else resolutions
    plan: dict[str, Any] = {
        "seed": seed,
        "fractions": fractions,
        "resolutions": resolutions,
        "is_drawn": batch.is_drawn,
    }
    cohort = planned_cohort(name, modality=modality, **plan)
    if per_patient:
        batch = without_changed_patients(cohort, batch, _pathologies(cohort))
    find_file = partial(find_own_file, resolution=cohort.resolutions[-1])
    result = check_images(
        cohort,
        batch,
        find_file=find_file,
        preview=preview,
        scratch=scratch,
        progress=progress,
        processes=processes,
    )
    return _without_synthetic(result, cohort)


def _without_synthetic(result: ImportResult, cohort: Cohort) -> ImportResult:
    """Return the result with the number of patients who have real images."""
    return replace(result, patients=result.patients - count_synthetic_patients(cohort)) if cohort.pk else result


def _pathologies(cohort: Cohort) -> dict[str, str]:
    """Return the pathology of every patient of the cohort by the patient's fingerprint."""
    truths = ImageTruth.objects.filter(image__exam__patient__cohort=cohort)
    return dict(truths.values_list("image__exam__patient__fingerprint", "pathology"))


def _seal(images: Sequence[StoredImage], *, pathology_source: str) -> None:
    """Seal the pathology of new images, and that their stimuli are real."""
    truths = ImageTruth.objects.bulk_create(_image_truth(stored, pathology_source) for stored in images)
    Truth.objects.bulk_create(
        Truth(stimulus=stimulus, authenticity=Authenticity.REAL, label=truth.label)
        for stored, truth in zip(images, truths, strict=True)
        for stimulus in stored.stimuli
    )


def _image_truth(stored: StoredImage, pathology_source: str) -> ImageTruth:
    source, lesions = stored.prepared.source, stored.prepared.lesions
    return ImageTruth(
        image=stored.image,
        pathology=source.pathology,
        source=pathology_source,
        lesions=None if lesions is None else list(lesions),
        groups=dict(source.groups),
    )
