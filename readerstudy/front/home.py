"""The home page, one for each role."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import User
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.reading.queries import StudySummary, list_studies


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show a reader's sessions, or links to the pages that the person's role may use."""
    user = signed_in_user(request)
    context: dict[str, Any] = {"role": user.role}
    if user.is_reader:
        context["studies"] = [_study(study) for study in list_studies(user, at=now())]
    else:
        context["links"] = _links(user)
    return render(request, "home.html", context)


def _study(study: StudySummary) -> dict[str, Any]:
    sessions = [
        {**vars(session), "url": reverse("reading:session", args=[study.code, session.number])}
        for session in study.sessions
    ]
    return {"code": study.code, "title": study.title, "state": study.state, "sessions": sessions}


def _links(user: User) -> list[dict[str, str]]:
    admin = {
        "title": _("Studies and readers"),
        "text": _("Studies, sessions, readers and their progress."),
        "url": reverse("admin:index"),
    }
    reports = {
        "title": _("Reports"),
        "text": _("Accuracies, p-values, times and figures of every unsealed study. Closed studies are unsealed here.")
        if user.is_researcher
        else _("Reports of rehearsals. They show what a study’s report will look like."),
        "url": reverse("report:list"),
    }
    schema = {
        "title": _("API schema"),
        "text": _("Description of the programming interface (OpenAPI 3, YAML)."),
        "url": reverse("schema"),
    }
    lab = {
        "title": _("Lab"),
        "text": _("Training runs, adversarial images and their evaluation, before a study uses them."),
        "url": reverse("lab:jobs"),
    }
    return [admin, reports, *([lab] if user.is_researcher else []), schema]
