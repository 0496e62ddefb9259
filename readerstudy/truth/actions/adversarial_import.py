"""Import of adversarial images that another program made: pairs of a real file of the cohort and its version."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.import_lock import only_import_into
from readerstudy.cohort.models import Cohort
from readerstudy.cohort.pairs import NotAPair, PairFacts, PixelRules, PreparedPair, prepare_pair, real_digests
from readerstudy.cohort.storage import write_media
from readerstudy.cohort.workers import ParallelMap, parallel_map
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.experiments.models import Attack, Checkpoint
from readerstudy.provenance import source_hash
from readerstudy.serialise import to_dict
from readerstudy.sources.pair_table import PairRow, read_pairs, row_problem
from readerstudy.sources.source import ImportProblem
from readerstudy.truth.actions.adversarial_images import AttackProvenance, register_adversarial_image
from readerstudy.truth.matching import MatchedRow, Matcher, files_of, within
from readerstudy.truth.models import AdversarialImport
from readerstudy.truth.tells import find_tells
from readerstudy.vocabulary import IMPORTED

Progress = Callable[[int, int], None]
Preview = Callable[[MatchedRow, PreparedPair], None]

_LONGEST_TEXT: Final = 2000
_CODE: Final = ("readerstudy/imaging", "readerstudy/cohort", "readerstudy/sources", "readerstudy/modalities")


@dataclass(frozen=True)
class ImportOptions:
    """What a person says about the images. `attack` is the name of rows without one."""

    attack: str | None = None
    description: str = ""
    made_by: str = ""
    rules: PixelRules = field(default_factory=PixelRules)


@dataclass(frozen=True)
class UnderstoodRow:
    """What a row was understood to be, for the person who imports it."""

    number: int
    real: str
    adversarial: str
    attack: str
    direction: str
    patient: str  # pseudonym
    split: str
    pathology: str  # the modality's word, of the real image
    restored_pixels: int  # that the rules changed, at the largest resolution
    psnr_db: float | None


@dataclass(frozen=True)
class AdversarialImportResult:
    """What an import did, or would do. `tells` are by attack, as data."""

    cohort: str
    rows: tuple[UnderstoodRow, ...]
    problems: tuple[ImportProblem, ...]
    tells: Mapping[str, Mapping[str, Any]]
    is_stored: bool
    images: int = 0  # stored, at all resolutions


def import_adversarial_images(
    *,
    cohort: Cohort,
    table: Path,
    options: ImportOptions,
    at: datetime,
    actor: User | None,
    folder: Path | None = None,
    root: Path | None = None,
    is_dry_run: bool = False,
    skips_refused: bool = False,
    seed: int = 1,
    progress: Progress = lambda done, total: None,
    preview: Preview = lambda found, pair: None,
    spool: Path | None = None,
    processes: int | None = None,
) -> AdversarialImportResult:
    """Import the pairs of a table as attacks of the method "imported", and compare both kinds by facts of their pixels.

    The real file of a pair is found in the cohort by its pixels; the adversarial one takes the same pixel path with
    the parameters of the real one. Paths start at `folder`, by default that of the table; with `root`, rows with files
    outside it are refused. Nothing is stored in a dry run, and if a row is refused unless `skips_refused`. `seed` is
    that of the comparison's permutations. `actor` is None for a person at the server's terminal. `preview` is called
    with every pair that can be stored; prepared pairs wait in a folder below `spool`.

    Raises NotAllowed unless the actor is a researcher, BadInput for a step that the modality lacks, StudyError if an
    attack of that name exists or the table cannot be read.
    """
    _check(cohort, actor, options)
    rows, problems = read_pairs(table, cohort.modality.vocabulary)
    base = table.parent if folder is None else folder
    rows, outside = within(rows, base, root)
    problems += outside
    with parallel_map(processes) as run, TemporaryDirectory(dir=spool) as waiting:
        matched = _match(cohort, rows, base, options, run, problems)
        prepared = _Prepared(Path(waiting))
        results = run(
            partial(prepare_pair, modality=cohort.modality_code, rules=options.rules), [found.task for found in matched]
        )
        for done, (found, result) in enumerate(zip(matched, results, strict=True), start=1):
            refused = prepared.keep(found, result)
            problems += refused
            if not refused and isinstance(result, PreparedPair):
                preview(found, result)
            progress(done, len(matched))
        tells = prepared.find_tells(seed)
        is_stored = bool(tells) and not is_dry_run and (skips_refused or not problems)
        images = 0
        if is_stored:
            provenance = {**_words(options), "table_sha256": sha256(table.read_bytes()).hexdigest()}
            with only_import_into(cohort):
                images = _store(cohort, prepared, tells, provenance, at=at, actor=actor)
    rows_understood = tuple(_understood(cohort, found, summary) for found, summary in prepared.summaries)
    return AdversarialImportResult(cohort.name, rows_understood, _sorted(problems), tells, is_stored, images)


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
    _require_new_attacks({found.attack for found in matched})
    return matched


def _sorted(problems: Sequence[ImportProblem]) -> tuple[ImportProblem, ...]:
    return tuple(sorted(problems, key=lambda problem: int(problem.name.removeprefix("row "))))


def _check(cohort: Cohort, actor: User | None, options: ImportOptions) -> None:
    if actor is not None and not actor.is_researcher:
        raise NotAllowed(_("Only a researcher may import adversarial images."))
    for step, is_on in asdict(options.rules).items():
        if is_on and step not in cohort.modality.post_processing:
            raise BadInput(f"{step}: the images of {cohort.modality.title} have no such step.")
    for name in ("description", "made_by"):
        if len(getattr(options, name)) > _LONGEST_TEXT:
            raise BadInput(f"{name}: must be a text of at most {_LONGEST_TEXT} characters.")


def _require_new_attacks(names: set[str]) -> None:
    """Raise StudyError for a name that is in use. An attack is never changed, so each import makes its own."""
    taken = set(Attack.objects.filter(name__in=names).values_list("name", flat=True))
    taken |= set(Checkpoint.objects.filter(name__in=names).values_list("name", flat=True))
    if taken:
        raise StudyError(f"There is an attack or a run named {min(taken)!r} already; choose another name.")


def _words(options: ImportOptions) -> dict[str, Any]:
    return {
        "description": options.description.strip(),
        "made_by": options.made_by.strip(),
        **asdict(options.rules),
    }


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
            return [row_problem(found.row.number, str(pair))]
        if not pair.is_changed:
            return [row_problem(found.row.number, f"{found.row.adversarial} shows no change of the real file.")]
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
def _store(
    cohort: Cohort,
    prepared: _Prepared,
    tells: Mapping[str, Mapping[str, Any]],
    provenance: Mapping[str, Any],
    *,
    at: datetime,
    actor: User | None,
) -> int:
    """Store every attack with its images; return the number of images."""
    _require_new_attacks(set(tells))  # another import may have ended since the rows were read
    images = 0
    for name, of_attack in tells.items():
        directions = {found.direction for found, _summary in prepared.summaries if found.attack == name}
        attack = Attack.objects.create(
            name=name,
            method=IMPORTED,
            direction=next(iter(directions)).value if len(directions) == 1 else "",
            settings=dict(provenance),
            seed=None,
            code_version=source_hash(*_CODE),
            cohort=cohort.name,
            made_at=at,
        )
        rows = []
        for found, pair in prepared.pairs_of(name):
            images += _register(attack, found, pair)
            hashes = {"real_sha256": pair.real_sha256, "adversarial_sha256": pair.adversarial_sha256}
            rows.append({"row": found.row.number, "image": found.real.image_id, **hashes, "box": pair.box})
        AdversarialImport.objects.create(attack=attack, by=actor, at=at, pairs=rows, tells=of_attack)
        # The findings are not recorded: coordinators can read the audit trail, and they say what gives images away.
        record("attack.imported", actor=actor, subject=attack, at=at, name=name, pairs=len(rows))
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
