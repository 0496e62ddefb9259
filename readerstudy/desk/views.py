"""The desk's pages, for coordinators and researchers."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.desk.monitor import readers_of
from readerstudy.desk.queries import attention, study_lines
from readerstudy.desk.queries import reported_images as list_reported_images
from readerstudy.errors import StudyError
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.actions import allow_resume
from readerstudy.reading.models import ImageProblem, ReadingSession
from readerstudy.studies.access import is_researcher_of, study_for
from readerstudy.studies.actions import end_expired_requests, exclude_from_analysis, include_in_analysis
from readerstudy.studies.models import SessionPlan, Study
from readerstudy.studies.transitions import hindrances, offered_moves

for_investigators = role_required(Role.COORDINATOR, Role.RESEARCHER)


@require_GET
@for_investigators
def board(request: HttpRequest) -> HttpResponse:
    """Show what needs somebody today, and every study with its progress."""
    user = signed_in_user(request)
    end_expired_requests(at=now())
    return render(request, "desk/board.html", {"attention": attention(user, at=now()), "studies": study_lines(user)})


@require_GET
@for_investigators
def study(request: HttpRequest, code: str) -> HttpResponse:
    """Show one study with the progress of its readers."""
    person = signed_in_user(request)
    found = study_for(person, code)
    end_expired_requests(study=found, at=now())
    moves = {"moves": offered_moves(found, person), "hindrances": hindrances(found)}
    requests = found.unsealing_requests.select_related("by", "ended_by").order_by("-pk")
    teaches = found.session_plans.filter(kind=SessionKind.EDUCATION).exists()
    context = {"unsealing_requests": requests, "writes_lines": teaches and is_researcher_of(found, person)}
    return render(request, "desk/study.html", {**_monitor_context(found), **moves, **context})


@require_GET
@for_investigators
def monitor(request: HttpRequest, code: str) -> HttpResponse:
    """Return the table of readers alone: the study's page requests it again and again."""
    return render(request, "desk/_monitor.html", _monitor_context(study_for(signed_in_user(request), code)))


@require_POST
@for_investigators
def resume(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Resume a session that is on hold."""
    found = study_for(signed_in_user(request), code)
    session = get_object_or_404(ReadingSession, pk=number, reading_list__enrollment__study=found)
    actor, reason = signed_in_user(request), request.POST.get("reason", "")
    _carry_out(
        request,
        lambda: allow_resume(session=session, actor=actor, reason=reason, at=now()),
        _("%(session)s was resumed.") % {"session": session.reading_list},
    )
    return redirect("desk:study", code)


@require_GET
@for_investigators
def reported_images(request: HttpRequest, code: str) -> HttpResponse:
    """Show the images that readers reported, without the images."""
    found = study_for(signed_in_user(request), code)
    context = {"study": found, "images": list_reported_images(found), "is_fixed": found.unsealed_at is not None}
    return render(request, "desk/reported_images.html", context)


@require_POST
@for_investigators
def decide(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Exclude a reported image from the analysis, or include it again."""
    found = study_for(signed_in_user(request), code)
    problem = get_object_or_404(ImageProblem, pk=number, presentation__reading_list__enrollment__study=found)
    is_excluding = request.POST.get("act") == "exclude"
    act: Callable[..., object] = exclude_from_analysis if is_excluding else include_in_analysis
    done = _("The image is excluded from the analysis.") if is_excluding else _("The image is in the analysis again.")
    actor, reason = signed_in_user(request), request.POST.get("reason", "")
    _carry_out(request, lambda: act(presentation=problem.presentation, actor=actor, reason=reason, at=now()), done)
    return redirect("desk:reported-images", code)


def _monitor_context(found: Study) -> dict[str, Any]:
    at = now()
    return {
        "study": found,
        "plans": list(SessionPlan.objects.filter(study=found).order_by("number")),
        "readers": readers_of(found, at=at),
        "reports": ImageProblem.objects.filter(presentation__reading_list__enrollment__study=found).count(),
        "at": at,
    }


def _carry_out(request: HttpRequest, work: Callable[[], object], done: str) -> None:
    """Run an action and show `done`, or its error, as a message on the next page."""
    try:
        work()
    except StudyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
