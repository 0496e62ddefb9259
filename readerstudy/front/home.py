"""The home page: by role."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import User
from readerstudy.reading.queries import studies_of


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """A reader's sessions; for the others the doors that are theirs."""
    assert isinstance(request.user, User)
    context: dict[str, Any] = {"role": request.user.role}
    if request.user.is_reader:
        context["studies"] = [_study(line) for line in studies_of(request.user, at=now())]
    else:
        context["links"] = _links(request.user)
    return render(request, "home.html", context)


def _study(line: Any) -> dict[str, Any]:
    sessions = [
        {**vars(session), "url": reverse("reading:session", args=[line.code, session.number])}
        for session in line.sessions
    ]
    return {"code": line.code, "title": line.title, "is_closed": line.is_closed, "sessions": sessions}


def _links(user: User) -> list[dict[str, str]]:
    admin = {
        "title": _("Studies and readers"),
        "text": _("Studies, sessions, readers and how far each of them is."),
        "url": reverse("admin:index"),
    }
    reports = {
        "title": _("Reports"),
        "text": _("Accuracies, p-values, times and figures of every unsealed study; unsealing.")
        if user.is_researcher
        else _("What a study’s report will look like: the reports of rehearsals, while they are read and after."),
        "url": reverse("report:list"),
    }
    schema = {
        "title": _("API schema"),
        "text": _("The programming interface, described for programs (OpenAPI 3, a YAML file)."),
        "url": reverse("schema"),
    }
    lab = {
        "title": _("Lab"),
        "text": _(
            "Training, adversarial images and their evaluation; the images themselves, before a study draws them."
        ),
        "url": reverse("lab:jobs"),
    }
    return [admin, reports, *([lab] if user.is_researcher else []), schema]
