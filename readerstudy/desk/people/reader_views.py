"""One reader of a study: sessions, pause, withdrawal, replacement, and what was done and why."""

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import User
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.audit.models import Event
from readerstudy.desk.people.forms import ReplacementForm
from readerstudy.desk.people.reader_acts import ACTS, carry_out
from readerstudy.desk.people.views import after_letters, for_investigators
from readerstudy.errors import NotFound, StudyError
from readerstudy.invitations.actions import replace_reader
from readerstudy.invitations.letters import Terms
from readerstudy.invitations.views import base_url
from readerstudy.participation.models import ReaderProfile
from readerstudy.participation.queries import consent_of
from readerstudy.reading.queries import SessionSummary, get_session_summary
from readerstudy.studies.access import study_for
from readerstudy.studies.exposure import exposure_parts, images_shown_elsewhere
from readerstudy.studies.models import Enrollment, ReadingList, WithdrawalCause

HISTORY: Final = {
    "reader.enrolled": gettext_lazy("Enrolled"),
    "reader.paused": gettext_lazy("Paused"),
    "reader.repeats_allowed": gettext_lazy("Allowed to see images again that other studies show"),
    "reader.resumed": gettext_lazy("Resumed"),
    "reader.withdrawn": gettext_lazy("Withdrawn"),
    "consent.given": gettext_lazy("Consent given"),
    "profile.saved": gettext_lazy("Questions about the reader answered"),
    "session.allowed_early": gettext_lazy("Session allowed before the end of its washout"),
    "session.held": gettext_lazy("Session put on hold"),
    "session.stopped": gettext_lazy("Session stopped: the file of its image is not the one that was drawn"),
    "session.allowed": gettext_lazy("Session resumed"),
}


@require_GET
@for_investigators
def reader(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Show one reader of a study and what can be done."""
    return _page(request, _enrollment(request, code, number), ReplacementForm())


@require_POST
@for_investigators
def act(request: HttpRequest, code: str, number: int, name: str) -> HttpResponse:
    """Carry out one of `ACTS`, with its reason."""
    enrollment, session = _enrollment(request, code, number), request.POST.get("session", "")
    if name not in ACTS or (session and not (session.isascii() and session.isdigit() and len(session) <= 4)):
        raise Http404
    is_own = request.POST.get("cause") == WithdrawalCause.CONSENT
    try:
        done = carry_out(
            name,
            enrollment=enrollment,
            actor=signed_in_user(request),
            at=now(),
            reason=request.POST.get("reason", ""),
            session=int(session or 0),
            cause=WithdrawalCause.CONSENT if is_own else WithdrawalCause.STUDY_TEAM,
        )
    except NotFound as error:
        raise Http404(str(error)) from error
    except StudyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("desk:reader", code, number)


@require_POST
@for_investigators
def replace(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Invite somebody who takes the place of this withdrawn reader."""
    enrollment, form = _enrollment(request, code, number), ReplacementForm(request.POST)
    if not form.is_valid():
        return _page(request, enrollment, form, status=400)
    terms = Terms(base_url=base_url(request), language=form.cleaned_data["language"])
    try:
        letter = replace_reader(
            withdrawn=enrollment,
            invitee=form.invitee,
            actor=signed_in_user(request),
            at=now(),
            terms=terms,
            override_reason=form.cleaned_data["override_reason"],
        )
    except StudyError as error:
        messages.error(request, str(error))
        return _page(request, enrollment, form, status=409)
    done = _("%(person)s was invited in the place of %(reader)s.")
    values = {"person": letter.mail.person, "reader": enrollment.code}
    return after_letters(request, enrollment.study, [letter], done=done % values)


def _page(request: HttpRequest, enrollment: Enrollment, form: ReplacementForm, *, status: int = 200) -> HttpResponse:
    at = now()
    lists = enrollment.reading_lists.select_related("session_plan__study", "session_plan__practice", "enrollment")
    sessions: list[tuple[ReadingList, SessionSummary]] = [
        (each, get_session_summary(each, at=at)) for each in lists.order_by("session_plan__number")
    ]
    context = {
        "study": enrollment.study,
        "enrollment": enrollment,
        "sessions": sessions,
        "is_under_way": enrollment.study.takes_readers,
        "may_withdraw": enrollment.takes_part and not enrollment.study.is_unsealed,
        "replacement": Enrollment.objects.filter(replaces=enrollment).select_related("reader").first(),
        "plan": enrollment.study.analysis,
        "consent": consent_of(enrollment),
        "told": ReaderProfile.objects.filter(enrollment=enrollment).exists(),
        "form": form,
        "repeats": _repeats(enrollment, told_to=signed_in_user(request)),
        "history": _history(enrollment, [each.pk for each, _summary in sessions]),
    }
    return render(request, "desk/reader.html", context, status=status)


def _repeats(enrollment: Enrollment, *, told_to: User) -> str:
    """Return how many images other studies show the reader of a draft, if no reason to allow it is stored."""
    if enrollment.override_reason or not (enrollment.study.is_editable and enrollment.takes_part):
        return ""
    return exposure_parts(images_shown_elsewhere(enrollment.study, enrollment.reader), told_to=told_to)


def _history(enrollment: Enrollment, lists: list[int]) -> list[dict[str, Any]]:
    """Return what was done with the reader, the latest first."""
    subjects = [f"{Enrollment._meta.label_lower}:{enrollment.pk}"]
    subjects += [f"{ReadingList._meta.label_lower}:{pk}" for pk in lists]
    events = Event.objects.filter(subject__in=subjects, verb__in=HISTORY).select_related("actor").order_by("-pk")
    return [
        {
            "at": event.at,
            "what": HISTORY[event.verb],
            "session": event.data.get("session"),
            "by": event.actor,
            "reason": event.data.get("reason") or event.data.get("override_reason", ""),
        }
        for event in events
    ]


def _enrollment(request: HttpRequest, code: str, number: int) -> Enrollment:
    rows = Enrollment.objects.select_related("reader", "study__cohort", "arm", "replaces__reader", "withdrawn_by")
    return get_object_or_404(rows, pk=number, study=study_for(signed_in_user(request), code))
