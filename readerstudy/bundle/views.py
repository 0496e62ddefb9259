"""The page on which researchers export an unsealed study as one file, and the codebook of its readings."""

from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.bundle.actions import finished_bundle, newest_export, require_exportable, start_export, take_bundle
from readerstudy.bundle.reading_columns import ROWS, codebook_of_readings
from readerstudy.experiments.job_view import view_job
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
        "bundle": finished_bundle(job),
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
    bundle = take_bundle(study=study, actor=signed_in_user(request), at=now())
    if bundle is None:
        raise Http404
    return FileResponse(bundle.path.open("rb"), as_attachment=True, filename=f"{study.code}-bundle.zip")


@require_GET
@role_required(Role.RESEARCHER, Role.COORDINATOR)
def codebook(request: HttpRequest, code: str) -> HttpResponse:
    """Show every column that the readings of the study have, in any state of the study."""
    study = study_for(signed_in_user(request), code)
    entries = list(codebook_of_readings(study.cohort.modality))
    parts = [[entry.column for entry in entries if entry.with_truth is with_truth] for with_truth in (False, True)]
    context = {"study": study, "blind": parts[0], "sighted": parts[1], "rows": gettext(ROWS)}
    return render(request, "bundle/codebook.html", context)
