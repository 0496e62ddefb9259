"""The export of a study and the check of a bundle as Celery tasks. Running one again does the same again."""

from typing import Any

from celery import shared_task
from django.utils.timezone import now
from django.utils.translation import override

from readerstudy.accounts.models import User
from readerstudy.bundle.actions import EXPORT_BUNDLE, STEPS, bundle_folder, bundle_of
from readerstudy.bundle.checking.actions import CHECK_BUNDLE, check_bundle
from readerstudy.bundle.checking.importing import STEPS as CHECK_STEPS
from readerstudy.bundle.writing.exporting import export_bundle
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import ReportProgress, perform
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.serialise import to_dict
from readerstudy.studies.models import Study


# Celery has no annotations.
@shared_task(name=EXPORT_BUNDLE)  # type: ignore[untyped-decorator]
def export_bundle_task(job_id: int) -> None:
    """Write the bundle of a study, and remove the study's earlier ones."""
    job = Job.objects.get(pk=job_id)
    perform(job_id, lambda parameters, report: _export(job, parameters, report))


# Celery has no annotations.
@shared_task(name=CHECK_BUNDLE)  # type: ignore[untyped-decorator]
def check_bundle_task(job_id: int) -> None:
    """Check a bundle that somebody sent."""
    perform(job_id, _check)


def _check(parameters: dict[str, Any], report: ReportProgress) -> dict[str, Any]:
    activity = Activity(ActivityKind.CHECKING_BUNDLE)
    with override(parameters["language"]):
        found = check_bundle(
            key=parameters["key"], at=now(), progress=lambda done: report(done, CHECK_STEPS, activity, {})
        )
    return to_dict(found)


def _export(job: Job, parameters: dict[str, Any], report: ReportProgress) -> dict[str, Any]:
    study, actor = Study.named(parameters["study"]), User.objects.get(pk=parameters["by"])
    target = bundle_of(job)
    bundle_folder().mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    activity = Activity(ActivityKind.WRITING_BUNDLE)
    with override(parameters["language"]):
        exported = export_bundle(
            study=study,
            target=target,
            actor=actor,
            at=now(),
            progress=lambda done: report(done, STEPS, activity, {}),
        )
    for earlier in Job.objects.filter(kind=EXPORT_BUNDLE, parameters__study=study.code, pk__lt=job.pk):
        bundle_of(earlier).unlink(missing_ok=True)
    return {**to_dict(exported), "path": ""}
