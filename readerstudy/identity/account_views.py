"""One's own account: password, second factor, sessions; and going on after signing in again."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.permissions import signed_in_user
from readerstudy.audit.actions import record
from readerstudy.identity.acts import waiting_request
from readerstudy.identity.devices import device_of
from readerstudy.identity.second_factor import has_factor


@require_GET
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Show one's own account, with the sessions that are signed in."""
    user = signed_in_user(request)
    sessions = sorted(UserSession.objects.purge_and_list(user), key=lambda each: each.last_seen_at, reverse=True)
    context = {
        "has_password": user.has_usable_password(),
        "has_factor": has_factor(user),
        "sessions": [(each, device_of(each.user_agent)) for each in sessions],
        "own_key": request.session.session_key,
    }
    return render(request, "accounts/own.html", context)


@require_POST
@login_required
def end_session(request: HttpRequest, number: int) -> HttpResponse:
    """Sign one's own other browser out."""
    user = signed_in_user(request)
    session = get_object_or_404(UserSession, pk=number, user=user)
    session.end()
    record("sign_in.ended_elsewhere", actor=user, subject=user, at=now())
    messages.success(request, _("The other browser is signed out."))
    return redirect("account")


@require_POST
@login_required
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign all of one's own other browsers out."""
    user = signed_in_user(request)
    others = UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key)
    for session in others:
        session.end()
        record("sign_in.ended_elsewhere", actor=user, subject=user, at=now())
    messages.success(request, _("All other browsers are signed out."))
    return redirect("account")


@require_GET
@login_required
def go_on(request: HttpRequest) -> HttpResponse:
    """Offer to send the form that waited for the sign-in."""
    waiting = waiting_request(request)
    if waiting is None:
        return redirect("home")
    address, fields = waiting
    return render(request, "accounts/go_on.html", {"address": address, "fields": fields})
