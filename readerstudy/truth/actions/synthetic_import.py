"""Import of synthetic images: made elsewhere, from no image of the cohort, which gives them their size and grey levels.

Each becomes an image of the cohort that is adversarial at every resolution and never real. Its group is stored as a
patient, so that images of one group stay in one split and are analysed as one cluster.
"""

import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from django.db import transaction

from readerstudy.cohort.copies import CopySearch, Link
from readerstudy.cohort.models import Cohort
from readerstudy.cohort.storage import ensure_patient, store_image
from readerstudy.cohort.synthetic import (
    ImageFacts,
    PreparedSynthetic,
    RealLook,
    RealTask,
    SyntheticTask,
    no_pixels,
    prepare_synthetic,
    real_facts,
    usual_background,
)
from readerstudy.cohort.workers import ParallelMap, parallel_map
from readerstudy.errors import BadInput, Sentence
from readerstudy.errors import Sentence as _
from readerstudy.sealed_work import sealed_work
from readerstudy.serialise import to_dict
from readerstudy.sources.label_table import OUTSIDE, is_within
from readerstudy.sources.pair_table import row_problem
from readerstudy.sources.source import ImportImage, ImportProblem
from readerstudy.sources.synthetic_table import SyntheticRow, read_synthetic
from readerstudy.truth.actions.adversarial_images import register_synthetic_image
from readerstudy.truth.actions.import_rules import (
    AdversarialImportResult,
    ImportRun,
    UnderstoodRow,
    importing_into,
    make_attack,
    provenance_of,
    record_import,
    require_new_attacks,
    sorted_problems,
)
from readerstudy.truth.matching import BadPair, attack_name
from readerstudy.truth.queries.images import RealImage, find_own_file, real_images
from readerstudy.truth.tells import find_unpaired_tells
from readerstudy.vocabulary import SYNTHETIC, Pathology

PreviewSynthetic = Callable[[SyntheticRow, PreparedSynthetic], None]

_LEAST, _MOST = 20, 200  # real images that are compared: of each label, and in all


@dataclass(frozen=True)
class _Row:
    """A row that can be imported so far, with the name of its attack."""

    row: SyntheticRow
    attack: str

    @property
    def patient_key(self) -> str:
        """Return the key of the image's group, which no patient of a source has."""
        own = f"group:{self.row.group}" if self.row.group else f"image:{self.row.number}"
        return f"synthetic:{self.attack}:{own}"


@sealed_work()
def import_synthetic(run: ImportRun, *, preview: PreviewSynthetic) -> AdversarialImportResult:
    """Import the images of a table as attacks of the method "synthetic", see `import_adversarial_images`.

    Real images of the cohort with the same labels are drawn at random to be compared with.
    """
    if run.options.rules.keep_grid:
        raise BadInput(_("keep_grid: synthetic images have no real image whose grey levels they could use."))
    cohort, resolution = run.cohort, run.cohort.resolutions[0]
    read, problems = read_synthetic(run.table, cohort.modality.vocabulary)
    rows = _usable(run, read, problems)
    require_new_attacks({each.attack for each in rows})
    real = real_images(cohort, resolution)
    bits = Counter(image.source_bits for image in real).most_common(1)[0][0]
    with parallel_map(run.processes) as parallel, TemporaryDirectory(dir=run.spool) as waiting:
        looks = _real_facts(cohort, _sample(real, rows, seed=run.seed), bits, parallel) if rows else []
        background = usual_background(looks) if rows and run.options.rules.keep_background else None
        prepared = _Prepared(cohort, Path(waiting))
        results = _prepare(run, rows, RealLook(bits, background), parallel)
        for done, (row, result) in enumerate(zip(rows, results, strict=True), start=1):
            problem = prepared.keep(row, result)
            if problem:
                problems.append(problem)
            elif isinstance(result, PreparedSynthetic):
                preview(row.row, result)
            run.progress(done, len(rows))
        tells = prepared.find_tells(looks, stored=cohort.size_of(resolution), seed=run.seed)
        is_stored = run.stores(bool(tells), problems)
        images = 0
        if is_stored:
            with importing_into(cohort):
                images = _store(run, prepared, tells)
    understood = tuple(_understood(cohort, row, summary) for row, summary in prepared.summaries)
    return AdversarialImportResult(cohort.name, understood, sorted_problems(problems), tells, is_stored, images)


def _usable(run: ImportRun, read: Sequence[SyntheticRow], problems: list[ImportProblem]) -> list[_Row]:
    """Return the rows with their attacks; add a problem for each other row."""
    rows: list[_Row] = []
    splits: dict[str, SyntheticRow] = {}
    for row in read:
        try:
            if not is_within(run.base / row.image, run.root):
                raise BadPair(OUTSIDE)
            own = _Row(row, attack_name(row.attack, run.options.attack))
            first = splits.setdefault(own.patient_key, row)
            if first.split != row.split:
                raise BadPair(
                    _(
                        "puts the group %(group)s into another split than row %(number)s.",
                        group=row.group,
                        number=first.number,
                    )
                )
            rows.append(own)
        except BadPair as bad:
            problems.append(row_problem(row.number, bad))
    return rows


# --- comparison with real images ----------------------------------------------------------------------------
def _sample(real: Sequence[RealImage], rows: Sequence[_Row], *, seed: int) -> list[RealImage]:
    """Return real images drawn at random, of each label about as many as there are synthetic ones."""
    rng = np.random.default_rng(seed)
    labels = Counter(int(each.row.pathology == Pathology.POSITIVE) for each in rows)
    chosen: list[RealImage] = []
    for label, count in sorted(labels.items()):
        alike = [image for image in real if image.label == label]
        wanted = min(len(alike), max(count, _LEAST), _MOST // len(labels))
        chosen += [alike[index] for index in rng.choice(len(alike), size=wanted, replace=False)]
    return chosen or list(real[:_LEAST])


def _real_facts(cohort: Cohort, images: Sequence[RealImage], bits: int, parallel: ParallelMap) -> list[ImageFacts]:
    tasks = [RealTask(image.path, image.source_bits, (image.source_rows, image.source_columns)) for image in images]
    return list(parallel(partial(real_facts, modality=cohort.modality_code, bits=bits), tasks))


def _prepare(
    run: ImportRun, rows: Sequence[_Row], look: RealLook, parallel: ParallelMap
) -> Iterator[PreparedSynthetic | ImportProblem]:
    cohort = run.cohort
    sizes = {name: cohort.size_of(name) for name in cohort.resolutions}
    work = partial(prepare_synthetic, modality=cohort.modality_code, sizes=sizes, look=look)
    tasks = [SyntheticTask(run.base / each.row.image, _source(cohort, each), each.row.bits) for each in rows]
    yield from parallel(work, tasks)


def _source(cohort: Cohort, each: _Row) -> ImportImage:
    row = each.row
    return ImportImage(
        name=row.image,
        patient_key=each.patient_key,
        pathology=row.pathology,
        pixel_spacing_mm=row.pixel_spacing_mm,
        modality=cohort.modality_code,
        load=no_pixels,
        attributes=row.attributes,
        lesion_marks=(row.box,) if row.box else None,
        groups=row.groups,
    )


# --- what can be stored -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Summary:
    """What is kept in memory of a prepared image."""

    facts: ImageFacts
    restored: int


class _Prepared:
    """The images that can be stored; they wait in files, so that memory stays small."""

    def __init__(self, cohort: Cohort, folder: Path) -> None:
        self._folder = folder
        find_file = partial(find_own_file, resolution=cohort.resolutions[-1])
        self._search = CopySearch(cohort, find_file=find_file, is_dry_run=True)
        self.summaries: list[tuple[_Row, _Summary]] = []

    def keep(self, each: _Row, result: PreparedSynthetic | ImportProblem) -> ImportProblem | None:
        """Keep an image that can be stored; return the problem of another.

        A copy of a real image, or of another synthetic one, is refused: a reader could see both.
        """
        row = each.row
        if isinstance(result, ImportProblem):
            return row_problem(row.number, result.sentence)
        known, links = self._search.add("", result.image)
        if links:
            known.is_left_out = True
            return row_problem(row.number, _copy(row, links[0]))
        smallest = self._folder / f"{row.number}.png"
        smallest.write_bytes(list(result.image.pngs.values())[-1])
        self._search.was_checked(known, result.image, smallest)
        (self._folder / str(row.number)).write_bytes(pickle.dumps(result))
        self.summaries.append((each, _Summary(result.facts, result.restored)))
        return None

    def images_of(self, attack: str) -> Iterator[tuple[_Row, PreparedSynthetic]]:
        """Yield the images of an attack with their pixels."""
        for each, _summary in self.summaries:
            if each.attack == attack:
                image: PreparedSynthetic = pickle.loads((self._folder / str(each.row.number)).read_bytes())
                yield each, image

    def find_tells(
        self, real: Sequence[ImageFacts], *, stored: tuple[int, int], seed: int
    ) -> dict[str, dict[str, Any]]:
        """Return the comparison with real images by attack, as data."""
        facts: dict[str, list[ImageFacts]] = {}
        for each, summary in self.summaries:
            facts.setdefault(each.attack, []).append(summary.facts)
        return {
            name: to_dict(find_unpaired_tells(real, own, stored=stored, rng=np.random.default_rng(seed)))
            for name, own in facts.items()
        }


def _copy(row: SyntheticRow, link: Link) -> Sentence:
    """Return why an image with a copy is refused."""
    return _(
        "%(image)s is a copy of %(label)s (correlation %(correlation)s), and a reader could see both; a version of a "
        "real image is imported as a pair, with the column real.",
        image=row.image,
        label=link.image.label,
        correlation=f"{link.correlation:.2f}",
    )


def _understood(cohort: Cohort, each: _Row, summary: _Summary) -> UnderstoodRow:
    row = each.row
    return UnderstoodRow(
        number=row.number,
        real="",
        adversarial=row.image,
        attack=each.attack,
        direction="",
        patient=row.group,
        split=row.split.value,
        pathology=cohort.modality.vocabulary.word(row.pathology),
        restored_pixels=summary.restored,
        psnr_db=None,
    )


@transaction.atomic
def _store(run: ImportRun, prepared: _Prepared, tells: Mapping[str, Mapping[str, Any]]) -> int:
    """Store every attack with its images; return the number of images."""
    require_new_attacks(set(tells))  # another import may have ended since the rows were read
    provenance = provenance_of(run.options, run.table)
    images = 0
    for name, of_attack in tells.items():
        attack = make_attack(run, name, method=SYNTHETIC, direction="", provenance=provenance)
        rows = []
        for each, result in prepared.images_of(name):
            patient = ensure_patient(run.cohort, each.patient_key, split=each.row.split.value)
            stored = store_image(patient, result.image)
            assert stored is not None  # copies were refused
            register_synthetic_image(stored, attack=attack, lesions=result.image.lesions, quality=result.quality)
            images += len(stored.stimuli)
            box = result.image.lesions[0] if result.image.lesions else None
            hashes = {"adversarial_sha256": result.sha256}
            rows.append({"row": each.row.number, "image": stored.image.pk, **hashes, "box": box})
        record_import(run, attack, rows, tells=of_attack)
    return images
