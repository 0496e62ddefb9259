"""Pages and files of the report: of unsealed studies for researchers, of rehearsals also for coordinators."""

import mimetypes
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.analysis.forms import VersionForm
from readerstudy.analysis.report.cache import CachedReport, known_report
from readerstudy.analysis.report.differences import MOST_CHANGES, differences
from readerstudy.analysis.report.making import (
    RETRY_AFTER,
    newest_layout,
    newest_making,
    report_or_job,
    start_layout,
    start_new_version,
)
from readerstudy.analysis.report.paper import PDF
from readerstudy.analysis.report.progress import progress_of_study, rehearsal_of
from readerstudy.analysis.report.versions import NoVersion, count_readings, stored_results, versions_of
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.experiments.job_view import view_job
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.studies.access import require_researcher_of, studies_of, study_for
from readerstudy.studies.actions import end_expired_requests
from readerstudy.studies.lifecycle import StudyStatus
from readerstudy.studies.models import Study
from readerstudy.studies.transitions import offered_moves
from readerstudy.truth.actions import unseal_study
from readerstudy.truth.seal import may_see_report, may_see_truth

StudyView = Callable[..., HttpResponseBase]
# Where a page that shows the progress of a job leads once the report is there.
_REPORT, _VERSIONS, _FILE = "report", "versions", "file"


def _of_study(view: StudyView) -> Callable[..., HttpResponse]:
    """Pass the study to the view. Raises NotAllowed if the person may not see its report."""

    @role_required(Role.RESEARCHER, Role.COORDINATOR)
    @wraps(view)
    def guarded(request: HttpRequest, code: str, *args: Any, **kwargs: Any) -> Any:
        person = signed_in_user(request)
        study = study_for(person, code)
        if not may_see_report(study, person):
            raise NotAllowed(_("Only researchers see the report of a study; coordinators see that of its rehearsal."))
        return view(request, study, *args, **kwargs)

    return guarded


@require_GET
@role_required(Role.RESEARCHER, Role.COORDINATOR)
def studies(request: HttpRequest) -> HttpResponse:
    """Show the studies that the person takes part in, the newest first."""
    person = signed_in_user(request)
    rows = [(study, may_see_report(study, person)) for study in studies_of(person).order_by("-created_at")]
    context = {"studies": rows, "is_researcher": person.is_researcher}
    return render(request, "report/list.html", context)


@require_GET
@_of_study
def study_report(request: HttpRequest, study: Study, number: int | None = None) -> HttpResponse:
    """Show a version of the report, the newest if none is named, or the remaining steps while the study is sealed."""
    if study.is_sealed:
        return _sealed(request, study)
    readings = None
    if "readings" in request.GET:
        readings = _number_of_readings(request.GET["readings"])
    report = report_or_job(study, actor=signed_in_user(request), at=now(), number=number, readings=readings)
    if isinstance(report, Job):
        return _in_the_making(request, study, report, _REPORT)
    shown = {"number": report.version.number} if report.version else {}
    record("report.viewed", actor=signed_in_user(request), subject=study, at=now(), **shown)
    context = {
        "study": study,
        "report": report,
        "grows": _grows(study),
        "readings": report.readings,
        "versions": versions_of(study),
        "may_export": may_see_truth(study, signed_in_user(request)),
        "judged_sessions": [plan.number for plan in study.session_plans.order_by("number") if plan.asks_verdict],
    }
    return render(request, "report/study.html", context)


@require_GET
@_of_study
def versions(request: HttpRequest, study: Study, number: int | None = None) -> HttpResponse:
    """Show the stored versions, and what differs between one and another: by default the newest and the one before."""
    if study.is_sealed:
        return _sealed(request, study)
    job = _job_of_first_version(request, study)
    if job is not None:
        return _in_the_making(request, study, job, _VERSIONS)
    return render(request, "report/versions.html", _versions_context(request, study, number, VersionForm()))


@require_POST
@_of_study
def store(request: HttpRequest, study: Study) -> HttpResponse:
    """Start the job that computes the report again and stores it as a new version, with a reason."""
    person, form = signed_in_user(request), VersionForm(request.POST)
    job = _job_of_first_version(request, study)
    if job is not None:
        return _in_the_making(request, study, job, _VERSIONS)
    if not form.is_valid():
        context = _versions_context(request, study, None, form)
        return render(request, "report/versions.html", context, status=400)
    job = start_new_version(study=study, actor=person, at=now(), reason=form.cleaned_data["reason"])
    job.refresh_from_db()
    is_done = job.status == JobStatus.DONE
    return redirect(
        _address_at_the_end(study, job, _VERSIONS) if is_done else reverse("report:making", args=[study.code])
    )


@require_GET
@_of_study
def making(request: HttpRequest, study: Study) -> HttpResponse:
    """Show how far the newest job that makes a report is, and lead to the report at its end. For htmx: that part."""
    leads_to, job = request.GET.get("to", _REPORT), newest_making(study)
    is_part = "HX-Request" in request.headers
    is_done = job is None or job.status == JobStatus.DONE
    if job is None or (is_done and not (is_part and leads_to == _FILE)):
        address = _address_at_the_end(study, job, leads_to)
        # A redirect would be followed by htmx, which would insert the whole report.
        return HttpResponse(headers={"HX-Redirect": address}) if is_part else redirect(address)
    template = "report/_making.html" if is_part else "report/making.html"
    return render(request, template, _making_context(study, job, leads_to))


def _address_at_the_end(study: Study, job: Job | None, leads_to: str) -> str:
    """Return the address of what a job has made."""
    made = job.parameters if job else {}
    if made.get("number", 1) > 1:
        return reverse("report:differences", args=[study.code, made["number"]])
    if leads_to == _VERSIONS:
        return reverse("report:versions", args=[study.code])
    # A rehearsal that is still being read may have grown meanwhile.
    covered = f"?readings={made['readings']}" if "readings" in made and _grows(study) else ""
    return reverse("report:study", args=[study.code]) + covered


def _in_the_making(request: HttpRequest, study: Study, job: Job, leads_to: str) -> HttpResponse:
    """Answer with the progress of the job that makes what was asked for."""
    context = _making_context(study, job, leads_to)
    answer = render(request, "report/making.html", context, status=202)
    answer["Retry-After"] = str(RETRY_AFTER)
    return answer


def _making_context(study: Study, job: Job, leads_to: str) -> dict[str, Any]:
    return {
        "study": study,
        "job": job,
        "view": view_job(job, at=now()),
        "leads_to": leads_to,
        "again": _address_at_the_end(study, job, leads_to if job.parameters.get("number", 1) == 1 else _VERSIONS),
        "is_started_here": not settings.JOBS_BY_WORKER,
    }


def _job_of_first_version(request: HttpRequest, study: Study) -> Job | None:
    """Return the job that makes the first version, None if that is stored. Raises NoVersion for a rehearsal."""
    if study.is_rehearsal:
        raise NoVersion(_("The report of a rehearsal has no versions."))
    report = report_or_job(study, actor=signed_in_user(request), at=now())
    return report if isinstance(report, Job) else None


def _grows(study: Study) -> bool:
    """Return whether it is a running rehearsal, which is reported while it is being read."""
    return not study.shows_verdicts


def _versions_context(request: HttpRequest, study: Study, number: int | None, form: VersionForm) -> dict[str, Any]:
    stored = versions_of(study)
    after = next((each for each in stored if each.number == number), None if number else stored[-1])
    if after is None:
        raise Http404(_("The report of %(study)s has no version %(number)s.") % {"study": study.code, "number": number})
    against = request.GET.get("against", "")
    earlier = [each for each in stored if each.number < after.number]
    before = next((each for each in earlier if str(each.number) == against), earlier[-1] if earlier else None)
    found = differences(stored_results(before), stored_results(after)) if before else ()
    return {
        "study": study,
        "versions": stored,
        "after": after,
        "before": before,
        "earlier": earlier,
        "tables": found,
        "changes": sum(len(each.changes) for each in found),
        "most": MOST_CHANGES,
        "form": form,
    }


@require_GET
@_of_study
def readings(request: HttpRequest, study: Study) -> HttpResponse:
    """Return a link to a newer report if there are more readings than `shown`, otherwise nothing (204). For htmx."""
    if count_readings(study) <= _number_of_readings(request.GET.get("shown", "")):
        return HttpResponse(status=204)
    return render(request, "report/_newer.html", {"study": study})


def _number_of_readings(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise BadInput(_("The number of readings that the page shows is missing."))
    return int(text)


@require_POST
@role_required(Role.RESEARCHER)
def unseal(request: HttpRequest, code: str) -> HttpResponse:
    """Unseal a closed study, with a reason."""
    actor = signed_in_user(request)
    study = study_for(actor, code)
    require_researcher_of(study, actor)
    unseal_study(study=study, actor=actor, reason=request.POST.get("reason", ""), at=now())
    return redirect("report:study", code)


@require_GET
@_of_study
def table_csv(request: HttpRequest, study: Study, key: str, number: int | None = None) -> HttpResponseBase:
    """Return one table in full precision."""
    return _file(request, study, f"{key}.csv", number, part="table")


@require_GET
@_of_study
def table_json(request: HttpRequest, study: Study, key: str, number: int | None = None) -> HttpResponseBase:
    """Return one table for programs: the numbers of the CSV, with title, caption and notes."""
    return _file(request, study, f"{key}.json", number, part="table")


@require_GET
@_of_study
def picture_svg(request: HttpRequest, study: Study, key: str, number: int | None = None) -> HttpResponseBase:
    """Return one figure."""
    return _file(request, study, f"{key}.svg", number)


@require_GET
@_of_study
def page_html(request: HttpRequest, study: Study, number: int | None = None) -> HttpResponseBase:
    """Return the whole report as a single HTML file."""
    return _file(request, study, "report.html", number, part="report")


@require_GET
@_of_study
def page_pdf(request: HttpRequest, study: Study, number: int | None = None) -> HttpResponseBase:
    """Return the whole report as PDF. A job lays it out when it is first asked for."""
    report = _report_of_files(request, study, number)
    if isinstance(report, Job):
        return _in_the_making(request, study, report, _REPORT)
    if report.file(PDF) is None:
        start_layout(study, report, actor=signed_in_user(request), at=now())
        if report.file(PDF) is None:
            return redirect(_layout_address(study, report))
    return _file(request, study, PDF, number, part="report")


@require_GET
@_of_study
def pdf_progress(request: HttpRequest, study: Study, number: int | None = None) -> HttpResponse:
    """Show how far the layout of a PDF is, and the link to it once it is there. For htmx: only that part."""
    report = known_report(study, number=number, readings=_least_readings(study))
    if report is None or (number is None and report.version is not None):
        return redirect("report:study", study.code)
    job = newest_layout(study, report)
    version = [report.version.number] if report.version else []
    context = {
        "study": study,
        "version": report.version,
        "is_there": report.file(PDF) is not None,
        "job": job,
        "view": view_job(job, at=now()) if job else None,
        "is_started_here": not settings.JOBS_BY_WORKER,
        "progress": _layout_address(study, report),
        "pdf": reverse("report:version-pdf" if version else "report:pdf", args=[study.code, *version]),
        "page": reverse("report:version" if version else "report:study", args=[study.code, *version]),
    }
    template = "report/_pdf.html" if "HX-Request" in request.headers else "report/pdf.html"
    return render(request, template, context)


def _layout_address(study: Study, report: CachedReport) -> str:
    """Return the address of the page that shows how far the layout of a PDF is."""
    if report.version is None:
        return reverse("report:rehearsal-pdf", args=[study.code])
    return reverse("report:pdf-progress", args=[study.code, report.version.number])


def _least_readings(study: Study) -> int | None:
    """Return how many readings the files of a report must cover; None: all.

    The files of a running rehearsal are those of its newest page, which must not lose its figures while it is read.
    """
    return 0 if _grows(study) else None


def _report_of_files(request: HttpRequest, study: Study, number: int | None) -> CachedReport | Job:
    person, least = signed_in_user(request), _least_readings(study)
    return report_or_job(study, actor=person, at=now(), number=number, readings=least)


def _file(request: HttpRequest, study: Study, name: str, number: int | None, *, part: str = "") -> HttpResponseBase:
    """Return a file of a version; as a download, and as an export in the audit trail, if it is a `part`."""
    report = _report_of_files(request, study, number)
    if isinstance(report, Job):
        return _in_the_making(request, study, report, _FILE)
    path = report.file(name)
    if path is None:
        raise Http404
    if part:
        what: dict[str, Any] = {"part": part, "format": name.rpartition(".")[2], "file": name}
        what |= {"number": report.version.number} if report.version else {}
        record("export.made", actor=signed_in_user(request), subject=study, at=now(), **what)
    content_type, _encoding = mimetypes.guess_type(name)
    if content_type and content_type.startswith(("text/", "image/svg")):
        content_type += "; charset=utf-8"
    version = f"-v{report.version.number}" if report.version and report.version.number > 1 else ""
    filename = f"{study.code}{version}-{name}"
    return FileResponse(path.open("rb"), as_attachment=bool(part), filename=filename, content_type=content_type)


def _sealed(request: HttpRequest, study: Study) -> HttpResponse:
    progress = progress_of_study(study)
    end_expired_requests(study=study, at=now())
    context = {
        "study": study,
        "progress": progress,
        "unfinished": [row for row in progress if not row.is_finished],
        "is_closed": study.status == StudyStatus.CLOSED,
        "rehearsal": rehearsal_of(study),
        "moves": offered_moves(study, signed_in_user(request)) if study.persons_to_unseal > 1 else (),
    }
    return render(request, "report/sealed.html", context)
