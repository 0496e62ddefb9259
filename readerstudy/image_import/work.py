"""The work of the jobs: checking the files of an import, and importing them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError
from readerstudy.image_import.actions import remove_old_uploads, require_right
from readerstudy.image_import.cohort_work import check_cohort, import_into_cohort
from readerstudy.image_import.material import SCRATCH, Material, open_material, remove_files
from readerstudy.image_import.models import ImageImport, ImportKind
from readerstudy.image_import.pair_work import check_pairs, import_pairs
from readerstudy.image_import.report import CheckReport, write_report
from readerstudy.jobs.queue import ReportProgress
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.sources.source import ImportProblem


def check(parameters: dict[str, Any], report: ReportProgress) -> dict[str, Any]:
    """Check the files of an import: write its report and previews. Nothing is stored."""
    image_import = _find(parameters)
    work = check_cohort if image_import.kind == ImportKind.COHORT else check_pairs
    with _material(image_import) as (material, scratch):
        found = work(
            image_import,
            material,
            scratch=scratch,
            progress=lambda done, total: report(done, total, Activity(ActivityKind.READING_IMAGES), {}),
        )
        found = _with_left_out(found, material)
    write_report(image_import.folder, found)
    return _counts(found)


def run_import(parameters: dict[str, Any], report: ReportProgress) -> dict[str, Any]:
    """Import the files of an import, then delete them. Running it again adds what is missing.

    Raises StudyError if a pair is refused and refused ones are not to be left out; then nothing is stored.
    """
    image_import = _find(parameters)
    require_right(image_import.kind, image_import.cohort, actor=image_import.by, made_cohort=image_import.made_cohort)
    with _material(image_import) as (material, scratch):

        def progress(done: int, total: int) -> None:
            report(done, total, Activity(ActivityKind.IMPORTING_IMAGES), {})

        if image_import.kind == ImportKind.COHORT:
            done = import_into_cohort(image_import, material, progress=progress)
        else:
            skips = bool(parameters["skips_refused"])
            done = import_pairs(image_import, material, scratch=scratch, progress=progress, skips_refused=skips)
        done = _with_left_out(done, material)
    write_report(image_import.folder, done, is_result=True)
    remove_files(image_import.folder)
    remove_old_uploads(at=now())
    return _counts(done)


def _find(parameters: dict[str, Any]) -> ImageImport:
    found = ImageImport.objects.select_related("by").filter(pk=parameters["import"]).first()
    if found is None:
        raise StudyError(_("There is no such import."))
    return found


def _counts(report: CheckReport) -> dict[str, Any]:
    return {"new": report.new, "known": report.known, "refused": len(report.problems)}


def _with_left_out(report: CheckReport, material: Material) -> CheckReport:
    left_out = (ImportProblem(file.name, file.sentence) for file in material.left_out)
    return replace(report, problems=(*left_out, *report.problems))


@contextmanager
def _material(image_import: ImageImport) -> Iterator[tuple[Material, Path]]:
    """Yield the files and an empty folder for the work, which is deleted afterwards."""
    scratch = image_import.folder / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)  # a killed worker left it
    scratch.mkdir(parents=True)
    try:
        yield open_material(image_import, table=image_import.options.get("table", "")), scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
