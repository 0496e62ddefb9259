"""The report's pages and files: of unsealed studies for researchers, of rehearsals for coordinators too."""

import mimetypes
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import role_required
from readerstudy.analysis.report.cache import Published, TooLargeToWaitFor, count_of_readings, published
from readerstudy.analysis.report.pdf import write_pdf
from readerstudy.analysis.report.progress import progress_of_study, rehearsal_of
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.studies.models import Study, StudyStatus
from readerstudy.truth.actions import unseal_study

StudyView = Callable[..., HttpResponseBase]


def _of_study(view: StudyView) -> Callable[..., HttpResponse]:
    """Give the view its study. Coordinators see rehearsals only: a report of the study itself would tell the truth."""

    @role_required(Role.RESEARCHER, Role.COORDINATOR)
    @wraps(view)
    def guarded(request: HttpRequest, code: str, *args: Any, **kwargs: Any) -> Any:
        study = get_object_or_404(Study, code=code)
        if not (_is_researcher(request) or study.is_rehearsal):
            raise NotAllowed(_("Only researchers see the report of a study; coordinators see that of its rehearsal."))
        return view(request, study, *args, **kwargs)

    return guarded


@require_GET
@role_required(Role.RESEARCHER, Role.COORDINATOR)
def studies(request: HttpRequest) -> HttpResponse:
    """Every study, the newest first."""
    context = {"studies": Study.objects.order_by("-created_at"), "is_researcher": _is_researcher(request)}
    return render(request, "report/list.html", context)


@require_GET
@_of_study
def study_report(request: HttpRequest, study: Study) -> HttpResponse:
    """The report, or, while the study is sealed, what stands between here and there."""
    if study.status != StudyStatus.UNSEALED and not study.is_rehearsal:
        return _sealed(request, study)
    try:
        report = published(study, at=now())
    except TooLargeToWaitFor as error:
        return render(request, "report/large.html", {"study": study, "readings": error.readings})
    # A rehearsal that is still being read is shown as it grows.
    grows = study.status == StudyStatus.OPEN
    context = {"study": study, "report": report, "grows": grows, "readings": report.readings}
    return render(request, "report/study.html", context)


@require_GET
@_of_study
def readings(request: HttpRequest, study: Study) -> HttpResponse:
    """Return a link to a newer report if there are more readings than `shown`, otherwise nothing (204). For htmx."""
    shown = request.GET.get("shown", "")
    if not re.fullmatch(r"[0-9]{1,9}", shown):
        raise BadInput(_("The number of readings that the page shows is missing."))
    if count_of_readings(study) <= int(shown):
        return HttpResponse(status=204)
    return render(request, "report/_newer.html", {"study": study})


@require_POST
@role_required(Role.RESEARCHER)
def unseal(request: HttpRequest, code: str) -> HttpResponse:
    """Open the truth of a closed study, for a reason."""
    study = get_object_or_404(Study, code=code)
    assert isinstance(request.user, User)  # by the decorator above
    unseal_study(study=study, actor=request.user, reason=request.POST.get("reason", ""), at=now())
    return redirect("report:study", code)


@require_GET
@_of_study
def table_csv(request: HttpRequest, study: Study, key: str) -> HttpResponseBase:
    """One table in full precision."""
    return _file(study, f"{key}.csv", download=True)


@require_GET
@_of_study
def table_json(request: HttpRequest, study: Study, key: str) -> HttpResponseBase:
    """One table for programs: the numbers of the CSV, with title, caption and notes."""
    return _file(study, f"{key}.json", download=True)


@require_GET
@_of_study
def picture_svg(request: HttpRequest, study: Study, key: str) -> HttpResponseBase:
    """One picture."""
    return _file(study, f"{key}.svg")


@require_GET
@_of_study
def page_html(request: HttpRequest, study: Study) -> HttpResponseBase:
    """The whole report in one file that needs no server."""
    return _file(study, "report.html", download=True)


@require_GET
@_of_study
def page_pdf(request: HttpRequest, study: Study) -> HttpResponseBase:
    """The whole report on paper; laid out when first asked for."""
    report = published(study, at=now())
    if report.file("report.pdf") is None:
        write_pdf(report.folder / "report.html", report.folder / "report.pdf")
    return _sent(report, study, "report.pdf", download=True)


def _file(study: Study, name: str, *, download: bool = False) -> HttpResponseBase:
    return _sent(published(study, at=now()), study, name, download=download)


def _sent(report: Published, study: Study, name: str, *, download: bool) -> HttpResponseBase:
    path = report.file(name)
    if path is None:
        raise Http404
    kind, _encoding = mimetypes.guess_type(name)
    kind = f"{kind}; charset=utf-8" if kind and kind.startswith(("text/", "image/svg")) else kind
    stem = f"{study.code}-{name}"
    return FileResponse(path.open("rb"), as_attachment=download, filename=stem, content_type=kind)


def _is_researcher(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_researcher


def _sealed(request: HttpRequest, study: Study) -> HttpResponse:
    progress = progress_of_study(study)
    context = {
        "study": study,
        "progress": progress,
        "unfinished": [line for line in progress if not line.is_finished],
        "is_closed": study.status == StudyStatus.CLOSED,
        "rehearsal": rehearsal_of(study),
    }
    return render(request, "report/sealed.html", context)
