"""Import of adversarial images that another program made: pairs with a real image of the cohort, or synthetic ones."""

from datetime import datetime
from pathlib import Path

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort
from readerstudy.sealed_work import sealed_work
from readerstudy.sources.pair_table import has_pairs
from readerstudy.truth.actions.import_rules import (
    AdversarialImportResult,
    ImportOptions,
    ImportRun,
    Progress,
    check_import,
)
from readerstudy.truth.actions.pair_import import Preview, import_pairs
from readerstudy.truth.actions.synthetic_import import PreviewSynthetic, import_synthetic


@sealed_work()
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
    preview_synthetic: PreviewSynthetic = lambda row, image: None,
    spool: Path | None = None,
    processes: int | None = None,
) -> AdversarialImportResult:
    """Import the images of a table as attacks, and compare them with real images by facts of their pixels.

    A table with the column "real" has pairs, another one synthetic images. Paths start at `folder`, by default that of
    the table; with `root`, rows with files outside it are refused. Nothing is stored in a dry run, and if a row is
    refused unless `skips_refused`. `seed` is that of the comparison's samples and permutations. `actor` is None for a
    person at the server's terminal. A preview is called with everything that can be stored; prepared images wait in a
    folder below `spool`.

    Raises NotAllowed unless the actor is a researcher, BadInput for a step that the modality or the kind of images
    lacks, StudyError if an attack of that name exists or the table cannot be read.
    """
    check_import(cohort, actor, options)
    run = ImportRun(
        cohort=cohort,
        table=table,
        options=options,
        at=at,
        actor=actor,
        folder=folder,
        root=root,
        is_dry_run=is_dry_run,
        skips_refused=skips_refused,
        seed=seed,
        progress=progress,
        spool=spool,
        processes=processes,
    )
    return import_pairs(run, preview=preview) if has_pairs(table) else import_synthetic(run, preview=preview_synthetic)
