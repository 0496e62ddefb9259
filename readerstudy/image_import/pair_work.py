"""Checking adversarial images, pairs or synthetic ones, and importing them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.utils.timezone import now

from readerstudy.cohort.models import Cohort
from readerstudy.cohort.pairs import PixelRules, PreparedPair
from readerstudy.cohort.synthetic import PreparedSynthetic
from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError
from readerstudy.image_import.material import Material
from readerstudy.image_import.models import ImageImport
from readerstudy.image_import.options import PairOptions
from readerstudy.image_import.report import SMALL, CheckedRow, CheckReport, read_stored, write_preview
from readerstudy.imaging.thumbnails import read_small
from readerstudy.serialise import from_dict
from readerstudy.sources.synthetic_table import SyntheticRow
from readerstudy.sources.vocabulary import SourceVocabulary
from readerstudy.truth.actions import (
    AdversarialImportResult,
    ImportOptions,
    MatchedRow,
    UnderstoodRow,
    import_adversarial_images,
)

Progress = Callable[[int, int], None]
_FEW: Final = 50_000  # bytes of a table that is not worth several processes


@dataclass(frozen=True)
class Previews:
    """What draws a preview of a pair, and of a synthetic image; by default nothing is drawn."""

    of_pair: Callable[[MatchedRow, PreparedPair], None] = lambda found, pair: None
    of_synthetic: Callable[[SyntheticRow, PreparedSynthetic], None] = lambda row, image: None


NO_PREVIEWS: Final = Previews()


def check_pairs(image_import: ImageImport, material: Material, *, scratch: Path, progress: Progress) -> CheckReport:
    """Return what the import of these images would do; write previews of each."""

    def preview(found: MatchedRow, pair: PreparedPair) -> None:
        smallest = list(pair.versions)[-1]
        stored = found.real.stimuli[smallest]
        adversarial = read_stored(pair.versions[smallest].png, scratch)
        real = read_small(stored.path, largest=SMALL)
        modality = stored.image.exam.patient.cohort.modality
        mirrored = modality.hang(stored.image.attributes).is_mirrored
        drawn = modality.small_pictures.triptych(real, adversarial, is_mirrored=mirrored)
        for panel, values in (
            ("real", drawn.real),
            ("adversarial", drawn.adversarial),
            ("difference", drawn.difference.values),
        ):
            write_preview(image_import.folder, found.row.number, panel, values)

    def preview_synthetic(row: SyntheticRow, image: PreparedSynthetic) -> None:
        modality = Cohort.modality_of(image_import.cohort)
        mirrored = modality.hang(image.image.attributes).is_mirrored
        values = read_stored(list(image.image.pngs.values())[-1], scratch)
        drawn = modality.small_pictures.image(values, is_mirrored=mirrored)
        write_preview(image_import.folder, row.number, "adversarial", drawn)

    previews = Previews(preview, preview_synthetic)
    result = _run(image_import, material, scratch, progress, is_dry_run=True, previews=previews)
    return _report(image_import, result, len(result.rows))


def import_pairs(
    image_import: ImageImport, material: Material, *, scratch: Path, progress: Progress, skips_refused: bool
) -> CheckReport:
    """Import the images, and return what that has done.

    Raises StudyError if a row is refused unless `skips_refused`; then nothing is stored.
    """
    result = _run(image_import, material, scratch, progress, skips_refused=skips_refused)
    if not result.is_stored:
        # Coordinators can read the notes of jobs. The reasons can state a pathology, so they are in the report only.
        raise StudyError(_("Nothing was stored: %(rows)s rows were refused.", rows=len(result.problems)))
    return _report(image_import, result, len(result.rows))


def _run(
    image_import: ImageImport,
    material: Material,
    scratch: Path,
    progress: Progress,
    *,
    is_dry_run: bool = False,
    skips_refused: bool = False,
    previews: Previews = NO_PREVIEWS,
) -> AdversarialImportResult:
    options = from_dict(PairOptions, image_import.options)
    return import_adversarial_images(
        cohort=Cohort.named(image_import.cohort),
        table=material.table,
        root=material.root,
        options=ImportOptions(
            attack=options.attack or None,
            description=options.description,
            made_by=options.made_by,
            rules=PixelRules(options.keep_background, options.keep_grid),
        ),
        at=now(),
        actor=image_import.by,
        is_dry_run=is_dry_run,
        skips_refused=skips_refused,
        progress=progress,
        preview=previews.of_pair,
        preview_synthetic=previews.of_synthetic,
        spool=scratch,
        processes=1 if material.table.stat().st_size < _FEW else None,
    )


def _report(image_import: ImageImport, result: AdversarialImportResult, new: int) -> CheckReport:
    vocabulary = Cohort.modality_of(image_import.cohort).vocabulary
    rows = tuple(_row(row, vocabulary) for row in result.rows)
    patients = len({row.patient for row in rows})
    return CheckReport(rows=rows, problems=result.problems, new=new, patients=patients, tells=result.tells)


def _row(row: UnderstoodRow, vocabulary: SourceVocabulary) -> CheckedRow:
    return CheckedRow(
        number=row.number,
        name=row.adversarial,
        patient=row.patient,
        split=row.split,
        pathology=vocabulary.pathology_of(row.pathology).value,
        real=row.real,
        attack=row.attack,
        direction=row.direction,
        restored_pixels=row.restored_pixels,
        psnr_db=row.psnr_db,
    )
