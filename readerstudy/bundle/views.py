"""The page on which researchers export an unsealed study as one file."""

from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.audit.actions import record
from readerstudy.bundle.actions import bundle_of, newest_export, require_exportable, start_export
from readerstudy.experiments.job_view import view_job
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.studies.access import study_for
from readerstudy.studies.models import Study


def _exportable_study(request: HttpRequest, code: str) -> Study:
    """Return the study. Raises NotFound, StillSealed or NotAllowed."""
    person = signed_in_user(request)
    study = study_for(person, code)
    require_exportable(study, person)
    return study


@require_GET
@role_required(Role.RESEARCHER)
def page(request: HttpRequest, code: str) -> HttpResponse:
    """Say what a bundle has, and show the newest one or its progress. For htmx: only that part."""
    study = _exportable_study(request, code)
    job = newest_export(study)
    context: dict[str, Any] = {
        "study": study,
        "job": job,
        "view": view_job(job, at=now()) if job else None,
        "bundle": _result(job),
    }
    template = "bundle/_job.html" if "HX-Request" in request.headers else "bundle/page.html"
    return render(request, template, context)


@require_POST
@role_required(Role.RESEARCHER)
def make(request: HttpRequest, code: str) -> HttpResponse:
    """Start the job that writes the bundle."""
    study = _exportable_study(request, code)
    start_export(study=study, actor=signed_in_user(request), at=now())
    return redirect("bundle:page", code)


@require_GET
@role_required(Role.RESEARCHER)
def file(request: HttpRequest, code: str) -> Any:
    """Return the newest bundle as a download."""
    study = _exportable_study(request, code)
    job = newest_export(study)
    if job is None or _result(job) is None:
        raise Http404
    person = signed_in_user(request)
    record("export.made", actor=person, subject=study, at=now(), part="bundle", format="zip", with_truth=True)
    return FileResponse(bundle_of(job).open("rb"), as_attachment=True, filename=f"{study.code}-bundle.zip")


def _result(job: Job | None) -> dict[str, Any] | None:
    """Return what a finished job says of its bundle; None if there is no file."""
    if job is None or job.status != JobStatus.DONE or not bundle_of(job).is_file():
        return None
    return dict(job.result or {})
