"""What imports of pairs and of synthetic images share: options, result, rules and the attack that they make."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.import_lock import only_import_into
from readerstudy.cohort.media_journal import noted_files
from readerstudy.cohort.models import Cohort
from readerstudy.cohort.pairs import PixelRules
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.errors import Sentence as _
from readerstudy.experiments.models import Attack, Checkpoint
from readerstudy.provenance import source_hash
from readerstudy.sources.source import ImportProblem
from readerstudy.truth.models import AdversarialImport
from readerstudy.truth.queries.images import named_files

Progress = Callable[[int, int], None]

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
    real: str  # "" of a synthetic image, which has no direction either
    adversarial: str
    attack: str
    direction: str
    patient: str  # pseudonym
    split: str
    pathology: str  # the modality's word, of the real image or of the synthetic one
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


@dataclass(frozen=True)
class ImportRun:
    """The arguments of `import_adversarial_images`."""

    cohort: Cohort
    table: Path
    options: ImportOptions
    at: datetime
    actor: User | None
    folder: Path | None
    root: Path | None
    is_dry_run: bool
    skips_refused: bool
    seed: int
    progress: Progress
    spool: Path | None
    processes: int | None

    @property
    def base(self) -> Path:
        """Where the paths of the table start."""
        return self.table.parent if self.folder is None else self.folder

    def stores(self, has_images: bool, problems: Sequence[ImportProblem]) -> bool:
        """Return whether the import stores anything: everything that can be stored, or nothing."""
        return has_images and not self.is_dry_run and (self.skips_refused or not problems)


def sorted_problems(problems: Sequence[ImportProblem]) -> tuple[ImportProblem, ...]:
    """Return the problems in the order of their rows."""
    return tuple(sorted(problems, key=lambda problem: int(problem.name.removeprefix("row "))))


def check_import(cohort: Cohort, actor: User | None, options: ImportOptions) -> None:
    """Raise NotAllowed unless the actor is a researcher, BadInput for a step or a text that is not possible."""
    if actor is not None and not actor.is_researcher:
        raise NotAllowed(gettext("Only a researcher may import adversarial images."))
    for step, is_on in asdict(options.rules).items():
        if is_on and step not in cohort.modality.post_processing:
            raise BadInput(
                _("%(step)s: the images of %(title)s have no such step.", step=step, title=cohort.modality.title)
            )
    for name in ("description", "made_by"):
        if len(getattr(options, name)) > _LONGEST_TEXT:
            raise BadInput(
                _("%(name)s: must be a text of at most %(longest)s characters.", name=name, longest=_LONGEST_TEXT)
            )


def require_new_attacks(names: set[str]) -> None:
    """Raise StudyError for a name that is in use. An attack is never changed, so each import makes its own."""
    taken = set(Attack.objects.filter(name__in=names).values_list("name", flat=True))
    taken |= set(Checkpoint.objects.filter(name__in=names).values_list("name", flat=True))
    if taken:
        raise StudyError(
            _("There is an attack or a run named %(name)s already; choose another name.", name=repr(min(taken)))
        )


def provenance_of(options: ImportOptions, table: Path) -> dict[str, Any]:
    """Return what is kept with the attack as its settings."""
    return {
        "description": options.description.strip(),
        "made_by": options.made_by.strip(),
        **asdict(options.rules),
        "table_sha256": sha256(table.read_bytes()).hexdigest(),
    }


def make_attack(run: ImportRun, name: str, *, method: str, direction: str, provenance: Mapping[str, Any]) -> Attack:
    """Return a new attack whose images another program made."""
    return Attack.objects.create(
        name=name,
        method=method,
        direction=direction,
        settings=dict(provenance),
        seed=None,
        code_version=source_hash(*_CODE),
        cohort=run.cohort.name,
        made_at=run.at,
    )


def record_import(
    run: ImportRun, attack: Attack, rows: Sequence[Mapping[str, Any]], *, tells: Mapping[str, Any]
) -> None:
    """Store which file became which image, and what gives the images away."""
    AdversarialImport.objects.create(attack=attack, by=run.actor, at=run.at, pairs=list(rows), tells=tells)
    # The findings are not recorded: coordinators can read the audit trail, and they say what gives images away.
    record("attack.imported", actor=run.actor, subject=attack, at=run.at, name=attack.name, pairs=len(rows))


@contextmanager
def importing_into(cohort: Cohort) -> Iterator[None]:
    """Hold the cohort's import lock; remove the files that an import which was killed has left.

    Raises StudyError at once if another import holds it.
    """
    with only_import_into(cohort), noted_files(cohort, named=named_files):
        yield
