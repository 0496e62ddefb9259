"""Import of adversarial images that another program made: pairs of a real file of the cohort and its version."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from django.db import transaction

from readerstudy.cohort.models import Cohort
from readerstudy.cohort.pairs import NotAPair, PairFacts, PreparedPair, prepare_pair, real_digests
from readerstudy.cohort.storage import write_media
from readerstudy.cohort.workers import ParallelMap, parallel_map
from readerstudy.errors import Sentence as _
from readerstudy.experiments.models import Attack
from readerstudy.sealed_work import sealed_work
from readerstudy.serialise import to_dict
from readerstudy.sources.pair_table import PairRow, read_pairs, row_problem
from readerstudy.sources.source import ImportProblem
from readerstudy.truth.actions.adversarial_images import AttackProvenance, register_adversarial_image
from readerstudy.truth.actions.import_rules import (
    AdversarialImportResult,
    ImportOptions,
    ImportRun,
    UnderstoodRow,
    importing_into,
    make_attack,
    provenance_of,
    record_import,
    require_new_attacks,
    sorted_problems,
)
from readerstudy.truth.matching import MatchedRow, Matcher, files_of, within
from readerstudy.truth.tells import find_tells
from readerstudy.vocabulary import IMPORTED

Preview = Callable[[MatchedRow, PreparedPair], None]


@sealed_work()
def import_pairs(run: ImportRun, *, preview: Preview) -> AdversarialImportResult:
    """Import the pairs of a table as attacks of the method "imported", see `import_adversarial_images`.

    The real file of a pair is found in the cohort by its pixels; the adversarial one takes the same pixel path with
    the parameters of the real one.
    """
    cohort, options = run.cohort, run.options
    rows, problems = read_pairs(run.table, cohort.modality.vocabulary)
    rows, outside = within(rows, run.base, run.root)
    problems += outside
    with parallel_map(run.processes) as parallel, TemporaryDirectory(dir=run.spool) as waiting:
        matched = _match(cohort, rows, run.base, options, parallel, problems)
        prepared = _Prepared(Path(waiting))
        work = partial(prepare_pair, modality=cohort.modality_code, rules=options.rules)
        results = parallel(work, [found.task for found in matched])
        for done, (found, result) in enumerate(zip(matched, results, strict=True), start=1):
            refused = prepared.keep(found, result)
            problems += refused
            if not refused and isinstance(result, PreparedPair):
                preview(found, result)
            run.progress(done, len(matched))
        tells = prepared.find_tells(run.seed)
        is_stored = run.stores(bool(tells), problems)
        images = 0
        if is_stored:
            with importing_into(cohort):
                images = _store(run, prepared, tells)
    rows_understood = tuple(_understood(cohort, found, summary) for found, summary in prepared.summaries)
    return AdversarialImportResult(cohort.name, rows_understood, sorted_problems(problems), tells, is_stored, images)


def _match(
    cohort: Cohort,
    rows: Sequence[PairRow],
    folder: Path,
    options: ImportOptions,
    run: ParallelMap,
    problems: list[ImportProblem],
) -> list[MatchedRow]:
    """Return the rows whose real files are in the cohort; add a problem for each other row."""
    files = [files_of(row, folder) for row in rows]
    matcher = Matcher(cohort, attack=options.attack)
    results = [
        matcher.match(row, of_row, digests)
        for row, of_row, digests in zip(rows, files, run(real_digests, files), strict=True)
    ]
    problems += [result for result in results if isinstance(result, ImportProblem)]
    matched = [result for result in results if isinstance(result, MatchedRow)]
    require_new_attacks({found.attack for found in matched})
    return matched


@dataclass(frozen=True)
class _Summary:
    """What is kept in memory of a prepared pair."""

    facts: PairFacts
    restored: int
    psnr_db: float | None


class _Prepared:
    """The pairs that can be stored; their images wait in files, so that memory stays small."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.summaries: list[tuple[MatchedRow, _Summary]] = []

    def keep(self, found: MatchedRow, pair: PreparedPair | NotAPair) -> list[ImportProblem]:
        """Keep a pair that can be stored; return the problem of another."""
        if isinstance(pair, NotAPair):
            return [row_problem(found.row.number, pair)]
        if not pair.is_changed:
            return [
                row_problem(
                    found.row.number,
                    _("%(adversarial)s shows no change of the real file.", adversarial=found.row.adversarial),
                )
            ]
        (self._folder / str(found.row.number)).write_bytes(pickle.dumps(pair))
        largest = next(iter(pair.versions.values()))
        self.summaries.append((found, _Summary(pair.facts, largest.restored, largest.quality.get("psnr_db"))))
        return []

    def pairs_of(self, attack: str) -> Iterator[tuple[MatchedRow, PreparedPair]]:
        """Yield the pairs of an attack with their images."""
        for found, _summary in self.summaries:
            if found.attack == attack:
                pair: PreparedPair = pickle.loads((self._folder / str(found.row.number)).read_bytes())
                yield found, pair

    def find_tells(self, seed: int) -> dict[str, dict[str, Any]]:
        """Return the comparison of both kinds by attack, as data."""
        facts: dict[str, list[PairFacts]] = {}
        for found, summary in self.summaries:
            facts.setdefault(found.attack, []).append(summary.facts)
        return {
            name: to_dict(find_tells(of_attack, rng=np.random.default_rng(seed))) for name, of_attack in facts.items()
        }


def _understood(cohort: Cohort, found: MatchedRow, summary: _Summary) -> UnderstoodRow:
    stimulus = next(iter(found.real.stimuli.values()))
    return UnderstoodRow(
        number=found.row.number,
        real=found.row.real,
        adversarial=found.row.adversarial,
        attack=found.attack,
        direction=found.direction.value,
        patient=found.real.patient,
        split=stimulus.image.exam.patient.split,
        pathology=cohort.modality.vocabulary.word(found.real.pathology),
        restored_pixels=summary.restored,
        psnr_db=summary.psnr_db,
    )


@transaction.atomic
def _store(run: ImportRun, prepared: _Prepared, tells: Mapping[str, Mapping[str, Any]]) -> int:
    """Store every attack with its images; return the number of images."""
    require_new_attacks(set(tells))  # another import may have ended since the rows were read
    provenance = provenance_of(run.options, run.table)
    images = 0
    for name, of_attack in tells.items():
        directions = {found.direction for found, _summary in prepared.summaries if found.attack == name}
        direction = next(iter(directions)).value if len(directions) == 1 else ""
        attack = make_attack(run, name, method=IMPORTED, direction=direction, provenance=provenance)
        rows = []
        for found, pair in prepared.pairs_of(name):
            images += _register(attack, found, pair)
            hashes = {"real_sha256": pair.real_sha256, "adversarial_sha256": pair.adversarial_sha256}
            rows.append({"row": found.row.number, "image": found.real.image_id, **hashes, "box": pair.box})
        record_import(run, attack, rows, tells=of_attack)
    return images


def _register(attack: Attack, found: MatchedRow, pair: PreparedPair) -> int:
    """Store the versions of one image at all resolutions; return their number."""
    for resolution, version in pair.versions.items():
        register_adversarial_image(
            found.real.stimuli[resolution],
            picture=write_media(version.png),
            difference=write_media(version.difference),
            provenance=AttackProvenance(found.direction, attack.name, None),
            attack=attack,
            quality=version.quality,
        )
    return len(pair.versions)
