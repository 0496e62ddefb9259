"""Pages of jobs: the list, one job, and forms to start one."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import role_required
from readerstudy.errors import BadInput, StudyError
from readerstudy.experiments.catalogue import KINDS, KINDS_BY_KEY, get_kind
from readerstudy.experiments.check import InvalidParameter
from readerstudy.experiments.job_view import view_job, view_jobs
from readerstudy.experiments.start import start_job
from readerstudy.experiments.tables.results import result_sections
from readerstudy.jobs.actions import cancel_job, retry_job
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_log import job_folder, read_log, read_points
from readerstudy.lab.charts import curve_charts
from readerstudy.lab.curve_axis import stage_lengths
from readerstudy.lab.forms import StartForm
from readerstudy.lab.key_values import parameter_facts

PER_PAGE = 30


@require_GET
@role_required(Role.RESEARCHER)
def jobs(request: HttpRequest) -> HttpResponse:
    """Return the list of jobs, those under way first."""
    page = Paginator(Job.objects.under_way_first(), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "jobs": view_jobs(page.object_list, at=now()), "kinds": KINDS}
    return render(request, "lab/jobs.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def job(request: HttpRequest, number: int) -> HttpResponse:
    """Return the page of one job; to htmx, which polls while the job runs, only the part that changes."""
    shown = get_object_or_404(
        Job.objects.select_related("requested_by", "cancel_requested_by", "retried_from"), pk=number
    )
    context = {
        "view": view_job(shown, at=now()),
        "job": shown,
        "parameters": parameter_facts(shown.parameters, KINDS_BY_KEY.get(shown.kind)),
        "sections": result_sections(shown.result),
        "charts": curve_charts(read_points(shown.pk), stage_lengths(shown.result)),
        "log": read_log(shown.pk),
        "runs": shown.checkpoints.all(),
        "attacks": shown.attacks.all(),
        "evaluations": shown.evaluations.all(),
        "retries": shown.retries.all(),
    }
    return render(request, "lab/_job.html" if request.headers.get("HX-Request") else "lab/job.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def log(request: HttpRequest, number: int) -> HttpResponse:
    """Return the whole log as a text file."""
    path = job_folder(get_object_or_404(Job, pk=number).pk) / "log.txt"
    if not path.exists():
        raise Http404
    return HttpResponse(path.read_bytes(), content_type="text/plain; charset=utf-8")


@require_POST
@role_required(Role.RESEARCHER)
def cancel(request: HttpRequest, number: int) -> HttpResponse:
    """Cancel a job."""
    cancelled = cancel_job(job=get_object_or_404(Job, pk=number), actor=_person(request), at=now())
    if not cancelled.is_over:
        messages.success(request, _("The job stops at its next report. Saved work is kept."))
    return redirect("lab:job", number)


@require_POST
@role_required(Role.RESEARCHER)
def retry(request: HttpRequest, number: int) -> HttpResponse:
    """Queue the work of a failed or cancelled job again."""
    retried = retry_job(job=get_object_or_404(Job, pk=number), actor=_person(request), at=now())
    return redirect("lab:job", retried.pk)


@role_required(Role.RESEARCHER)
def start(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the form of a kind of job. A valid post starts a job, or shows the job that does the same work already."""
    try:
        described = get_kind(kind)
    except BadInput as error:
        raise Http404(str(error)) from error
    form = StartForm(described, request.POST or None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        at = now()
        try:
            started = start_job(kind=kind, parameters=form.parameters(), requested_by=_person(request), at=at)
        except InvalidParameter as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        except StudyError as error:
            form.add_error(None, str(error))
        else:
            if started.queued_at != at:
                messages.info(request, _("This work is under way already; here is the job."))
            return redirect("lab:job", started.pk)
    return render(request, "lab/start.html", {"kind": described, "form": form}, status=400 if form.errors else 200)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # ensured by the decorator
    return request.user
