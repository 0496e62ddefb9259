"""Bundles that somebody sends to a page: checked by a job, in a folder of their own. Nothing enters the database."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.bundle.checking.importing import ImportedBundle, import_bundle
from readerstudy.bundle.manifest import file_hash
from readerstudy.errors import BadInput, StudyError
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import enqueue, new_job
from readerstudy.record.heads import public_key

CHECK_BUNDLE: Final = "check-bundle"  # `experiments.job_view` has its title
SENT: Final = "sent"  # the folder of the file that was sent
PAGE: Final = "comparison.html"
UNPACKED: Final = 4  # times the bytes that may be sent; text and Parquet compress less
KEPT: Final = timedelta(days=7)
_LONGEST_TEXT: Final = 200  # of a file that anybody may have written
_MOST_TABLES: Final = 300


@dataclass(frozen=True)
class CheckedTable:
    """One table, and whether every cell was computed as the bundle states it."""

    key: str
    title: str
    rows: int
    cells: int
    is_same: bool


@dataclass(frozen=True)
class CheckedBundle:
    """What the check of a bundle found. `is_own_key`: this installation signed it."""

    study: str
    sha256: str
    bytes: int
    files: int
    readings: int
    missing: int
    checks: dict[str, int]
    public_key: str
    is_own_key: bool
    software: str
    is_same: bool
    cells: int
    tables: tuple[CheckedTable, ...]
    other_parts: tuple[str, ...]


def check_folder(key: UUID | str) -> Path:
    """Return the folder of one check."""
    return Path(settings.REPORTS_DIR) / ".checks" / str(key)


def start_check(*, key: UUID, actor: User, at: datetime) -> Job:
    """Queue the check of the file in the folder of this key. Raises BadInput unless there is one file."""
    files = list((check_folder(key) / SENT).glob("*"))
    if len(files) != 1:
        raise BadInput(_("Choose the zip file of a bundle."))
    parameters = {"key": str(key), "by": actor.pk, "language": get_language() or settings.LANGUAGE_CODE}
    job = new_job(CHECK_BUNDLE, parameters, requested_by=actor, at=at)
    record("job.started", actor=actor, subject=job, at=at, kind=job.kind)
    enqueue(job)
    return job


def checks_of(person: User) -> QuerySet[Job]:
    """Return the checks that the person started, the newest first."""
    return Job.objects.filter(kind=CHECK_BUNDLE, requested_by=person).order_by("-pk")


def comparison_page(job: Job) -> Path | None:
    """Return the page that shows the tables side by side, None if it is not there any more."""
    path = check_folder(job.parameters["key"]) / PAGE
    return path if path.is_file() else None


def remove_old_checks(*, at: datetime) -> None:
    """Delete the files of checks that are over for a week, and files without a check."""
    for folder in check_folder("").glob("*"):
        job = Job.objects.filter(kind=CHECK_BUNDLE, parameters__key=folder.name).first()
        until = job.ended_at if job else datetime.fromtimestamp(folder.stat().st_mtime, tz=at.tzinfo)
        if until is not None and until < at - KEPT:
            shutil.rmtree(folder, ignore_errors=True)


def check_bundle(*, key: str, at: datetime, progress: Callable[[int], None]) -> CheckedBundle:
    """Check the file that was sent, keep the page that compares its tables, and delete the rest.

    Raises BadInput, with a sentence that can be stored, for anything that does not agree; the file is deleted then too.
    """
    folder = check_folder(key)
    path = next((folder / SENT).glob("*"), None)
    if path is None:
        raise BadInput(_("The file of this check was deleted. Send it again."))
    checked = folder / "checked"
    shutil.rmtree(checked, ignore_errors=True)  # of an attempt that was interrupted
    try:
        imported = import_bundle(
            path=path, folder=checked, at=at, most_bytes=UNPACKED * settings.BUNDLE_BYTES, progress=progress
        )
        found = _found(imported, path)
        os.replace(imported.folder / PAGE, folder / PAGE)
    except StudyError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise BadInput(_printable(str(error), longest=450)) from error
    shutil.rmtree(checked, ignore_errors=True)
    shutil.rmtree(folder / SENT, ignore_errors=True)
    return found


def _found(imported: ImportedBundle, path: Path) -> CheckedBundle:
    comparison = imported.comparison
    tables = tuple(
        CheckedTable(_printable(each.key), _printable(each.title), len(each.rows), each.cells, each.is_same)
        for each in comparison.tables[:_MOST_TABLES]
    )
    return CheckedBundle(
        study=imported.study,
        sha256=file_hash(path),
        bytes=path.stat().st_size,
        files=imported.files,
        readings=imported.readings,
        missing=imported.missing,
        checks=imported.checks,
        public_key=imported.key,
        is_own_key=imported.key == public_key(),
        software=_printable(imported.software),
        is_same=comparison.is_same,
        cells=comparison.cells,
        tables=tables,
        other_parts=tuple(_printable(part) for part in comparison.other_parts[:_MOST_TABLES]),
    )


def _printable(text: str, *, longest: int = _LONGEST_TEXT) -> str:
    """Return a text that the database can store: the file may have been written by anybody."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:longest])
