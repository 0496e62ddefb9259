"""Pages and files of the report: of unsealed studies for researchers, of rehearsals also for coordinators."""

import mimetypes
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.analysis.forms import VersionForm
from readerstudy.analysis.report.cache import MOST_READINGS_FOR_PAGES, ReportTooLarge, cached_report
from readerstudy.analysis.report.differences import MOST_CHANGES, differences
from readerstudy.analysis.report.paper import PDF, newest_layout, start_layout
from readerstudy.analysis.report.progress import progress_of_study, rehearsal_of
from readerstudy.analysis.report.versions import NoVersion, count_readings, store_version, stored_results, versions_of
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.experiments.job_view import view_job
from readerstudy.studies.access import require_researcher_of, studies_of, study_for
from readerstudy.studies.actions import end_expired_requests
from readerstudy.studies.lifecycle import StudyStatus
from readerstudy.studies.models import Study
from readerstudy.studies.transitions import offered_moves
from readerstudy.truth.actions import unseal_study
from readerstudy.truth.seal import may_see_report, may_see_truth

StudyView = Callable[..., HttpResponseBase]


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
    try:
        report = cached_report(study, at=now(), number=number)
    except ReportTooLarge as error:
        return render(request, "report/large.html", {"study": study, "readings": error.readings})
    # A running rehearsal is reported while it is being read.
    grows = not study.shows_verdicts
    shown = {"number": report.version.number} if report.version else {}
    record("report.viewed", actor=signed_in_user(request), subject=study, at=now(), **shown)
    context = {
        "study": study,
        "report": report,
        "grows": grows,
        "readings": report.readings,
        "versions": versions_of(study),
        "may_export": may_see_truth(study, signed_in_user(request)),
    }
    return render(request, "report/study.html", context)


@require_GET
@_of_study
def versions(request: HttpRequest, study: Study, number: int | None = None) -> HttpResponse:
    """Show the stored versions, and what differs between one and another: by default the newest and the one before."""
    if study.is_sealed:
        return _sealed(request, study)
    return render(request, "report/versions.html", _versions_context(request, study, number, VersionForm()))


@require_POST
@_of_study
def store(request: HttpRequest, study: Study) -> HttpResponse:
    """Compute the report now and store it as a new version, with a reason."""
    person, form = signed_in_user(request), VersionForm(request.POST)
    if form.is_valid() and count_readings(study) > MOST_READINGS_FOR_PAGES:
        raise ReportTooLarge(study, count_readings(study))
    if not form.is_valid():
        context = _versions_context(request, study, None, form)
        return render(request, "report/versions.html", context, status=400)
    version = store_version(study=study, actor=person, at=now(), reason=form.cleaned_data["reason"])
    return redirect("report:differences", study.code, version.number)


def _versions_context(request: HttpRequest, study: Study, number: int | None, form: VersionForm) -> dict[str, Any]:
    cached_report(study, at=now())  # stores the first version if there is none
    stored = versions_of(study)
    if not stored:
        raise NoVersion(_("The report of a rehearsal has no versions."))
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
    shown = request.GET.get("shown", "")
    if not re.fullmatch(r"[0-9]{1,9}", shown):
        raise BadInput(_("The number of readings that the page shows is missing."))
    if count_readings(study) <= int(shown):
        return HttpResponse(status=204)
    return render(request, "report/_newer.html", {"study": study})


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
    """Return the whole report as PDF. It is laid out when it is first asked for: by a worker if there is one."""
    report = cached_report(study, at=now(), number=number)
    if settings.PDF_BY_WORKER and report.version is not None and report.file(PDF) is None:
        start_layout(version=report.version, actor=signed_in_user(request), at=now())
        return redirect("report:pdf-progress", study.code, report.version.number)
    report.lay_out(at=now())
    return _file(request, study, PDF, number, part="report")


@require_GET
@_of_study
def pdf_progress(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Show how far the layout of a version's PDF is, and the link to it once it is stored. For htmx: only that part."""
    report = cached_report(study, at=now(), number=number)
    assert report.version is not None  # a number was given
    job = newest_layout(report.version)
    context = {
        "study": study,
        "version": report.version,
        "is_stored": report.file(PDF) is not None,
        "job": job,
        "view": view_job(job, at=now()) if job else None,
    }
    template = "report/_pdf.html" if "HX-Request" in request.headers else "report/pdf.html"
    return render(request, template, context)


def _file(request: HttpRequest, study: Study, name: str, number: int | None, *, part: str = "") -> HttpResponseBase:
    """Return a file of a version; as a download, and as an export in the audit trail, if it is a `part`."""
    report = cached_report(study, at=now(), number=number)
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
