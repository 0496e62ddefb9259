"""The home page: a reader's sessions, or the desk."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_GET

from readerstudy.accounts.permissions import signed_in_user
from readerstudy.reading.queries import StudySummary, list_studies


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show a reader's sessions; everybody else is sent to the desk."""
    user = signed_in_user(request)
    if not user.is_reader:
        return redirect("desk:board")
    studies = [_study(study) for study in list_studies(user, at=now())]
    return render(request, "home.html", {"studies": studies})


def _study(study: StudySummary) -> dict[str, Any]:
    sessions = [
        {**vars(session), "url": reverse("reading:session", args=[study.code, session.number])}
        for session in study.sessions
    ]
    return {"code": study.code, "title": study.title, "state": study.state, "sessions": sessions}
