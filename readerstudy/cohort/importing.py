"""Import of a batch into a cohort: split by patient, prepared in parallel, stored. `truth` seals the pathologies."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from multiprocessing import get_context

from django.db import transaction

from readerstudy.cohort.models import Cohort, Patient
from readerstudy.cohort.prepare import PreparedImage, prepare
from readerstudy.cohort.splits import split_patients
from readerstudy.cohort.storage import StoredImage, ensure_patient, patient_fingerprint, store_image
from readerstudy.sources.source import ImportBatch, ImportImage, ImportProblem, patient_pathologies
from readerstudy.vocabulary import Pathology, Split

Progress = Callable[[int, int], None]
Seal = Callable[[Sequence[StoredImage]], None]

_WINDOW = 16  # images in one commit, for each process


@dataclass(frozen=True)
class ImportResult:
    """What an import did, for the person who started it."""

    cohort: str
    images_new: int
    images_known: int
    patients: int
    problems: tuple[ImportProblem, ...]


def import_images(
    cohort: Cohort, batch: ImportBatch, *, seal: Seal, progress: Progress, processes: int | None = None
) -> ImportResult:
    """Store the batch's images in the cohort's resolutions. Images that are stored already add nothing.

    `seal` is called with the new images of each commit, inside its transaction: no image is stored without its truth,
    and an interrupted import loses one window at most. Images that cannot be read become problems.
    """
    splits = _splits(cohort, batch.images)
    problems = list(batch.problems)
    new = known = done = 0
    for window in _prepared(cohort, batch.images, processes):
        stored: list[StoredImage] = []
        with transaction.atomic():
            for prepared in window:
                if isinstance(prepared, ImportProblem):
                    problems.append(prepared)
                else:
                    key = prepared.source.patient_key
                    image = store_image(ensure_patient(cohort, key, split=splits[key]), prepared)
                    known += image is None
                    stored += [image] if image else []
                done += 1
                progress(done, len(batch.images))
            seal(stored)
        new += len(stored)
    return ImportResult(cohort.name, new, known, Patient.objects.filter(cohort=cohort).count(), tuple(problems))


def without_changed_patients(cohort: Cohort, batch: ImportBatch, earlier: Mapping[str, str]) -> ImportBatch:
    """Return the batch without patients who had another pathology in an earlier import.

    `earlier` is the stored pathology by fingerprint of the patient. A problem names each patient left out.
    """
    vocabulary = cohort.modality.vocabulary
    problems: dict[str, ImportProblem] = {}
    for key, pathology in patient_pathologies(batch.images).items():
        before = earlier.get(patient_fingerprint(cohort, key), pathology)
        if before != pathology:
            words = (vocabulary.word(pathology), vocabulary.word(Pathology(before)))
            sentence = f"Patient {key} is {words[0]} here, but was imported as {words[1]}. No image was added."
            problems[key] = ImportProblem(key, sentence)
    return replace(
        batch,
        images=tuple(image for image in batch.images if image.patient_key not in problems),
        problems=(*batch.problems, *problems.values()),
    )


def _splits(cohort: Cohort, images: Sequence[ImportImage]) -> dict[str, Split]:
    """Return the split of every patient by key; patients of an earlier import keep theirs."""
    pathologies = patient_pathologies(images)
    keys = {patient_fingerprint(cohort, key): key for key in pathologies}
    known = Patient.objects.filter(cohort=cohort).values_list("fingerprint", "split")
    assigned = {keys[fingerprint]: Split(split) for fingerprint, split in known if fingerprint in keys}
    return split_patients(
        pathologies,
        fractions=tuple(cohort.fractions),
        seed=cohort.seed,
        streams={pathology: finding.word for pathology, finding in cohort.modality.findings.items()},
        assigned=assigned,
    )


def _prepared(
    cohort: Cohort, images: Sequence[ImportImage], processes: int | None
) -> Iterator[Iterable[PreparedImage | ImportProblem]]:
    """Prepare in order, window by window; on every core if there are enough images."""
    sizes = {resolution: cohort.size_of(resolution) for resolution in cohort.resolutions}
    work = partial(prepare, modality=cohort.modality_code, sizes=sizes)
    processes = processes or os.cpu_count() or 1
    remaining = iter(images)
    if processes == 1 or len(images) < _WINDOW:
        while window := list(islice(remaining, _WINDOW)):
            yield map(work, window)
        return
    # Spawned, not forked: a forked child would share this process's database connection.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        # A bounded window: encoded images must not pile up in memory when the database is slower.
        while window := list(islice(remaining, _WINDOW * processes)):
            yield pool.map(work, window, chunksize=2)
