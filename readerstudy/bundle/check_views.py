"""The pages on which researchers check a bundle: sending the file, and one check from its start to its result."""

import shutil
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.bundle.checking.actions import (
    SENT,
    check_folder,
    checks_of,
    comparison_page,
    remove_old_checks,
    start_check,
)
from readerstudy.errors import StudyError
from readerstudy.experiments.job_view import view_job, view_jobs
from readerstudy.image_import.uploads import ReceiveFiles
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.layout.sentences import say
from readerstudy.sources.uploaded import Limits

_LISTED: Final = 10
_ROOM: Final = 1_000_000  # bytes of a request beside its file


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.RESEARCHER)
def send(request: HttpRequest) -> HttpResponse:
    """Return the form with the person's checks; a post stores the file and queues its check.

    The check of the form's token reads the request. So the handler that writes the file is set before that check,
    which `csrf_protect` makes in `_receive`.
    """
    if request.method != "POST":
        return _form_page(request)
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.BUNDLE_BYTES + _ROOM:
        error = _("The file is too large: at most %(size)s MB.") % {"size": settings.BUNDLE_BYTES // 1_000_000}
        return _form_page(request, error=error, status=413)
    key = uuid4()
    receiver = ReceiveFiles(check_folder(key) / SENT, Limits(settings.BUNDLE_BYTES, settings.BUNDLE_BYTES, 1))
    request.upload_handlers = [receiver]
    try:
        return csrf_protect(_receive)(request, key, receiver)
    finally:
        if not Job.objects.filter(parameters__key=str(key)).exists():
            shutil.rmtree(check_folder(key), ignore_errors=True)


def _receive(request: HttpRequest, key: Any, receiver: ReceiveFiles) -> HttpResponse:
    at = now()
    request.FILES  # noqa: B018 (reads the request)
    try:
        if receiver.error:
            raise StudyError(receiver.error)
        job = start_check(key=key, actor=signed_in_user(request), at=at)
    except StudyError as error:
        return _form_page(request, error=say(error), status=400)
    remove_old_checks(at=at)
    return redirect("bundles:check", job.pk)


def _form_page(request: HttpRequest, *, error: str = "", status: int = 200) -> HttpResponse:
    checks = checks_of(signed_in_user(request))[:_LISTED]
    context = {
        "error": error,
        "megabytes": settings.BUNDLE_BYTES // 1_000_000,
        "checks": view_jobs(checks, at=now()),
    }
    return render(request, "bundle/send.html", context, status=status)


@require_GET
@role_required(Role.RESEARCHER)
def check(request: HttpRequest, number: int) -> HttpResponse:
    """Show one of the person's own checks: its progress, then what it found. For htmx: only that part."""
    job = get_object_or_404(checks_of(signed_in_user(request)), pk=number)
    context = {
        "job": job,
        "view": view_job(job, at=now()),
        "found": job.result if job.status == JobStatus.DONE else None,
        "has_page": comparison_page(job) is not None,
    }
    return render(request, "bundle/_check.html" if "HX-Request" in request.headers else "bundle/check.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def comparison(request: HttpRequest, number: int) -> Any:
    """Return the page with the tables side by side, as a download: its style is inside."""
    job = get_object_or_404(checks_of(signed_in_user(request)), pk=number)
    path = comparison_page(job)
    if path is None or job.result is None:
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{job.result['study']}-comparison.html")
