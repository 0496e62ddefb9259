"""The jobs of a study: its rehearsals, simulations and the lock of a large cohort, with their progress."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.permissions import signed_in_user
from readerstudy.designer.actions import LOCK_STUDY, REHEARSE_STUDY, start_rehearsal
from readerstudy.designer.pages.access import find_study, for_investigators
from readerstudy.designer.sizing.actions import SIMULATE_POWER
from readerstudy.errors import StudyError
from readerstudy.experiments.job_view import view_job
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.studies.models import Study
from readerstudy.truth.seal import may_see_report

LONGEST_QUERY = 4000


@require_POST
@for_investigators
def rehearse(request: HttpRequest, code: str) -> HttpResponse:
    """Start a rehearsal of the draft and show its progress."""
    study = find_study(request, code)
    try:
        started = start_rehearsal(study=study, actor=signed_in_user(request), at=now())
    except StudyError as error:
        messages.error(request, str(error))
        return redirect("desk:study", code)
    return redirect("designer:job", code, started.pk)


@require_GET
@for_investigators
def job(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Show the progress of a job of this study, and what it led to. For htmx: only that part."""
    study = find_study(request, code)
    shown = get_object_or_404(
        Job, pk=number, kind__in=(LOCK_STUDY, REHEARSE_STUDY, SIMULATE_POWER), parameters__study=study.code
    )
    rehearsal = None
    if shown.kind == REHEARSE_STUDY and shown.status == JobStatus.DONE and isinstance(shown.result, dict):
        rehearsal = Study.objects.filter(code=shown.result.get("study"), is_rehearsal=True).first()
    context = {
        "study": study,
        "job": shown,
        "view": view_job(shown, at=now()),
        "rehearsal": rehearsal,
        "is_sizing": shown.kind == SIMULATE_POWER,
        # The assumptions that the simulation was started with, as the query of the page of the size.
        "sizing_query": QueryDict(request.GET.get("sizing", "")[:LONGEST_QUERY]).urlencode(),
        "shows_report": rehearsal is not None and may_see_report(rehearsal, signed_in_user(request)),
    }
    template = "designer/_job.html" if "HX-Request" in request.headers else "designer/job.html"
    return render(request, template, context)
