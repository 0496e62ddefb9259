"""The home page: a reader's messages and sessions, or the desk."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import User
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.participation.models import ReaderProfile, ReaderRules
from readerstudy.participation.queries import lacks_consent, newest_text, unread_messages
from readerstudy.reading.queries import StudySummary, list_studies
from readerstudy.studies.models import Enrollment


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show a reader's messages and sessions; everybody else is sent to the desk."""
    user = signed_in_user(request)
    if not user.is_reader:
        return redirect("desk:board")
    studies = [_study(study, user) for study in list_studies(user, at=now())]
    studies.sort(key=lambda study: not study["is_to_read"])  # those that can be read now stand first
    return render(request, "home.html", {"studies": studies, "deliveries": unread_messages(user)})


def _study(study: StudySummary, reader: User) -> dict[str, Any]:
    sessions = [
        {
            **vars(session),
            "url": reverse("reading:session", args=[study.code, session.number]),
            "is_next": study.state == "open" and session.state in ("open", "under_way"),
        }
        for session in study.sessions
    ]
    enrollment = Enrollment.objects.select_related("study").get(study__code=study.code, reader=reader)
    rules = ReaderRules.of(enrollment.study)
    takes_part = study.state not in ("withdrawn", "closed")
    return {
        "code": study.code,
        "title": study.title,
        "state": study.state,
        "is_over": not takes_part,
        "sessions": sessions,
        "is_to_read": any(session["is_next"] for session in sessions),
        "is_new": not any(session["answered"] or session["state"] in ("under_way", "done") for session in sessions),
        "answered": sum(session["answered"] for session in sessions),
        "total": sum(session["total"] for session in sessions),
        "minutes": sum(session["minutes"] for session in sessions),
        "lacks_consent": takes_part and lacks_consent(enrollment),
        "has_consent": study.state != "withdrawn" and newest_text(enrollment.study) is not None,
        "lacks_answers": takes_part
        and bool(rules.asked)
        and not ReaderProfile.objects.filter(enrollment=enrollment).exists(),
        "is_finished": bool(sessions) and all(session["state"] == "done" for session in sessions),
    }
