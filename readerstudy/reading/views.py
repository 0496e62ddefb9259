"""The reading pages: one page a session; the wire tells it what to show."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import role_required
from readerstudy.reading.pages import NoSuchSession, reading_list_of, session_line


@require_GET
@ensure_csrf_cookie
@role_required(Role.READER)
def session(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """One session: its instructions, then the images, always at the current one."""
    assert isinstance(request.user, User)
    try:
        reading_list = reading_list_of(request.user, code, number)
    except NoSuchSession as error:
        raise Http404(str(error)) from error
    plan = reading_list.session_plan
    line = session_line(reading_list, at=now())
    return render(
        request,
        "reading/session.html",
        {
            "study_code": code,
            "study_title": plan.study.title,
            "session": {
                "number": number,
                "title": plan.title,
                "kind": plan.kind,
                "instructions": plan.instructions,
                "state": line.state,
                "total": plan.total,
                "answered": line.answered,
                "waits_until": line.waits_until,
            },
            "wire": {name: reverse(f"wire:{name}", args=[code, number]) for name in ("step", "open", "verdicts")},
            "home_url": reverse("home"),
        },
    )
