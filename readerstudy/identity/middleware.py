"""What every request of a signed-in person must fulfil: presence, a second factor, a fresh sign-in for some acts."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.accounts.models import User
from readerstudy.accounts.sign_in import sign_out
from readerstudy.identity.acts import act_to_confirm, suspend
from readerstudy.identity.fresh import is_by_sso
from readerstudy.identity.refused import no_refusal
from readerstudy.identity.second_factor import has_factor, needs_factor

GetResponse = Callable[[HttpRequest], HttpResponse]
# One's own account, where the second factor is set up and people sign out; and the words of the administration.
OPEN: Final = ("/account/", "/static/", "/admin/jsi18n/")
SEEN_EVERY: Final = timedelta(minutes=1)
TOKENS: Final = ("token ", "bearer ")
MOST_NOTED: Final = 10_000  # sessions that a process remembers
SIGNED_IN_AT: Final = "signed_in_at"  # key of the session: seconds since 1970
POLL: Final = "X-Poll"  # header field of requests that a page sends by itself: nobody need be there


def note_sign_in(request: HttpRequest, **values: Any) -> None:
    """Store in the session when it began. Called by Django after each sign-in."""
    request.session[SIGNED_IN_AT] = int(time.time())


class Presence:
    """Note when a session was last used, and sign staff out after a time without anything done. Readers stay.

    Every session ends `SESSION_COOKIE_AGE` after its sign-in, whatever was stored in it since. A form that comes too
    late waits until its person has signed in again.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._noted: dict[str, datetime] = {}  # by key of the session

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user, key = request.user, request.session.session_key
        if not isinstance(user, User) or not key:
            return self.get_response(request)
        if SIGNED_IN_AT not in request.session:
            note_sign_in(request)  # a session of an earlier version: it begins now
        if time.time() - request.session[SIGNED_IN_AT] >= settings.SESSION_COOKIE_AGE:
            return _end(request, user, _too_old(), verb="sign_in.expired")
        is_poll, minutes = POLL in request.headers, 0 if user.is_reader else settings.IDLE_MINUTES
        if minutes:
            seen = UserSession.objects.filter(session_key=key).values_list("last_seen_at", flat=True).first()
            if seen is not None and seen < now() - timedelta(minutes=minutes):
                return _end(request, user, _too_quiet(minutes), verb="sign_in.timed_out")
            if not is_poll and (seen is None or seen < now() - SEEN_EVERY):
                _note(request, key)
        elif not is_poll and self._is_due(key):
            _note(request, key)
        return self.get_response(request)

    def _is_due(self, key: str) -> bool:
        """Return whether a minute has passed since this process noted the use. No limit depends on it."""
        at = now()
        if len(self._noted) > MOST_NOTED:
            self._noted.clear()
        if at - self._noted.setdefault(key, at) < SEEN_EVERY:
            return False
        self._noted[key] = at
        return True


def _note(request: HttpRequest, key: str) -> None:
    if not UserSession.objects.filter(session_key=key).update(last_seen_at=now()):
        UserSession.objects.create_from_request(request)


def _too_quiet(minutes: int) -> str:
    return ngettext(
        "You were signed out because nothing was done for %(count)d minute.",
        "You were signed out because nothing was done for %(count)d minutes.",
        minutes,
    ) % {"count": minutes}


def _too_old() -> str:
    hours = settings.SESSION_COOKIE_AGE // 3600
    return _("You were signed out because you signed in %(hours)d hours ago.") % {"hours": hours}


def _end(request: HttpRequest, user: User, why: str, *, verb: str) -> HttpResponse:
    """Sign out and say why; what was typed waits."""
    sign_out(request, at=now(), verb=verb)
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": why}, status=401)
    messages.info(request, why)
    return _lead(request, reverse("account_login"), suspend(request, person=user))


def _lead(request: HttpRequest, address: str, after: str) -> HttpResponse:
    """Lead the whole page to an address, and from there to the next one."""
    if "HX-Request" in request.headers and request.method == "GET":
        # The request was for a part of this page.
        after = urlsplit(request.headers.get("HX-Current-URL", "")).path or reverse("home")
    address = f"{address}?{urlencode({'next': after})}"
    return HttpResponse(headers={"HX-Redirect": address}) if "HX-Request" in request.headers else redirect(address)


class RequireSecondFactor:
    """Send people who need a second factor and have none to the page where they set one up."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if request.path.startswith(OPEN) or not isinstance(user, User) or not needs_factor(user) or has_factor(user):
            return self.get_response(request)
        if settings.SSO_SECOND_FACTOR and is_by_sso(request):
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": _("Set up a second factor on the page of your account first.")}, status=403)
        return redirect("mfa_index")


class ConfirmActs:
    """Ask for a fresh sign-in before the acts of the table in `acts`. Tokens of the API have scopes instead."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, values: Mapping[str, Any]
    ) -> HttpResponse | None:
        """Return the way to the sign-in, or None if the view may answer."""
        act = act_to_confirm(request, values)
        if act is None:
            return None
        if request.path.startswith("/api/"):
            if request.headers.get("Authorization", "").lower().startswith(TOKENS):
                return None  # the token decides; a wrong one is refused
            return no_refusal(JsonResponse({"detail": _("Sign in again, or use a token of the API.")}, status=403))
        methods = get_adapter().get_reauthentication_methods(request.user)
        if not methods:
            sentence = _(
                "This step needs a fresh sign-in. Choose a password or set up a second factor on the page of your "
                "account, or sign out and in again."
            )
            return no_refusal(render(request, "error.html", {"sentence": sentence}, status=403))
        assert isinstance(request.user, User)  # of the act
        return _lead(request, methods[0]["url"], suspend(request, person=request.user, has_secret=act.has_secret))
