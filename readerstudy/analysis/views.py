"""The report's pages and files, for researchers."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import role_required
from readerstudy.analysis.pages import progress_of_study
from readerstudy.analysis.report import build_report
from readerstudy.analysis.table import to_csv
from readerstudy.studies.models import Study, StudyStatus
from readerstudy.truth.actions import unseal_study


@require_GET
@role_required(Role.RESEARCHER)
def studies(request: HttpRequest) -> HttpResponse:
    """Every study, the newest first."""
    return render(request, "report/list.html", {"studies": Study.objects.order_by("-created_at")})


@require_GET
@role_required(Role.RESEARCHER)
def study_report(request: HttpRequest, code: str) -> HttpResponse:
    """The report, or, while the study is sealed, what stands between here and there."""
    study = get_object_or_404(Study, code=code)
    if study.status != StudyStatus.UNSEALED:
        return _sealed(request, study)
    files = reverse("report:study", args=[code])
    return render(request, "report/study.html", {"report": build_report(study, at=now()), "files": files})


@require_POST
@role_required(Role.RESEARCHER)
def unseal(request: HttpRequest, code: str) -> HttpResponse:
    """Open the truth of a closed study, for a reason."""
    study = get_object_or_404(Study, code=code)
    assert isinstance(request.user, User)  # by the decorator above
    unseal_study(study=study, actor=request.user, reason=request.POST.get("reason", ""), at=now())
    return redirect("report:study", code)


@require_GET
@role_required(Role.RESEARCHER)
def table_csv(request: HttpRequest, code: str, key: str) -> HttpResponse:
    """One table in full precision."""
    table = build_report(get_object_or_404(Study, code=code), at=now()).tables.get(key)
    if table is None:
        raise Http404
    name = f"{code}-{key}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(to_csv(table), content_type="text/csv; charset=utf-8", headers=headers)


@require_GET
@role_required(Role.RESEARCHER)
def picture_svg(request: HttpRequest, code: str, key: str) -> HttpResponse:
    """One picture."""
    picture = build_report(get_object_or_404(Study, code=code), at=now()).pictures.get(key)
    if picture is None:
        raise Http404
    return HttpResponse(picture.svg, content_type="image/svg+xml; charset=utf-8")


def _sealed(request: HttpRequest, study: Study) -> HttpResponse:
    progress = progress_of_study(study)
    context = {
        "study": study,
        "progress": progress,
        "unfinished": [line for line in progress if not line.is_finished],
        "is_closed": study.status == StudyStatus.CLOSED,
    }
    return render(request, "report/sealed.html", context)
