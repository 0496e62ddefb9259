"""Importing a cohort: pictures go to `cohort`, their pathology is sealed here."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import Literal

from django.db import transaction

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.models import Cohort, Image, Patient
from readerstudy.cohort.prepare import Prepared, prepare
from readerstudy.cohort.sources.source import Found, Problem, SourceImage, without_contradictions
from readerstudy.cohort.splits import split_patients
from readerstudy.cohort.storage import ensure_cohort, ensure_patient, fingerprint, store_image
from readerstudy.truth.models import Authenticity, ImageTruth, Truth
from readerstudy.vocabulary import Pathology, Split

Progress = Callable[[int, int], None]
PAPER_SPLIT = (0.8, 0.1, 0.1)


@dataclass(frozen=True)
class Imported:
    """What an import did, for the person who started it."""

    cohort: str
    images_new: int
    images_known: int
    patients: int
    problems: tuple[Problem, ...]


def import_cohort(
    name: str,
    found: Found,
    *,
    seed: int,
    at: datetime,
    actor: User | None = None,
    fractions: Sequence[float] = PAPER_SPLIT,
    resolutions: Sequence[str] = ("high", "low"),
    pathology_per: Literal["patient", "image"] = "patient",
    pathology_source: str = "table",
    progress: Progress = lambda done, total: None,
    processes: int | None = None,
) -> Imported:
    """Import every picture that can be; report the others by name. Importing twice adds nothing twice."""
    found = without_contradictions(found, per=pathology_per)
    problems = list(found.problems)
    if not found.images:
        return Imported(name, 0, 0, 0, tuple(problems))
    cohort = ensure_cohort(name, seed=seed, fractions=fractions, resolutions=resolutions, at=at)
    found = _without_turncoats(cohort, found, problems) if pathology_per == "patient" else found
    splits = _splits(cohort, found)
    new = known = done = 0
    for window in _prepared(found.images, resolutions, processes):
        with transaction.atomic():  # one commit for many images; an interrupted import loses one window
            for outcome in window:
                if isinstance(outcome, Problem):
                    problems.append(outcome)
                elif _store(cohort, outcome, split=splits[outcome.source.patient_key], source=pathology_source):
                    new += 1
                else:
                    known += 1
                done += 1
                progress(done, len(found.images))
    record("cohort.imported", actor=actor, subject=cohort, at=at, new=new, known=known, problems=len(problems))
    return Imported(name, new, known, Patient.objects.filter(cohort=cohort).count(), tuple(problems))


def _store(cohort: Cohort, prepared: Prepared, *, split: str, source: str) -> bool:
    """One image with its truth. False where it was there before."""
    patient = ensure_patient(cohort, prepared.source.patient_key, split=split)
    image, stimuli = store_image(patient, prepared)
    if not stimuli:
        return False
    sealed = _seal(image, prepared, said_by=source)
    Truth.objects.bulk_create(
        Truth(stimulus=stimulus, authenticity=Authenticity.REAL, label=sealed.label) for stimulus in stimuli
    )
    return True


def _seal(image: Image, prepared: Prepared, *, said_by: str) -> ImageTruth:
    source = prepared.source
    return ImageTruth.objects.create(
        image=image,
        pathology=source.pathology,
        source=said_by,
        lesions=None if prepared.lesions is None else list(prepared.lesions),
        lesion_kind=source.lesion_kind,
        density=source.density,
    )


def _splits(cohort: Cohort, found: Found) -> dict[str, str]:
    """Every patient's split by patient key; patients of an earlier import keep theirs."""
    pathology = _worst(found.images)
    marks = {fingerprint(f"patient:{cohort.name}:{key}"): key for key in pathology}
    known = Patient.objects.filter(cohort=cohort).values_list("fingerprint", "split")
    assigned = {marks[mark]: Split(split) for mark, split in known if mark in marks}
    return dict(split_patients(pathology, fractions=tuple(cohort.fractions), seed=cohort.seed, assigned=assigned))


def _worst(images: Iterable[SourceImage]) -> dict[str, Pathology]:
    """A woman's pathology is the worst that any of her images shows."""
    worst: dict[str, Pathology] = {}
    for image in images:
        before = worst.get(image.patient_key, image.pathology)
        worst[image.patient_key] = Pathology.worst((before, image.pathology))
    return worst


def _without_turncoats(cohort: Cohort, found: Found, problems: list[Problem]) -> Found:
    """Leave out patients whose earlier import says another pathology than this one."""
    earlier: dict[str, str] = {
        row.image.exam.patient.fingerprint: row.pathology
        for row in ImageTruth.objects.filter(image__exam__patient__cohort=cohort).select_related("image__exam__patient")
    }
    said = {
        key: (earlier[mark], pathology)
        for key, pathology in _worst(found.images).items()
        if (mark := fingerprint(f"patient:{cohort.name}:{key}")) in earlier and earlier[mark] != pathology
    }
    problems += [
        Problem(key, f"Patient {key} is {now_said} here, but was imported as {before}. Nothing of hers was added.")
        for key, (before, now_said) in said.items()
    ]
    return Found(tuple(image for image in found.images if image.patient_key not in said), found.problems)


def _prepared(
    images: Sequence[SourceImage], resolutions: Sequence[str], processes: int | None
) -> Iterator[Iterable[Prepared | Problem]]:
    """Prepare in order, window by window, on every core where there is enough to do."""
    work = partial(prepare, resolutions=tuple(resolutions))
    processes = processes or os.cpu_count() or 1
    rest = iter(images)
    if processes == 1 or len(images) < 16:
        while window := list(islice(rest, 16)):
            yield map(work, window)
        return
    # Spawned, not forked: a forked child would share this process's database connection.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        # A bounded window: encoded pictures must not pile up in memory when the database is slower.
        while window := list(islice(rest, 16 * processes)):
            yield pool.map(work, window, chunksize=2)
