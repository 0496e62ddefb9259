"""The pages of images: the cohorts, sending files, and one import from the check to its result."""

import shutil
from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.errors import StudyError
from readerstudy.experiments.job_view import view_job
from readerstudy.image_import import actions
from readerstudy.image_import.forms import FORMS, ImportForm
from readerstudy.image_import.material import SENT
from readerstudy.image_import.models import ImageImport, ImportKind, ImportStep
from readerstudy.image_import.page import report_page
from readerstudy.image_import.queries import SPLITS, cohort_lines, imports_of
from readerstudy.image_import.report import PANELS, preview_path
from readerstudy.image_import.uploads import ReceiveFiles, limits
from readerstudy.layout.sentences import say

for_investigators = role_required(Role.COORDINATOR, Role.RESEARCHER)
PER_PAGE: Final = 50
_ROOM: Final = 1_000_000  # bytes of a request beside its files


@require_GET
@for_investigators
def cohorts(request: HttpRequest) -> HttpResponse:
    """Show every cohort with its counts, and the imports that are under way."""
    person = signed_in_user(request)
    context = {"cohorts": cohort_lines(person), "splits": SPLITS, "imports": imports_of(person)}
    return render(request, "images/cohorts.html", context)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_investigators
def send(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the form of an import; a post stores the files and queues their check.

    The check of the form's token reads the request. So the handler that writes the files is set before that check,
    which `csrf_protect` makes in `_receive`.
    """
    if kind not in FORMS:
        raise Http404
    actions.require_right(kind, "", actor=signed_in_user(request))
    if request.method != "POST":
        return _form_page(request, kind, FORMS[kind]())
    if int(request.META.get("CONTENT_LENGTH") or 0) > limits().bytes_sent + _ROOM:
        error = _("The files are too large: at most %(size)s MB.") % {"size": limits().bytes_sent // 1_000_000}
        return _form_page(request, kind, FORMS[kind](), error=error, status=413)
    row = ImageImport(id=uuid4(), kind=kind)
    receiver = ReceiveFiles(row.folder / SENT, limits())
    request.upload_handlers = [receiver]
    try:
        return csrf_protect(_receive)(request, row, receiver)
    finally:
        if not ImageImport.objects.filter(pk=row.pk).exists():
            shutil.rmtree(row.folder, ignore_errors=True)


def _receive(request: HttpRequest, row: ImageImport, receiver: ReceiveFiles) -> HttpResponse:
    form = FORMS[row.kind](request.POST)
    if not form.is_valid():
        return _form_page(request, row.kind, form, error=say(receiver.error), status=400)
    try:
        if receiver.error:
            raise StudyError(receiver.error)
        image_import = actions.begin_import(
            key=row.pk,
            kind=row.kind,
            cohort=form.cleaned_data["cohort"],
            options=form.options(),
            actor=signed_in_user(request),
            at=now(),
            **form.place(),
        )
    except StudyError as error:
        return _form_page(request, row.kind, form, error=say(error), status=400)
    actions.remove_old_uploads(at=now())
    return redirect("images:import", image_import.pk)


@require_GET
@for_investigators
def image_import(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one import: its check, then its result. To htmx, which asks while a job runs, only the part that changes."""
    found = _find(request, key)
    user = signed_in_user(request)
    context: dict[str, Any] = {
        "import": found,
        "view": view_job(found.job, at=now()) if found.job else None,
        "steps": ImportStep,
        "is_pairs": found.kind == ImportKind.PAIRS,
        "page": report_page(found, user, number=request.GET.get("page"), per_page=PER_PAGE),
    }
    return render(
        request, "images/_import.html" if request.headers.get("HX-Request") else "images/import.html", context
    )


@require_GET
@for_investigators
def preview(request: HttpRequest, key: UUID, number: int, panel: str) -> HttpResponse:
    """Return a small picture of one row."""
    path = preview_path(_find(request, key).folder, number, panel)
    if panel not in PANELS or not path.exists():
        raise Http404
    return HttpResponse(path.read_bytes(), content_type="image/jpeg")


@require_POST
@for_investigators
def act(request: HttpRequest, key: UUID, name: str) -> HttpResponse:
    """Check again, import or discard."""
    found, actor, at = _find(request, key), signed_in_user(request), now()
    try:
        match name:
            case "check":
                actions.check_again(image_import=found, actor=actor, at=at)
            case "start":
                skips = "skips_refused" in request.POST
                actions.start_import(image_import=found, skips_refused=skips, actor=actor, at=at)
            case "discard":
                actions.discard_import(image_import=found, actor=actor, at=at)
                messages.success(request, _("The files were deleted."))
                return redirect("images:cohorts")
            case _:
                raise Http404
    except StudyError as error:
        messages.error(request, say(error))
    return redirect("images:import", key)


def _find(request: HttpRequest, key: UUID) -> ImageImport:
    """Return the import. Raises Http404 if there is none, or if it belongs to somebody else."""
    rows = ImageImport.objects.select_related("by", "check_job", "import_job")
    found = get_object_or_404(rows, pk=key)
    try:
        actions.require_own(found, actor=signed_in_user(request))
    except StudyError as error:
        raise Http404 from error
    return found


def _form_page(
    request: HttpRequest, kind: str, form: ImportForm, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "is_pairs": kind == ImportKind.PAIRS,
        "error": error,
        "megabytes": limits().bytes_sent // 1_000_000,
        "files": limits().files,
    }
    return render(request, "images/send.html", context, status=status)
