"""Import of a batch into a cohort: split by patient, prepared in parallel, stored. `truth` seals the pathologies."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_noop

from readerstudy.cohort.copies import CopySearch, FindFile, KnownImage, Link
from readerstudy.cohort.models import Cohort, Patient
from readerstudy.cohort.prepare import PreparedImage, prepare
from readerstudy.cohort.splits import settle, split_patients
from readerstudy.cohort.storage import StoredImage, ensure_patient, patient_fingerprint, store_image
from readerstudy.cohort.workers import usable_processes
from readerstudy.errors import Sentence as _
from readerstudy.sources.source import ImportBatch, ImportImage, ImportProblem, patient_pathologies
from readerstudy.vocabulary import Pathology, Split

Progress = Callable[[int, int], None]
Seal = Callable[[Sequence[StoredImage]], None]

_WINDOW = 16  # images in one commit at least, for each process; patients stay whole


@dataclass(frozen=True)
class FoundCopy:
    """A stored image that is a copy of another image of the cohort, for the person who started the import."""

    name: str
    other: str  # the other image's file, or its patient if that was imported earlier
    kind: str  # exact or near
    correlation: float
    split: str  # of both


@dataclass(frozen=True)
class ImportResult:
    """What an import did, for the person who started it."""

    cohort: str
    images_new: int
    images_known: int
    patients: int
    problems: tuple[ImportProblem, ...]
    near_copies: tuple[FoundCopy, ...] = ()
    notes: tuple[str, ...] = ()  # on the source as a whole


def import_images(
    cohort: Cohort,
    batch: ImportBatch,
    *,
    seal: Seal,
    find_file: FindFile,
    progress: Progress,
    processes: int | None = None,
) -> ImportResult:
    """Store the batch's images in the cohort's resolutions. Images that are stored already add nothing.

    `seal` is called with the new images of each commit, inside its transaction: no image is stored without its truth,
    and an interrupted import loses one window at most. Images that cannot be read become problems. Copies of an image
    stay in one split (`cohort.copies`); `find_file` returns the file of a stored image's real stimulus.
    """
    importer = Importer(cohort, batch, CopySearch(cohort, find_file=find_file), progress)
    new = 0
    for window in prepared_windows(cohort, batch.images, processes):
        with transaction.atomic():
            stored = importer.take(window)
            seal(stored)
        new += len(stored)
    return importer.result(new=new)


class Importer:
    """One import: the split of every patient, the search for copies, and what there is to report."""

    def __init__(self, cohort: Cohort, batch: ImportBatch, search: CopySearch, progress: Progress) -> None:
        self.problems = list(batch.problems)
        self._notes = batch.notes
        self._cohort = cohort
        self._known_splits = _known_splits(cohort, batch.images)
        self._splits = _splits(cohort, batch.images, self._known_splits)
        self._search = search
        self._copies: list[FoundCopy] = []
        self._known = 0
        self._progress, self._done, self._total = progress, 0, len(batch.images)

    def take(self, window: "Window") -> list[StoredImage]:
        """Store the images of whole patients; return the new ones."""
        stored: list[StoredImage] = []
        for patient_key, of_patient in groupby(zip(*window, strict=True), key=lambda pair: pair[0].patient_key):
            images: list[PreparedImage] = []
            for _source, image in of_patient:
                if isinstance(image, ImportProblem):
                    self.problems.append(image)
                else:
                    images.append(image)
                self._done += 1
                self._progress(self._done, self._total)
            stored += self.store_patient(patient_key, images)
        return stored

    def result(self, *, new: int) -> ImportResult:
        patients = Patient.objects.filter(cohort=self._cohort).count()
        problems, copies = tuple(self.problems), tuple(self._copies)
        return ImportResult(self._cohort.name, new, self._known, patients, problems, copies, self._notes)

    def store_patient(self, patient_key: str, prepared: Sequence[PreparedImage]) -> list[StoredImage]:
        """Store the images of one patient, in one split with their copies; return the new ones."""
        found = [self._find_copies(patient_fingerprint(self._cohort, patient_key), image) for image in prepared]
        settlement = settle(
            self._splits[patient_key],
            [candidate.splits_of_others for candidate in found],
            is_fixed=patient_key in self._known_splits,
        )
        for number, candidate in enumerate(found):
            if candidate.is_new:
                candidate.image.split = settlement.split
                candidate.image.is_left_out = number in settlement.left_out
        stored = (self._store(patient_key, candidate) for candidate in found)
        return [image for image in stored if image]

    def _find_copies(self, patient: str, prepared: PreparedImage) -> "Candidate":
        known = self._search.find_known(patient, prepared)
        if known:
            return Candidate(prepared, known, (), is_new=False)
        return Candidate(prepared, *self._search.add(patient, prepared), is_new=True)

    def _store(self, patient_key: str, candidate: "Candidate") -> StoredImage | None:
        image = candidate.image
        if image.is_left_out:
            self.problems.append(left_out(candidate))
            image.signature = None  # is not compared any more
            return None
        if candidate.is_new:
            self._search.join(image, candidate.links)
        patient = ensure_patient(self._cohort, patient_key, split=image.split)
        stored = store_image(patient, candidate.prepared, moment=image.moment)
        if stored is None:
            self._known += 1
            return None
        self._search.was_stored(image, stored)
        self._note_copy(candidate)
        return stored

    def _note_copy(self, candidate: "Candidate") -> None:
        image, closest = candidate.image, candidate.closest_copy
        if closest:
            values = (image.name, closest.image.label, closest.kind, closest.correlation, image.split)
            self._copies.append(FoundCopy(*values))


@dataclass(frozen=True)
class Candidate:
    """A prepared image of one patient, with its copies among the images before it."""

    prepared: PreparedImage
    image: KnownImage
    links: tuple[Link, ...]
    is_new: bool

    @property
    def splits_of_others(self) -> set[Split]:
        """Return the splits in which other patients have copies."""
        return {Split(link.image.split) for link in self.links if link.image.patient != self.image.patient}

    @property
    def closest_copy(self) -> Link | None:
        copies = [link for link in self.links if link.kind != "recording" and not link.image.is_left_out]
        return max(copies, key=lambda link: link.correlation, default=None)


_LEFT_OUT: Final = {
    "exact": gettext_noop(
        "has the same pixels as %(label)s in the split %(other)s, but its patient is in the split %(split)s. The image "
        "is left out."
    ),
    "near": gettext_noop(
        "is a near-copy of %(label)s in the split %(other)s, but its patient is in the split %(split)s. The image is "
        "left out."
    ),
    "recording": gettext_noop(
        "is of one recording with %(label)s in the split %(other)s, but its patient is in the split %(split)s. The "
        "image is left out."
    ),
}


def left_out(candidate: Candidate) -> ImportProblem:
    """Return why an image with a copy in another split is not imported."""
    name, image = candidate.prepared.source.name, candidate.image
    others = [
        link for link in candidate.links if link.image.patient != image.patient and link.image.split != image.split
    ]
    if not others:
        return ImportProblem(name, _("has the same pixels as %(name)s, which was left out.", name=image.name))
    link = others[0]
    values = {"label": link.image.label, "other": link.image.split, "split": image.split}
    return ImportProblem(name, _(_LEFT_OUT[link.kind], **values))


def without_changed_patients(cohort: Cohort, batch: ImportBatch, earlier: Mapping[str, str]) -> ImportBatch:
    """Return the batch without patients who had another pathology in an earlier import.

    `earlier` is the stored pathology by fingerprint of the patient. A problem names each patient left out.
    """
    vocabulary = cohort.modality.vocabulary
    problems: dict[str, ImportProblem] = {}
    for key, pathology in patient_pathologies(batch.images).items():
        before = earlier.get(patient_fingerprint(cohort, key), pathology)
        if before != pathology:
            values = {"patient": key, "here": vocabulary.word(pathology), "before": vocabulary.word(Pathology(before))}
            text = _(
                "Patient %(patient)s is %(here)s here, but was imported as %(before)s. No image was added.", **values
            )
            problems[key] = ImportProblem(key, text)
    return replace(
        batch,
        images=tuple(image for image in batch.images if image.patient_key not in problems),
        problems=(*batch.problems, *problems.values()),
    )


def _known_splits(cohort: Cohort, images: Sequence[ImportImage]) -> dict[str, Split]:
    """Return the splits of the patients of earlier imports, by key."""
    keys = {patient_fingerprint(cohort, image.patient_key): image.patient_key for image in images}
    known = Patient.objects.filter(cohort=cohort).values_list("fingerprint", "split")
    return {keys[fingerprint]: Split(split) for fingerprint, split in known if fingerprint in keys}


def _splits(cohort: Cohort, images: Sequence[ImportImage], known: Mapping[str, Split]) -> dict[str, Split]:
    """Return the planned split of every patient by key; patients of an earlier import keep theirs."""
    return split_patients(
        patient_pathologies(images),
        fractions=tuple(cohort.fractions),
        seed=cohort.seed,
        streams={pathology: finding.word for pathology, finding in cohort.modality.findings.items()},
        assigned=known,
    )


Window = tuple[Sequence[ImportImage], Iterable[PreparedImage | ImportProblem]]


def prepared_windows(cohort: Cohort, images: Sequence[ImportImage], processes: int | None) -> Iterator[Window]:
    """Prepare window by window; on every core if there are enough images."""
    sizes = {resolution: cohort.size_of(resolution) for resolution in cohort.resolutions}
    work = partial(prepare, modality=cohort.modality_code, sizes=sizes)
    processes = usable_processes(processes)
    if processes == 1 or len(images) < _WINDOW:
        for window in _windows(images, _WINDOW):
            yield window, map(work, window)
        return
    # Spawned, not forked: a forked child would share this process's database connection.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        # A bounded window: encoded images must not pile up in memory when the database is slower.
        for window in _windows(images, _WINDOW * processes):
            yield window, pool.map(work, window, chunksize=2)


def _windows(images: Sequence[ImportImage], least: int) -> Iterator[list[ImportImage]]:
    """Yield the images of whole patients, in the order of their first images, `least` or more at a time."""
    by_patient: dict[str, list[ImportImage]] = {}
    for image in images:
        by_patient.setdefault(image.patient_key, []).append(image)
    window: list[ImportImage] = []
    for of_patient in by_patient.values():
        window += of_patient
        if len(window) >= least:
            yield window
            window = []
    if window:
        yield window
