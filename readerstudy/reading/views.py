"""The reading pages, one for each session. Their script gets images and sends verdicts through the API."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.accounts.renewal import renewal_of
from readerstudy.layout.markdown import markdown
from readerstudy.participation.queries import lacks_consent
from readerstudy.protocol.rules import DisplayCheck
from readerstudy.reading.display_check import rules_for_page
from readerstudy.reading.forms import form_of
from readerstudy.reading.introduction import introduction_to_session, introduction_to_study
from readerstudy.reading.queries import (
    NoSuchSession,
    get_reading_list,
    get_session_summary,
    has_checked_display,
    list_studies,
    number_at,
    reader_state,
)
from readerstudy.reading.spacing import spacing_for
from readerstudy.studies.access import members_of
from readerstudy.studies.models import ReadingList, SessionPlan

_ADDRESSES = ("step", "open", "verdicts", "problems", "answers")  # of the API, that the page's script uses


def page_rules(reading_list: ReadingList, *, at: datetime) -> dict[str, Any]:
    """Return the rules of the session that the page's script applies."""
    plan = reading_list.session_plan
    rules = plan.rules
    display = None
    if plan.total and rules.display_check != DisplayCheck.OFF:
        required = rules.display_check == DisplayCheck.REQUIRED
        display = {
            "required": required,
            "due": not has_checked_display(reading_list, at=at, passed=required),
            "url": reverse("reader_api:display", args=[plan.study.code, plan.number]),
            **rules_for_page(),
        }
    return {
        "frame_ms": rules.frame_ms,
        "grace_ms": rules.grace_ms,
        "idle_s": rules.idle_s,
        "pause_when_hidden": rules.pause_when_hidden,
        "practice": rules.practice,
        "break_every": rules.break_every,
        "break_minutes": rules.break_minutes,
        "least_screen": form_of(plan.study).least_screen,
        "display": display,
    }


def verdict_buttons(plan: SessionPlan) -> list[dict[str, Any]]:
    """Return the verdicts that the session asks for, each with its key and what it is called."""
    labels = plan.rules.verdict_labels
    return [
        {"verdict": verdict.value, "key": key, "text": plan.say(labels.label(verdict))}
        for key, verdict in enumerate(plan.verdicts, start=1)
    ]


@require_GET
@role_required(Role.READER)
def welcome(request: HttpRequest, code: str) -> HttpResponse:
    """Show what the study is, its sessions with their minutes, and mouse and keys; the way to the session to read."""
    reader, at = signed_in_user(request), now()
    lists = list(
        ReadingList.objects.filter(enrollment__reader=reader, session_plan__study__code=code)
        .select_related("session_plan__study__cohort", "session_plan__practice", "enrollment__study")
        .order_by("place")
    )
    if not lists:
        raise Http404(_("You are not enrolled in a study %(code)s.") % {"code": code})
    enrollment, study = lists[0].enrollment, lists[0].session_plan.study
    state = reader_state(enrollment)
    if lacks_consent(enrollment) and state == "open":
        return redirect("participation:consent", code)
    sessions = next(line.sessions for line in list_studies(reader, at=at) if line.code == code)
    left = [row.session_plan for row, line in zip(lists, sessions, strict=True) if line.state != "done"]
    context = {
        "study_code": code,
        "study_title": study.title,
        "form": form_of(study),
        "told": introduction_to_study(left) if left else None,
        "sessions": sessions,
        "minutes": sum(line.minutes for line in sessions),
        "next": next((line for line in sessions if line.state in ("open", "under_way")), None)
        if state == "open"
        else None,
    }
    return render(request, "reading/welcome.html", context)


@require_GET
@ensure_csrf_cookie
@role_required(Role.READER)
def session(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Show one session: its instructions, then the images from the current one on."""
    try:
        reading_list = get_reading_list(signed_in_user(request), code, number)
    except NoSuchSession as error:
        raise Http404(str(error)) from error
    if lacks_consent(reading_list.enrollment) and reader_state(reading_list.enrollment) == "open":
        return redirect("participation:consent", code)
    plan, at = reading_list.session_plan, now()
    line = get_session_summary(reading_list, at=at)
    waits = line.state == "waiting"  # then even the page's source says nothing of what comes
    return render(
        request,
        "reading/session.html",
        {
            "study_code": code,
            "study_title": plan.study.title,
            "form": form_of(plan.study),
            "told": introduction_to_session(reading_list),
            "words": plan.study.cohort.modality.words.reading,
            "session": {
                "number": number,
                "title": plan.said_title,
                "kind": "" if waits else plan.kind,
                "verdicts": verdict_buttons(plan),
                "asks_verdict": plan.asks_verdict,
                "has_aid": plan.has_aid and not waits,
                "instructions": "" if waits else markdown(plan.said_instructions),
                "state": line.state,
                "total": plan.total,
                "closing_questions": len(plan.closing_questions),
                "answered": line.answered,
                "minutes": line.minutes,
                "waits_until": line.waits_until,
                "before": line.before,
                "next": number_at(reading_list, reading_list.place + 1) or plan.study.session_plans.count() + 1,
            },
            "api": {name: reverse(f"reader_api:{name}", args=[code, number]) for name in _ADDRESSES},
            "rules": page_rules(reading_list, at=at),
            "mm_per_pixel": spacing_for(reading_list),
            "home_url": reverse("home"),
            "keys": signed_in_user(request).reading_keys.get(form_of(plan.study).name.value, {}),
            "coordinators": [member.person for member in members_of(plan.study).filter(role=Role.COORDINATOR)],
            "renewal": renewal_of(reading_list.enrollment.reader),
        },
    )
