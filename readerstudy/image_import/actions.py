"""Starting an import: check, then import, each as a job; and removing what was sent."""

import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.models import Cohort
from readerstudy.errors import NotAllowed, StudyError
from readerstudy.image_import.material import check_sent, find_server_folder, remove_files
from readerstudy.image_import.models import ImageImport, ImportKind, ImportStep
from readerstudy.image_import.options import Options
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import enqueue, new_job
from readerstudy.names import require_name
from readerstudy.serialise import to_dict

CHECK, IMPORT = "check-images", "import-images"
KEPT: Final = timedelta(days=1)


def require_right(kind: str, cohort: str, *, actor: User, made_cohort: bool = False) -> None:
    """Raise NotAllowed unless the actor may import this.

    Pairs say which image is adversarial, and an import into a cohort compares the table's pathologies with those
    stored: both are for researchers. A coordinator may make a cohort of their own images.
    """
    if actor.is_researcher:
        return
    if actor.is_reader or kind == ImportKind.PAIRS:
        raise NotAllowed(_("Only a researcher may import adversarial images."))
    if not made_cohort and Cohort.objects.filter(name=cohort).exists():
        message = _("The cohort %(cohort)s exists; only a researcher may add images to it. Choose another name.")
        raise NotAllowed(message % {"cohort": cohort})


@transaction.atomic
def begin_import(
    *,
    key: UUID,
    kind: str,
    cohort: str,
    options: Options,
    actor: User,
    at: datetime,
    server_folder: str = "",
    server_path: str = "",
) -> ImageImport:
    """Register files that were sent, or a folder on the server, and queue the check of them.

    Raises NotAllowed as `require_right` does, BadInput for a wrong name of the cohort or files that are refused.
    """
    require_name(cohort, label="cohort")
    require_right(kind, cohort, actor=actor)
    if kind == ImportKind.PAIRS:
        Cohort.named(cohort)
    image_import = ImageImport(
        id=key,
        kind=kind,
        cohort=cohort,
        options=to_dict(options),
        server_folder=server_folder,
        server_path=server_path,
        by=actor,
        at=at,
    )
    if server_folder:
        find_server_folder(server_folder, server_path)
    else:
        check_sent(image_import.folder)
    image_import.check_job = _queue(CHECK, image_import, actor=actor, at=at)
    image_import.save(force_insert=True)
    record("images.sent", actor=actor, subject=image_import, at=at, cohort=cohort)
    return image_import


@transaction.atomic
def check_again(*, image_import: ImageImport, actor: User, at: datetime) -> None:
    """Queue the check again after it failed. Raises StudyError unless it has."""
    own = _locked(image_import, actor, ImportStep.CHECK_FAILED)
    own.check_job = _queue(CHECK, own, actor=actor, at=at)
    own.save(update_fields=["check_job"])


@transaction.atomic
def start_import(*, image_import: ImageImport, skips_refused: bool, actor: User, at: datetime) -> None:
    """Queue the import of checked images, or again after it failed.

    Raises StudyError at another step, NotAllowed as `require_right` does.
    """
    own = _locked(image_import, actor, ImportStep.CHECKED, ImportStep.IMPORT_FAILED)
    own.import_job = _queue(IMPORT, own, actor=actor, at=at, skips_refused=skips_refused)
    own.save(update_fields=["import_job"])


@transaction.atomic
def discard_import(*, image_import: ImageImport, actor: User, at: datetime) -> None:
    """Delete what was sent. Raises StudyError while a job reads it."""
    own = ImageImport.objects.select_for_update().get(pk=image_import.pk)
    require_own(own, actor=actor)
    if own.job and not own.job.is_over:
        raise StudyError(_("The files are being read. Wait until that has ended."))
    _remove(own, at=at)


def require_own(image_import: ImageImport, *, actor: User) -> None:
    """Raise NotAllowed unless the actor may see this import: a researcher every one, a coordinator their own ones."""
    if actor.is_researcher:
        return
    if actor.is_reader or image_import.by_id != actor.pk or image_import.kind == ImportKind.PAIRS:
        raise NotAllowed(_("This import belongs to somebody else."))


def remove_old_uploads(*, at: datetime) -> int:
    """Delete files that were sent more than a day ago, also those of uploads that broke off. Return their number."""
    removed = 0
    for image_import in ImageImport.objects.filter(removed_at=None, at__lt=at - KEPT):
        if image_import.job is None or image_import.job.is_over:
            _remove(image_import, at=at)
            removed += 1
    kept = {str(key) for key in ImageImport.objects.filter(removed_at=None).values_list("pk", flat=True)}
    uploads = Path(settings.UPLOADS_DIR)
    for folder in uploads.iterdir() if uploads.is_dir() else ():
        if folder.name not in kept and folder.stat().st_mtime < (at - KEPT).timestamp():
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _locked(image_import: ImageImport, actor: User, *steps: ImportStep) -> ImageImport:
    own = ImageImport.objects.select_for_update(of=("self",)).get(pk=image_import.pk)
    require_own(own, actor=actor)
    require_right(own.kind, own.cohort, actor=actor, made_cohort=own.made_cohort)
    if own.removed_at is not None:
        raise StudyError(_("The files of this import were removed. Send them again."))
    if own.step not in steps:
        raise StudyError(_("The state of this import is: %(state)s.") % {"state": own.step.label})
    return own


def _queue(kind: str, image_import: ImageImport, *, actor: User, at: datetime, **parameters: Any) -> Job:
    given: Mapping[str, Any] = {"import": str(image_import.pk), **parameters}
    job = new_job(kind, dict(given), requested_by=actor, at=at)
    record("job.started", actor=actor, subject=job, at=at, kind=kind)
    enqueue(job)
    return job


def _remove(image_import: ImageImport, *, at: datetime) -> None:
    remove_files(image_import.folder)
    shutil.rmtree(image_import.folder, ignore_errors=True)
    image_import.removed_at = at
    image_import.save(update_fields=["removed_at"])
