"""Pages and files of the report: of unsealed studies for researchers, of rehearsals also for coordinators."""

import mimetypes
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.analysis.report.cache import ReportTooLarge, cached_report, count_readings
from readerstudy.analysis.report.pdf import write_pdf
from readerstudy.analysis.report.progress import progress_of_study, rehearsal_of
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.studies.access import require_researcher_of, studies_of, study_for
from readerstudy.studies.lifecycle import StudyStatus
from readerstudy.studies.models import Study
from readerstudy.studies.transitions import offered_moves
from readerstudy.truth.actions import unseal_study
from readerstudy.truth.seal import may_see_report

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
def study_report(request: HttpRequest, study: Study) -> HttpResponse:
    """Show the report, or the remaining steps while the study is sealed."""
    if study.is_sealed:
        return _sealed(request, study)
    try:
        report = cached_report(study, at=now())
    except ReportTooLarge as error:
        return render(request, "report/large.html", {"study": study, "readings": error.readings})
    # A running rehearsal is reported while it is being read.
    grows = not study.shows_verdicts
    record("report.viewed", actor=signed_in_user(request), subject=study, at=now())
    context = {"study": study, "report": report, "grows": grows, "readings": report.readings}
    return render(request, "report/study.html", context)


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
def table_csv(request: HttpRequest, study: Study, key: str) -> HttpResponseBase:
    """Return one table in full precision."""
    return _file(request, study, f"{key}.csv", part="table")


@require_GET
@_of_study
def table_json(request: HttpRequest, study: Study, key: str) -> HttpResponseBase:
    """Return one table for programs: the numbers of the CSV, with title, caption and notes."""
    return _file(request, study, f"{key}.json", part="table")


@require_GET
@_of_study
def picture_svg(request: HttpRequest, study: Study, key: str) -> HttpResponseBase:
    """Return one figure."""
    return _file(request, study, f"{key}.svg")


@require_GET
@_of_study
def page_html(request: HttpRequest, study: Study) -> HttpResponseBase:
    """Return the whole report as a single HTML file."""
    return _file(request, study, "report.html", part="report")


@require_GET
@_of_study
def page_pdf(request: HttpRequest, study: Study) -> HttpResponseBase:
    """Return the whole report as PDF, which is created at first access."""
    report = cached_report(study, at=now())
    if report.file("report.pdf") is None:
        write_pdf(report.folder / "report.html", report.folder / "report.pdf")
    return _file(request, study, "report.pdf", part="report")


def _file(request: HttpRequest, study: Study, name: str, *, part: str = "") -> HttpResponseBase:
    """Return a file of the report; as a download, and as an export in the audit trail, if it is a `part`."""
    path = cached_report(study, at=now()).file(name)
    if path is None:
        raise Http404
    if part:
        kind = name.rpartition(".")[2]
        record("export.made", actor=signed_in_user(request), subject=study, at=now(), part=part, format=kind, file=name)
    content_type, _encoding = mimetypes.guess_type(name)
    if content_type and content_type.startswith(("text/", "image/svg")):
        content_type += "; charset=utf-8"
    filename = f"{study.code}-{name}"
    return FileResponse(path.open("rb"), as_attachment=bool(part), filename=filename, content_type=content_type)


def _sealed(request: HttpRequest, study: Study) -> HttpResponse:
    progress = progress_of_study(study)
    context = {
        "study": study,
        "progress": progress,
        "unfinished": [row for row in progress if not row.is_finished],
        "is_closed": study.status == StudyStatus.CLOSED,
        "rehearsal": rehearsal_of(study),
        "moves": offered_moves(study, signed_in_user(request)) if study.persons_to_unseal > 1 else (),
    }
    return render(request, "report/sealed.html", context)
