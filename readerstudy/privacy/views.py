"""Pages of personal data: the copy of one's own or of somebody's data, and erasing a person."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.errors import NotAllowed, StudyError
from readerstudy.privacy.actions import erase_person
from readerstudy.privacy.copy import make_copy
from readerstudy.privacy.queries import find_obstacles, holdings_of


@require_POST
@login_required
def own_copy(request: HttpRequest) -> HttpResponse:
    """Return everything that is stored of oneself, as a zip file."""
    return _copy(request, signed_in_user(request))


@require_POST
@role_required(Role.COORDINATOR, Role.RESEARCHER)
def copy(request: HttpRequest, number: int) -> HttpResponse:
    """Return everything that is stored of a person, as a zip file."""
    return _copy(request, get_object_or_404(User, pk=number))


def _copy(request: HttpRequest, person: User) -> HttpResponse:
    content = make_copy(person=person, actor=signed_in_user(request), at=now())
    disposition = f'attachment; filename="personal-data-{person.pk}.zip"'
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return HttpResponse(content, content_type="application/zip", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.RESEARCHER, Role.COORDINATOR)
def erase(request: HttpRequest, number: int) -> HttpResponse:
    """Say what an erasure deletes and what stays; by POST, erase the person."""
    actor = signed_in_user(request)
    if not actor.is_superuser:
        raise NotAllowed(_("Only superusers erase a person."))
    person = get_object_or_404(User, pk=number)
    if request.method != "POST":
        return _erase_page(request, person)
    typed, reason = request.POST.get("typed", ""), request.POST.get("reason", "")
    with_last_name = request.POST.get("last_name") == "on"
    try:
        erase_person(person=person, typed=typed, reason=reason, actor=actor, at=now(), with_last_name=with_last_name)
    except StudyError as error:
        messages.error(request, str(error))
        return _erase_page(request, person, status=409)
    person.refresh_from_db()
    messages.success(request, _("The person is erased; the pseudonym is %(person)s.") % {"person": person})
    return redirect("desk:account", number)


def _erase_page(request: HttpRequest, person: User, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "person": person,
        "obstacles": find_obstacles(person, signed_in_user(request)),
        "held": holdings_of(person),
        "typed": request.POST.get("typed", ""),
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "privacy/erase.html", context, status=status)
