"""Who may export a study as one file, and the job that does it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.jobs.queue import enqueue, new_job
from readerstudy.studies.access import require_researcher_of
from readerstudy.studies.models import Study
from readerstudy.truth.seal import StillSealed

EXPORT_BUNDLE: Final = "export-bundle"  # `experiments.job_view` has its title
STEPS: Final = 5


def require_exportable(study: Study, actor: User | None) -> None:
    """Raise StillSealed before the unsealing, and NotAllowed for anybody but a researcher of the study."""
    if actor is not None:
        require_researcher_of(study, actor)
    if not study.is_unsealed:
        raise StillSealed(study)


@transaction.atomic
def start_export(*, study: Study, actor: User, at: datetime) -> Job:
    """Queue a job that writes the bundle, and return it; the one that is under way if there is one."""
    require_exportable(study, actor)
    parameters = {"study": study.code, "by": actor.pk, "language": get_language() or settings.LANGUAGE_CODE}
    job = new_job(EXPORT_BUNDLE, parameters, requested_by=actor, at=at)
    if job.queued_at == at:  # otherwise it is one that was there before
        record("job.started", actor=actor, subject=job, at=at, kind=job.kind, study=study.code)
        enqueue(job)
    return job


def newest_export(study: Study) -> Job | None:
    """Return the newest job that exports the study."""
    return Job.objects.filter(kind=EXPORT_BUNDLE, parameters__study=study.code).order_by("-pk").first()


def bundle_folder() -> Path:
    """Return the folder of bundles that jobs wrote."""
    return Path(settings.REPORTS_DIR) / ".bundles"


def finished_bundle(job: Job | None) -> dict[str, Any] | None:
    """Return what a finished job says of its bundle; None if there is no file."""
    if job is None or job.status != JobStatus.DONE or not bundle_of(job).is_file():
        return None
    return dict(job.result or {})


@dataclass(frozen=True)
class BundleFile:
    """The file of a bundle, and its SHA-256 when it was written."""

    path: Path
    sha256: str


def take_bundle(*, study: Study, actor: User, at: datetime) -> BundleFile | None:
    """Return the file of the newest bundle for a person who downloads it, and record that; None without one."""
    require_exportable(study, actor)
    job = newest_export(study)
    result = finished_bundle(job)
    if job is None or result is None:
        return None
    record("export.made", actor=actor, subject=study, at=at, part="bundle", format="zip", with_truth=True)
    return BundleFile(bundle_of(job), str(result["sha256"]))


def bundle_of(job: Job) -> Path:
    """Return where a job writes its bundle."""
    return bundle_folder() / f"{job.parameters['study']}-{job.pk}.zip"
